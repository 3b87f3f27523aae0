/**
 * Runs and their files as rows: who writes, how far each pack is committed, what waits to be removed. Every method is a
 * transaction of its own, and none runs while a group does.
 */
import { type SealedPack } from '../blocks/packs/pack-file.ts'
import { type PackEntry } from '../blocks/packs/pack-index.ts'
import { type PackRow, type RunRow } from './rows.ts'
import { type MaybePromise } from './transactor.ts'

export interface PackLength {
  readonly packNo: number
  /** Committed length. */
  readonly fileBytes: number
}

export interface DeadObject {
  readonly objectNo: number
  readonly valueBytes: number
}

export interface RunLedger {
  /** The fingerprint that this database keeps: the given one, if it had none. */
  claimSecret(fingerprint: Uint8Array): MaybePromise<Uint8Array>
  /** Begins a run and gives its number, the next one. */
  beginRun(runId: string, startedAtS: number): MaybePromise<number>
  /** Runs whose files were not put in order: what a crash left, oldest first. */
  readUncleanRuns(): MaybePromise<RunRow[]>
  /** From here on nothing that the run does can commit. An end that is written already stays. */
  endRun(runNo: number, endedAtS: number): MaybePromise<void>
  markRunClean(runNo: number, cleanedAtS: number): MaybePromise<void>
  /**
   * A pack exists as a row before it exists as a file. `previous` gets no more groups from here on.
   * @throws {RunEnded} when its run was declared dead
   */
  addPack(pack: PackRow, previous: PackLength | undefined): MaybePromise<void>
  sealPack(packNo: number, sealed: SealedPack): MaybePromise<void>
  /**
   * As `sealPack`, of a pack that the run itself has written. `seal` works inside the transaction: whoever ends the run
   * and seals its packs waits for it, and afterwards it is not called any more.
   * @throws {RunEnded} when the run was declared dead
   */
  sealOwnPack(runNo: number, packNo: number, seal: () => SealedPack): MaybePromise<void>
  /** Its file is gone. */
  deletePack(packNo: number): MaybePromise<void>
  /** Packs of a run that have no index yet. */
  readOpenPacks(runNo: number): MaybePromise<PackRow[]>
  /** What the index of a pack says, from the rows at and after its first one, in the order of the file. */
  readPackEntries(pack: PackRow): Iterable<PackEntry>
  /** Objects dropped before this time, oldest first. */
  readDeadObjects(deadBeforeS: number, limit: number): MaybePromise<DeadObject[]>
  /** Their files are gone. */
  deleteObjects(objectNos: readonly number[]): MaybePromise<void>
}
