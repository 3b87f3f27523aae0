/**
 * What the storage actor is asked to do, and how it answers: the typed contract of its thread, importable by main and
 * compute. Commands come from compute, verified and proven against immutable facts; whatever can still change
 * (revocation, replay, precondition, hosting) is decided by the actor inside its transaction.
 *
 * Commands travel packed: compute writes them into a buffer that main transfers unread (storage/command-codec.ts).
 * Replies travel packed too; their codec is below, because main reads them.
 */
import {
  type Answer,
  type Failure,
  readAnswer,
  readFailure,
  writeAnswer,
  writeFailure,
} from '../../protocol/answer.ts'
import { type ChainLink, type DelegationFacts } from '../../protocol/authority.ts'
import { PackedReader, type PackedWriter } from '../../protocol/packed.ts'

/** A stored delegation that a command relies on. The actor refuses the command when a link of it is revoked. */
export type ReliedDelegation = Pick<
  DelegationFacts,
  'closure' | 'effectiveNotBeforeS' | 'effectiveExpiresAtS'
>

interface CommandBase {
  /** Given by main, unique while in flight; comes back with the reply. */
  readonly requestId: number
  readonly statementId: Uint8Array
  /** BLAKE3 digest of the token: its CID. */
  readonly digest: Uint8Array
}

export type Precondition =
  | { readonly kind: 'none' }
  /** `If-None-Match: *`: the key must not be live. */
  | { readonly kind: 'absent' }
  /** `If-Match`: the key must be live with this value. */
  | { readonly kind: 'matches'; readonly digest: Uint8Array }

export type Operation = {
  /** Index into `spaces` of the command. */
  readonly spaceIndex: number
  readonly key: Uint8Array
  /** BLAKE3 digest of the operation block (CID codec dag-cbor), and its CAR section. */
  readonly operationDigest: Uint8Array
  readonly operationSection: Uint8Array
} & (
  | { readonly kind: 'delete' }
  | {
      readonly kind: 'put'
      readonly digest: Uint8Array
      readonly valueBytes: number
      /** JSON array of [name, value] pairs sorted by name. */
      readonly headers: string
      readonly value:
        | { readonly kind: 'packed'; readonly section: Uint8Array }
        | { readonly kind: 'staged'; readonly stagingNo: number; readonly segments: Uint8Array }
    }
)

/** An authorised invocation with at least one put or delete; all of its operations or none. */
export interface MutateCommand extends CommandBase {
  readonly kind: 'mutate'
  /** The signed `exp`: keys the replay row. */
  readonly expiresAtS: number
  readonly relies: readonly ReliedDelegation[]
  /** Detail of UNAUTHORIZED_ACTION should the window of a relied delegation have closed meanwhile. */
  readonly action: string
  /** Every space that the invocation names; each must be hosted. */
  readonly spaces: readonly string[]
  readonly precondition: Precondition
  /** What the answer tells: the ETag of the one value that it is about, or the keys of a batch put. */
  readonly report: 'etag' | 'keys'
  readonly operations: readonly Operation[]
  /** CAR section of the token. */
  readonly tokenSection: Uint8Array
}

/** A verified delegation that compute did not find stored. */
export interface DelegateCommand
  extends
    CommandBase,
    Pick<
      DelegationFacts,
      | 'delegator'
      | 'delegatee'
      | 'notBeforeS'
      | 'expiresAtS'
      | 'issuedAtS'
      | 'effectiveNotBeforeS'
      | 'effectiveExpiresAtS'
      | 'isTerminal'
      | 'parents'
    > {
  readonly kind: 'delegate'
  readonly encoding: 'ucan' | 'cacao'
  /** Canonical DAG-CBOR of the capabilities (protocol/capabilities.ts). */
  readonly capabilities: Uint8Array
  /** Parents whose rights it passes on; closures include them. */
  readonly relies: readonly ReliedDelegation[]
  /** Accounts in whose name it is given, sorted (protocol/account.ts). */
  readonly accounts: readonly string[]
  /** Every space that it names, sorted. */
  readonly spaces: readonly string[]
  /** Those that it hosts: `space/host` on exactly `<space>/space`, audience this node's host DID for it. */
  readonly hosts: readonly string[]
  readonly tokenSection: Uint8Array
}

/** Another spelling of a stored delegation: its CID becomes an alias. */
export interface AliasCommand extends CommandBase {
  readonly kind: 'alias'
  readonly spaces: readonly string[]
}

export interface RevokeCommand extends CommandBase {
  readonly kind: 'revoke'
  readonly encoding: 'ucan' | 'cacao'
  readonly revoker: string
  readonly target: ChainLink
  /** The CID text to answer with: the target in base32, with the codec of the request. */
  readonly targetCid: string
  /** The control proof, if the right to revoke comes from one. */
  readonly relies: readonly ReliedDelegation[]
  /** Spaces that the target names; each hosted one gets the event. */
  readonly spaces: readonly string[]
  readonly tokenSection: Uint8Array
}

/** A proven request for a signed URL. It is no event of the space, and it may be asked again. */
export interface SignCommand extends CommandBase {
  readonly kind: 'sign'
  /** Names the row: a keyed hash of `ticket`. 32 bytes. */
  readonly ticketId: Uint8Array
  /** What the URL carries. The actor only answers with it. */
  readonly ticket: string
  readonly signer: string
  /** Every cited proof: the URL ends with any of them. */
  readonly relies: readonly ReliedDelegation[]
  /** Detail of UNAUTHORIZED_ACTION should the window of a relied delegation have closed meanwhile. */
  readonly action: string
  /** Every space that the invocation names; each must be hosted. */
  readonly spaces: readonly string[]
  /** Index into `spaces`. */
  readonly spaceIndex: number
  readonly key: Uint8Array
  /** The one value that the URL gives. */
  readonly valueDigest: Uint8Array
  /** Unix seconds, whole, no later than the end of any relied delegation. */
  readonly expiresAtS: number
}

export type StorageCommand =
  | MutateCommand
  | DelegateCommand
  | AliasCommand
  | RevokeCommand
  | SignCommand

export type StorageReply = { readonly requestId: number } & (
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly failure: Failure }
)

/** A reason why the node cannot start or go on: what, why, what to do. Never a secret. */
export interface Fault {
  readonly what: string
  readonly why: string
  readonly remedy: string
}

/** Thrown before the port opens. Its text is for the person at the terminal and never holds a secret. */
export class StartFault extends Error {
  override readonly name = 'StartFault'
  readonly fault: Fault

  constructor(fault: Fault, options?: ErrorOptions) {
    super(`${fault.what}: ${fault.why}`, options)
    this.fault = fault
  }
}

/** Tables whose rows can be damaged, and files. */
export type DamageKind =
  | 'account_delegation'
  | 'database'
  | 'delegation'
  | 'delegation_cid'
  | 'epoch'
  | 'event'
  | 'kv_current'
  | 'kv_kept'
  | 'kv_version'
  | 'pack'
  | 'revocation'
  | 'run'
  | 'signed_kv_ticket'
  | 'space'
  | 'statement'

/** Something stored that is not what was written. */
export interface Damage {
  readonly kind: DamageKind
  /** The row's id, or its key, as text. */
  readonly rowId: string
  /** For the log and reports. Never a token or a value. */
  readonly reason: string
}

/** Everything the storage thread needs to start. */
export interface StorageOptions {
  readonly database: DatabaseOptions
  readonly blocks: BlocksOptions
  /** Fingerprint of the node secret; the database keeps it, another one is a start-up fault. 32 bytes. */
  readonly secretFingerprint: Uint8Array
  readonly invocationLifetimeS: number
  readonly spaceLimits: SpaceLimits
  readonly keepRule: KeepRule
  /** Bytes of the disk that stay free; 0: none. */
  readonly reserveBytes: number
}

/** Bytes per space; Infinity: no limit. */
export interface SpaceLimits {
  /** Of the values that count (`storage.limit`). */
  readonly liveBytes: number
  /** The same of a space that anyone may read (`public_spaces.storage_limit`). */
  readonly publicLiveBytes: number
  /**
   * Of its history (`storage.history_limit`): the signed statements, the epochs, and the replaced values that are kept.
   */
  readonly historyBytes: number
}

/** How long replaced values stay readable (`storage.history`). */
export type KeepRule =
  | { readonly kind: 'none' }
  /** So many of each key, beside the one that counts. */
  | { readonly kind: 'versions'; readonly versions: number }
  | { readonly kind: 'time'; readonly seconds: number }

/** Directories exist and paths are absolute by the time they get here. */
export interface DatabaseOptions {
  readonly type: 'sqlite'
  readonly path: string
}

export interface BlocksOptions {
  readonly type: 'local'
  readonly path: string
}

/** What compute workers need to know of the run that storage has begun. */
export interface RunInfo {
  readonly runNo: number
  readonly runId: string
}

/** What lies on the disk, as it was when last counted: seconds ago. */
export interface BlockCounters {
  /** Values that count. */
  readonly liveBytes: number
  /** Values that no row needs any more, and files that wait to be removed. */
  readonly deadBytes: number
  /** Tokens and operations. */
  readonly historyBytes: number
  /** Of the files removed since the start. */
  readonly reclaimedBytes: number
  /** How long the oldest dead file has been waiting; 0: none is. */
  readonly oldestGarbageS: number
}

export interface StorageCounters extends BlockCounters {
  readonly groups: number
  readonly commands: number
  readonly packBytes: number
  readonly syncs: number
  readonly checkpoints: number
  /** Rows and files that are known to be broken. */
  readonly quarantined: number
  /** On the disk, when it was last looked at. */
  readonly freeBytes: number
  readonly mailboxItems: number
}

export type StorageMessage =
  | { readonly kind: 'commands'; readonly batch: ArrayBuffer }
  /** `write`: a real empty group is committed and synced, not only a read. */
  | { readonly kind: 'probe'; readonly probeId: number; readonly write: boolean }
  | { readonly kind: 'counters' }
  /** Write down what was found broken. Nothing answers. */
  | { readonly kind: 'quarantine'; readonly damages: readonly Damage[] }
  /** Keep where the scrub is. Nothing answers. */
  | { readonly kind: 'scrub-position'; readonly position: Uint8Array }
  /** Commit what waits, checkpoint, end the run, release the lock, exit. */
  | { readonly kind: 'close' }

/** Free space of the disk. `low`: less than is to be kept, puts are refused. `spent`: delegations as well. */
export type RoomLevel = 'enough' | 'low' | 'spent'

export type StorageEvent =
  | { readonly kind: 'ready'; readonly run: RunInfo }
  /** It could not start. The thread exits after it. */
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'replies'; readonly batch: ArrayBuffer }
  | { readonly kind: 'probed'; readonly probeId: number; readonly failure: Failure | undefined }
  | { readonly kind: 'counters'; readonly counters: StorageCounters }
  /** A write or sync failed in a way that cannot be retried: writes are refused with 503 from now on. */
  | { readonly kind: 'unwritable'; readonly reason: string }
  /** The disk has come to another level. */
  | { readonly kind: 'room'; readonly level: RoomLevel; readonly freeBytes: number }
  /** A log line; main owns the logger. */
  | {
      readonly kind: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly event: string
      readonly fields: Readonly<Record<string, string | number | boolean>>
    }
  | { readonly kind: 'closed' }

/** Appends one reply. */
export function writeReply(writer: PackedWriter, reply: StorageReply): void {
  writer.u32(reply.requestId).u8(reply.kind === 'answer' ? 0 : 1)
  if (reply.kind === 'answer') writeAnswer(writer, reply.answer)
  else writeFailure(writer, reply.failure)
}

/** Borrowed: the body is a view into the batch. */
export function readReply(reader: PackedReader): StorageReply {
  const requestId = reader.u32()
  if (reader.u8() === 0) return { requestId, kind: 'answer', answer: readAnswer(reader) }
  return { requestId, kind: 'failure', failure: readFailure(reader) }
}

/** Every reply of a batch, in the order written. */
export function readReplies(batch: ArrayBuffer): StorageReply[] {
  const reader = new PackedReader(batch)
  const replies: StorageReply[] = []
  while (!reader.isDone) replies.push(readReply(reader))
  return replies
}
