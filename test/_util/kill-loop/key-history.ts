/**
 * What a key may hold after a crash, from what its writers saw.
 *
 * A write may be the last one unless another was sent after it had been answered, and was answered too. A write that
 * was never answered may have happened or not, but only before the crash: what is read after it holds from then on.
 */

/** SHA-256 of a value in hex; null: no value. */
export type Content = string | null

export interface Write {
  readonly content: Content
  /** Both are ticks of one clock; never answered is Infinity. */
  readonly sentAt: number
  answeredAt: number
}

export class KeyHistory {
  #writes: Write[] = [{ content: null, sentAt: 0, answeredAt: 0 }]
  /** A value was acknowledged or seen once; a delete then never finds a key that was never written. */
  wasWritten = false

  send(content: Content, sentAt: number): Write {
    const write = { content, sentAt, answeredAt: Infinity }
    this.#writes.push(write)
    return write
  }

  acknowledge(write: Write, answeredAt: number): void {
    write.answeredAt = answeredAt
    if (write.content !== null) this.wasWritten = true
    // What is superseded now stays so; without it a key that is written often would be slow to check.
    this.#writes = this.#writes.filter(
      (other) => other.answeredAt === Infinity || !(other.answeredAt < write.sentAt),
    )
  }

  /** The write was refused: it did not happen. */
  refuse(write: Write): void {
    this.#writes = this.#writes.filter((other) => other !== write)
  }

  /** Every content that the key may hold now. */
  possible(): Content[] {
    const lastSentAt = Math.max(
      ...this.#writes.filter(({ answeredAt }) => answeredAt < Infinity).map(({ sentAt }) => sentAt),
    )
    return this.#writes
      .filter(({ answeredAt }) => answeredAt === Infinity || answeredAt >= lastSentAt)
      .map(({ content }) => content)
  }

  /** After a crash: what was read is what happened. */
  settle(content: Content, at: number): void {
    this.#writes = [{ content, sentAt: at, answeredAt: at }]
    if (content !== null) this.wasWritten = true
  }
}
