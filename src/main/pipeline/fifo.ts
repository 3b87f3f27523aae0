/** A first-in first-out queue in one array: a shift costs the same at any length. */

/** Taken items are cut off once they are this many and at least half of the array. */
const TAKEN_ITEMS_KEPT_MAX = 64

export class Fifo<T> {
  readonly #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head >= TAKEN_ITEMS_KEPT_MAX && this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    return item
  }
}
