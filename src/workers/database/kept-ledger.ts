/**
 * Lets go of kept versions in the background: the rows that the sweep reads and removes. Every method is a transaction of
 * its own, and none runs while a group does. With a row goes what it kept: the bytes of its value are dead from then on, and
 * no history of its space any more.
 */
import { type VersionId } from '../../protocol/version-id.ts'
import { type MaybePromise } from './transactor.ts'

/** Where a walk over the keys, from the last one to the first, has come to. */
export interface KeptPosition extends VersionId {
  readonly spaceNo: number
  readonly key: Uint8Array
  /** Position of the newest kept version of this key. */
  readonly newestPosition: number
}

/** What one step of such a walk did. */
export interface KeptWalk {
  /** Where it goes on; undefined: it is over. */
  readonly next: KeptPosition | undefined
  readonly letGo: number
}

/** What a step is allowed, and where it stands. */
export interface LetGoStep {
  /** The run whose transaction it is. */
  readonly runNo: number
  readonly nowS: number
  /** Rows that it looks at. */
  readonly rowsMax: number
}

export interface KeptLedger {
  /**
   * Lets go of versions that were replaced at or before this time, the oldest first. Gives how many went.
   * @throws {RunEnded} when the run was declared dead
   */
  letGoUntil(replacedAtS: number, step: LetGoStep): MaybePromise<number>
  /**
   * Lets go of what is not among the newest `versions` of its key, from where a walk has come to.
   * @throws {RunEnded} when the run was declared dead
   */
  letGoBeyond(
    versions: number,
    after: KeptPosition | undefined,
    step: LetGoStep,
  ): MaybePromise<KeptWalk>
  /** The rule, as text, that everything stored is known to keep to; undefined: none. */
  readSettledRule(): MaybePromise<string | undefined>
  /** Undefined: nothing is known from now on. */
  writeSettledRule(rule: string | undefined): MaybePromise<void>
}
