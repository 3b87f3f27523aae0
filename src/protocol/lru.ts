/** A map that keeps the entries used last. For immutable facts only: nothing here ever expires (DESIGN §2). */
export class LruMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #entriesMax: number

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#entriesMax) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
    this.#entries.set(key, value)
  }
}

/**
 * An ASCII text in memory of its own, for keys and values that stay.
 *
 * V8 cuts a text without copying it: a slice keeps the whole text alive, so that one cached word of a token would keep
 * the token's 512 KiB.
 */
export const ownText = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
