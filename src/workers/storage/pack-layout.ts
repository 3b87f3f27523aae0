/** What a group appends to the active pack, laid out before it is written: the places are known from the lengths. */
import { type PackEntry } from '../blocks/packs/pack-index.ts'
import { type PackChange } from '../database/transactor.ts'

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
  /** What this and other packs gain or lose. */
  readonly changes: Map<number, PackChange> = new Map<number, PackChange>()
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

  /** The row of a version names the value and needs it. */
  claimValue(rowId: number, span: Span): void {
    this.entries.push({ rowId, ...span })
    this.#change(this.packNo, { liveBytes: span.lengthBytes, historyBytes: 0 })
  }

  /** The row of a statement names its record and needs it. */
  claimRecord(rowId: number, span: Span): void {
    this.entries.push({ rowId, ...span })
    this.#change(this.packNo, { liveBytes: span.lengthBytes, historyBytes: span.lengthBytes })
  }

  /** A version does not need its value in some pack any more. */
  releaseValue(packNo: number, lengthBytes: number): void {
    this.#change(packNo, { liveBytes: -lengthBytes, historyBytes: 0 })
  }

  #change(packNo: number, { liveBytes, historyBytes }: PackChange): void {
    const before = this.changes.get(packNo)
    this.changes.set(packNo, {
      liveBytes: (before?.liveBytes ?? 0) + liveBytes,
      historyBytes: (before?.historyBytes ?? 0) + historyBytes,
    })
  }
}
