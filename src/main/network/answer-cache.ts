/**
 * Answers from the network, each kept for a time that is named with it: the only cached facts that can change
 * (DESIGN §2). One question is on its way once, however many wait for it, and few questions are on their way at all.
 */

/** An answer and how long it may be given again. */
export interface TimedAnswer<V> {
  readonly value: V
  readonly lifetimeMs: number
}

export interface AnswerCacheOptions {
  /** Answers kept; beyond it those used least recently are forgotten. */
  readonly entriesMax: number
  /** Questions on their way at the same time. */
  readonly flightsMax: number
  /** A clock that never steps back. */
  readonly nowMs: () => number
}

interface Entry<V> {
  readonly value: V
  readonly endsAtMs: number
}

/** The question was not asked, because too many are on their way. */
export const TOO_MANY_FLIGHTS: unique symbol = Symbol('too many questions on their way')

export class AnswerCache<V> {
  readonly #options: AnswerCacheOptions
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry<V>>()
  readonly #flights = new Map<string, Promise<V>>()

  constructor(options: AnswerCacheOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  /** `ask` is called if the answer is not known and nobody else is asking. A question that fails is nobody's answer. */
  async get(
    question: string,
    ask: () => Promise<TimedAnswer<V>>,
  ): Promise<V | typeof TOO_MANY_FLIGHTS> {
    const known = this.#recall(question)
    if (known) return known.value
    const flight = this.#flights.get(question)
    if (flight) return flight
    if (this.#flights.size >= this.#options.flightsMax) return TOO_MANY_FLIGHTS
    const started = this.#fly(question, ask)
    this.#flights.set(question, started)
    return started
  }

  async #fly(question: string, ask: () => Promise<TimedAnswer<V>>): Promise<V> {
    try {
      const { value, lifetimeMs } = await ask()
      this.#keep(question, { value, endsAtMs: this.#options.nowMs() + lifetimeMs })
      return value
    } finally {
      this.#flights.delete(question)
    }
  }

  #recall(question: string): Entry<V> | undefined {
    const entry = this.#entries.get(question)
    if (!entry) return undefined
    this.#entries.delete(question)
    if (entry.endsAtMs <= this.#options.nowMs()) return undefined
    this.#entries.set(question, entry)
    return entry
  }

  #keep(question: string, entry: Entry<V>): void {
    this.#entries.set(question, entry)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.entriesMax) break
      this.#entries.delete(oldest)
    }
  }
}
