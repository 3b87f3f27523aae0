/**
 * Answers from the network, each kept for a time that is named with it: the only cached facts that can change
 * (DESIGN §2). One question is on its way once, however many wait for it, and few questions are on their way at all: half
 * of them for one client at most, so that nobody alone keeps the others from asking.
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

export interface Question {
  /** Equal ones have equal answers. */
  readonly subject: string
  /** The address of the client for whom it is asked. */
  readonly client: string
}

/** The question was not asked, because too many are on their way. */
export const TOO_MANY_FLIGHTS: unique symbol = Symbol('too many questions on their way')

export class AnswerCache<V> {
  readonly #options: AnswerCacheOptions
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry<V>>()
  readonly #flights = new Map<string, Promise<V>>()
  /** How many are on their way for each client; nobody with none. */
  readonly #flightsOf = new Map<string, number>()

  constructor(options: AnswerCacheOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  /** `ask` is called if the answer is not known and nobody else is asking. A question that fails is nobody's answer. */
  async get(
    question: Question,
    ask: () => Promise<TimedAnswer<V>>,
  ): Promise<V | typeof TOO_MANY_FLIGHTS> {
    const { subject, client } = question
    const known = this.#recall(subject)
    if (known) return known.value
    const flight = this.#flights.get(subject)
    if (flight) return flight
    if (this.#isFullFor(client)) return TOO_MANY_FLIGHTS
    const started = this.#fly(question, ask)
    this.#flights.set(subject, started)
    return started
  }

  #isFullFor(client: string): boolean {
    const { flightsMax } = this.#options
    const own = this.#flightsOf.get(client) ?? 0
    return this.#flights.size >= flightsMax || own >= Math.ceil(flightsMax / 2)
  }

  async #fly({ subject, client }: Question, ask: () => Promise<TimedAnswer<V>>): Promise<V> {
    this.#flightsOf.set(client, (this.#flightsOf.get(client) ?? 0) + 1)
    try {
      const { value, lifetimeMs } = await ask()
      this.#keep(subject, { value, endsAtMs: this.#options.nowMs() + lifetimeMs })
      return value
    } finally {
      this.#flights.delete(subject)
      const left = (this.#flightsOf.get(client) ?? 0) - 1
      if (left > 0) this.#flightsOf.set(client, left)
      else this.#flightsOf.delete(client)
    }
  }

  #recall(subject: string): Entry<V> | undefined {
    const entry = this.#entries.get(subject)
    if (!entry) return undefined
    this.#entries.delete(subject)
    if (entry.endsAtMs <= this.#options.nowMs()) return undefined
    this.#entries.set(subject, entry)
    return entry
  }

  #keep(subject: string, entry: Entry<V>): void {
    this.#entries.set(subject, entry)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.entriesMax) break
      this.#entries.delete(oldest)
    }
  }
}
