/**
 * What was found broken: a table of rows and files that are not what was written. Nothing is removed for being in it;
 * reads of what it names are faults, and a verification of a stopped node may write it anew.
 */
import { type Damage } from '../storage/request.ts'
import { type MaybePromise } from './transactor.ts'

/** Rows of the table at most: a disk that fails as a whole must not fill itself with what is said about it. */
export const QUARANTINE_ROWS_MAX = 100_000

/** The writing side. Each method is a transaction of its own, and none runs while a group does. */
export interface Quarantine {
  /** Gives those that were not known. What is known keeps its first reason. */
  add(damages: readonly Damage[], foundAtS: number): MaybePromise<Damage[]>
  /** Forgets everything else: what is not among them was found sound. */
  replace(damages: readonly Damage[], foundAtS: number): MaybePromise<void>
  count(): MaybePromise<number>
  /** Keeps where the scrub is (maintenance/request.ts). */
  keepScrubPosition(position: Uint8Array): MaybePromise<void>
}
