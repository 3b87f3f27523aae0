/** What a group appends to the active pack, laid out before it is written: the places are known from the lengths. */
import { type PackEntry } from '../blocks/packs/pack-index.ts'

/** A stretch of the pack: one section, or the sections of a record. */
export interface Span {
  readonly offset: number
  readonly lengthBytes: number
}

export class PackLayout {
  readonly packNo: number
  /** In the order of the file. Borrowed from the commands. */
  readonly sections: Uint8Array[] = []
  /** What the index of the pack will say of the sections. */
  readonly entries: PackEntry[] = []
  /** Live bytes that this and other packs gain or lose. */
  readonly liveBytes: Map<number, number> = new Map<number, number>()
  readonly #startOffset: number
  #lengthBytes = 0

  /** `startOffset`: the committed length of the pack. */
  constructor(packNo: number, startOffset: number) {
    this.packNo = packNo
    this.#startOffset = startOffset
  }

  /** Of all sections together. */
  get lengthBytes(): number {
    return this.#lengthBytes
  }

  place(section: Uint8Array): Span {
    const span = {
      offset: this.#startOffset + this.#lengthBytes,
      lengthBytes: section.length,
    }
    this.sections.push(section)
    this.#lengthBytes += section.length
    return span
  }

  /** Sections that are moved together, in one stretch. */
  placeRecord(first: Uint8Array, rest: readonly Uint8Array[]): Span {
    const { offset } = this.place(first)
    for (const section of rest) this.place(section)
    return { offset, lengthBytes: this.#startOffset + this.#lengthBytes - offset }
  }

  /** A row names the stretch and needs it. */
  claim(rowId: number, span: Span): void {
    this.entries.push({ rowId, ...span })
    this.#addLiveBytes(this.packNo, span.lengthBytes)
  }

  /** A row of some pack does not need its stretch any more. */
  release(packNo: number, lengthBytes: number): void {
    this.#addLiveBytes(packNo, -lengthBytes)
  }

  #addLiveBytes(packNo: number, bytes: number): void {
    this.liveBytes.set(packNo, (this.liveBytes.get(packNo) ?? 0) + bytes)
  }
}
