/**
 * Requests that wait for a worker, one queue per lane, handed out in turn: a busy space cannot starve the others
 * (DESIGN §2). A lane exists only while it holds something. How much waits in all is bounded by the admission.
 */
import { Fifo } from './fifo.ts'

export interface LaneItem {
  readonly lane: string
  /** What it adds to a batch. */
  readonly bytes: number
}

interface Lane<T> {
  readonly name: string
  readonly items: Fifo<T>
}

export class Lanes<T extends LaneItem> {
  readonly #byName = new Map<string, Lane<T>>()
  /** Lanes that hold something, the next one to be served first. */
  readonly #turns = new Fifo<Lane<T>>()
  #itemCount = 0

  get itemCount(): number {
    return this.#itemCount
  }

  get laneCount(): number {
    return this.#byName.size
  }

  push(item: T): void {
    this.#itemCount += 1
    const lane = this.#byName.get(item.lane)
    if (lane) {
      lane.items.push(item)
      return
    }
    const opened: Lane<T> = { name: item.lane, items: new Fifo() }
    opened.items.push(item)
    this.#byName.set(item.lane, opened)
    this.#turns.push(opened)
  }

  /**
   * One item of each lane in turn, until a limit is reached. An item larger than `bytesMax` travels alone; one that no
   * longer fits ends the batch and stays first, so that it is not overtaken for ever.
   */
  take(limits: { itemsMax: number; bytesMax: number }): T[] {
    const taken: T[] = []
    let takenBytes = 0
    while (taken.length < limits.itemsMax) {
      const lane = this.#turns.peek()
      const next = lane?.items.peek()
      if (!lane || !next) break
      if (taken.length > 0 && takenBytes + next.bytes > limits.bytesMax) break
      lane.items.shift()
      this.#turns.shift()
      if (lane.items.length > 0) this.#turns.push(lane)
      else this.#byName.delete(lane.name)
      taken.push(next)
      takenBytes += next.bytes
    }
    this.#itemCount -= taken.length
    return taken
  }
}
