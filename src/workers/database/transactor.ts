/**
 * The seam between the storage actor and a database engine: whole steps of a group, not statements (DESIGN §5).
 * SQLite runs each step in one synchronous stretch; a server engine takes few round trips. Nothing above this file
 * knows which.
 */
import { type ChainLink } from '../../protocol/authority.ts'
import {
  type EpochRow,
  type EventRow,
  type ObjectRow,
  type ReplayRow,
  type SpaceRow,
  type StatementRow,
} from './rows.ts'
import { type AccountDelegationRow } from './tables/account-delegation.ts'
import { type DelegationRow } from './tables/delegation.ts'
import { type KeptRow } from './tables/kept.ts'
import { type CurrentRow, type VersionRow } from './tables/kv.ts'
import { type RevocationRow } from './tables/revocation.ts'
import { type SignedTicketRow } from './tables/signed-ticket.ts'

/** Everything that deciding a group needs to know. Without repetitions. */
export interface GroupQuestions {
  readonly spaces: readonly string[]
  readonly keys: readonly { readonly spaceIndex: number; readonly key: Uint8Array }[]
  readonly replays: readonly ReplayRow[]
  /** Statement ids of delegations: is it stored? */
  readonly delegations: readonly Uint8Array[]
  /** Is it revoked? */
  readonly links: readonly ChainLink[]
  /** Indexes of spaces: how many tickets do they have? Undefined: nobody asks. */
  readonly tickets?: readonly number[] | undefined
  /** What to tell of the kept versions of each of `keys`; undefined: none are kept, and nothing is looked up. */
  readonly kept?: readonly KeptQuestion[]
}

/** The answers, each list in the order of its question. */
export interface GroupFacts {
  readonly spaces: readonly (SpaceRow | undefined)[]
  readonly keys: readonly (KeyVersion | undefined)[]
  readonly replays: readonly boolean[]
  /** Row ids. */
  readonly delegations: readonly (number | undefined)[]
  readonly links: readonly boolean[]
  /** Replay rows at or below this expiry are gone: such an invocation is expired whatever the clock says. */
  readonly replayBoundS: number
  /** In the order of `keys`; undefined: not asked. */
  readonly tickets?: readonly number[] | undefined
  readonly kept?: readonly KeptFacts[] | undefined
}

/** Which of the oldest kept versions of a key may have to go. */
export interface KeptQuestion {
  /** Those whose position is at most the last one plus this number, which is mostly negative. */
  readonly goneBelow: number
  /** So many of them; 0: none is wanted. */
  readonly oldestMax: number
}

export interface KeptFacts {
  /** Of the newest; -1: none is kept. */
  readonly lastPosition: number
  /** The oldest first. */
  readonly oldest: readonly KeptVersion[]
}

/** What letting go of a kept version takes. */
export type KeptVersion = Pick<KeptRow, 'replacedByNo' | 'position' | 'valueBytes' | 'objectNo'> &
  Pick<VersionRow, 'packNo' | 'packLength'>

/** Rows of `kv_kept` that a group adds and removes. */
export interface KeptChanges {
  readonly added: readonly KeptRow[]
  /** By the number of the version that replaced it. */
  readonly gone: readonly number[]
}

/** What a change to a key needs of the version that counts now. */
export type KeyVersion = Pick<
  VersionRow,
  | 'versionNo'
  | 'seq'
  | 'epochSeq'
  | 'isDeleted'
  | 'digest'
  | 'valueBytes'
  | 'packNo'
  | 'packLength'
  | 'objectNo'
>

/** The row of `kv_current` that a group leaves behind, and which one it found. */
export interface CurrentChange {
  readonly row: CurrentRow
  readonly found: 'none' | 'live' | 'deleted'
}

/** The rows of one group. */
export interface GroupChanges {
  readonly run: RunProgress
  readonly newSpaces: readonly SpaceRow[]
  readonly changedSpaces: readonly SpaceRow[]
  readonly statements: readonly StatementRow[]
  readonly epochs: readonly EpochRow[]
  readonly events: readonly EventRow[]
  readonly versions: readonly VersionRow[]
  readonly currents: readonly CurrentChange[]
  readonly objects: readonly ObjectRow[]
  readonly deadObjects: readonly number[]
  readonly deadAtS: number
  /** Undefined: none are kept. */
  readonly kept?: KeptChanges | undefined
  readonly delegations: readonly DelegationRow[]
  readonly delegationCids: readonly { readonly digest: Uint8Array; readonly delegationNo: number }[]
  readonly delegationSpaces: readonly {
    readonly spaceNo: number
    readonly delegationNo: number
    readonly eventNo: number | null
  }[]
  readonly accountDelegations: readonly AccountDelegationRow[]
  readonly revocations: readonly RevocationRow[]
  readonly replays: readonly ReplayRow[]
  readonly tickets: readonly SignedTicketRow[]
  /** By pack. */
  readonly packs: ReadonlyMap<number, PackChange>
  /** Undefined: it is not time. */
  readonly purge: Purge | undefined
}

/** Bytes that a pack gains or loses. */
export interface PackChange {
  readonly liveBytes: number
  /** Those of them that are records of statements. */
  readonly historyBytes: number
}

/** Rows up to these expiries may go. */
export interface Purge {
  readonly replaysToS: number
  readonly ticketsToS: number
}

/** What every group writes to the row of its run. */
export interface RunProgress {
  readonly runNo: number
  readonly groupNo: number
  readonly packNo: number
  readonly packBytes: number
  readonly objectMark: number
}

/** SQLite answers at once, a server engine later. */
export type MaybePromise<T> = T | Promise<T>

/**
 * The writing connection. One group at a time: `begin`, `load`, `apply`, `commit`, or `rollback` at any point.
 * Methods throw what their engine throws; storage/fault-kind.ts says what that means.
 */
export interface Transactor {
  /**
   * From here to the end of the transaction nobody can end the run, so nobody seals or removes files that it writes.
   * @throws {RunEnded} when the run was declared dead before
   */
  begin(runNo: number): MaybePromise<void>
  load(questions: GroupQuestions): MaybePromise<GroupFacts>
  /** @throws {RunEnded} when the run was declared dead */
  apply(changes: GroupChanges): MaybePromise<void>
  commit(): MaybePromise<void>
  /** Safe at any time. */
  rollback(): MaybePromise<void>
  /** On a new connection: the number of the last group that this run has committed. */
  readCommittedGroup(runNo: number): MaybePromise<number>
  logState(): MaybePromise<LogState>
  checkpoint(mode: CheckpointMode): MaybePromise<LogState>
  close(): MaybePromise<void>
}

export type CheckpointMode = 'PASSIVE' | 'RESTART' | 'TRUNCATE'

/** The write-ahead log, where an engine has one of ours to look after. */
export interface LogState {
  /** Readers were in the way: not an error, there is a next time. */
  readonly isBusy: boolean
  readonly logPages: number
  /** Those that the database file already has. */
  readonly checkpointedPages: number
}

/** Somebody else declared this run dead: nothing that it does can commit any more. */
export class RunEnded extends Error {
  override readonly name = 'RunEnded'
  readonly code = 'RUN_ENDED'
}
