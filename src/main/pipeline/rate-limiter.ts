/**
 * A token bucket per client (PUBLIC-4, reference-behaviour §6.5): it fills at a steady rate, holds a burst, and a request
 * takes one token out. Buckets that are full again are forgotten, because an unknown client has a full one.
 *
 * What may be lost: everything, with the process. Limits hold per process.
 */

export interface RateLimits {
  readonly perMinute: number
  /** Beyond what comes in a second. */
  readonly burst: number
}

/** Clients that are remembered, some 10 MB of them. With more, those that were not seen for longest start afresh. */
export const RATE_CLIENTS_MAX = 65_536

/** Buckets that one request looks at to forget them: more than it adds, so that old ones do not pile up. */
const FORGOTTEN_MAX = 2

interface Bucket {
  readonly tokens: number
  readonly filledAtMs: number
}

export class RateLimiter {
  readonly #perMs: number
  readonly #capacity: number
  readonly #clientsMax: number
  readonly #nowMs: () => number
  /** Those seen last at the end. */
  readonly #buckets = new Map<string, Bucket>()

  /** @param nowMs of a clock that never steps back */
  constructor(limits: RateLimits, nowMs: () => number, clientsMax: number = RATE_CLIENTS_MAX) {
    this.#perMs = limits.perMinute / 60_000
    this.#capacity = Math.max(1, limits.burst + limits.perMinute / 60)
    this.#clientsMax = clientsMax
    this.#nowMs = nowMs
  }

  get clientCount(): number {
    return this.#buckets.size
  }

  /** Takes a token. Undefined: done; else whole seconds until there is one. */
  take(client: string): number | undefined {
    const nowMs = this.#nowMs()
    const bucket = this.#buckets.get(client) ?? { tokens: this.#capacity, filledAtMs: nowMs }
    const tokens = this.#tokensOf(bucket, nowMs)
    const isAllowed = tokens >= 1
    // A refusal leaves the bucket as it is, so that many of them add no rounding.
    this.#keep(client, isAllowed ? { tokens: tokens - 1, filledAtMs: nowMs } : bucket)
    this.#forget(nowMs)
    return isAllowed ? undefined : Math.ceil((1 - tokens) / this.#perMs / 1000)
  }

  #tokensOf({ tokens, filledAtMs }: Bucket, nowMs: number): number {
    return Math.min(this.#capacity, tokens + (nowMs - filledAtMs) * this.#perMs)
  }

  #keep(client: string, bucket: Bucket): void {
    this.#buckets.delete(client)
    this.#buckets.set(client, bucket)
  }

  #forget(nowMs: number): void {
    let looks = FORGOTTEN_MAX
    for (const [client, bucket] of this.#buckets) {
      const isOver = this.#buckets.size > this.#clientsMax
      if (looks === 0 || !(isOver || this.#tokensOf(bucket, nowMs) >= this.#capacity)) return
      this.#buckets.delete(client)
      looks -= 1
    }
  }
}
