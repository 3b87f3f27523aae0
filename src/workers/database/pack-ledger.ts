/**
 * What is live and what is dead, and where rows are moved so that the dead can go: the rows that compaction reads and
 * changes. Every method is a transaction of its own, and none runs while a group does.
 */
import { type PackEntry } from '../blocks/packs/pack-index.ts'
import { type MaybePromise } from './transactor.ts'

/** A sealed pack that may be written anew: any but one of history. */
export interface RewritablePack {
  readonly packNo: number
  readonly firstRowId: number
  readonly fileBytes: number
  readonly indexBytes: number
  readonly liveBytes: number
  /** Those of them that are records of statements. */
  readonly historyBytes: number
}

/** `value`: of a version that counts or is kept. `history`: the record of a statement, which is needed for good. */
export type NeededKind = 'value' | 'history'

/** A row whose stretch was copied to another pack. */
export interface MovedRow {
  readonly rowId: number
  readonly kind: NeededKind
  readonly lengthBytes: number
  readonly fromPackNo: number
  readonly fromOffset: number
  readonly toPackNo: number
  readonly toOffset: number
}

export interface DeadPack {
  readonly packNo: number
  readonly fileBytes: number
}

/** Bytes on disk, without headers and indexes. */
export interface BlockTotals {
  /** Values that rows need, in packs and in files of their own. */
  readonly packedValueBytes: number
  readonly objectBytes: number
  readonly historyBytes: number
  /** What no row needs in packs that may be written anew. */
  readonly deadPackedBytes: number
  /** Files that wait for their grace to end. */
  readonly waitingBytes: number
  /** Unix seconds since when the oldest of them waits; undefined: none does. */
  readonly oldestDeadAtS: number | undefined
}

export interface PackLedger {
  readTotals(): MaybePromise<BlockTotals>
  /** `dead`: those with the largest dead share first. `small`: the smallest first. */
  readRewritable(order: 'dead' | 'small', limit: number): MaybePromise<RewritablePack[]>
  /** Which rows need the stretches that the index of a pack gives them. Undefined: that row does not, or not there. */
  readNeeds(
    packNo: number,
    entries: readonly PackEntry[],
  ): MaybePromise<readonly (NeededKind | undefined)[]>
  /**
   * Lets rows name their new places, those that still need the old one. Gives the bytes that moved.
   * @throws {RunEnded} when the run was declared dead
   */
  moveRows(runNo: number, rows: readonly MovedRow[]): MaybePromise<number>
  /** Every sealed pack that no row needs is dead from now on. */
  buryPacks(deadAtS: number): MaybePromise<void>
  /** Packs that died before this time, oldest first. */
  readDeadPacks(deadBeforeS: number, limit: number): MaybePromise<DeadPack[]>
}
