/**
 * The contract of a maintenance thread, importable by main. It reads rows and files beside whoever writes them and
 * changes nothing: what it finds broken travels through main to the storage thread, which writes it down. Only
 * `verify` with `quarantine` writes itself, and only while it holds the lock of a node that does not run.
 */
import {
  type BlocksOptions,
  type Damage,
  type DatabaseOptions,
  type Fault,
} from '../storage/request.ts'

interface Places {
  readonly database: DatabaseOptions
  readonly blocks: BlocksOptions
}

/** workerData of the thread. */
export type MaintenanceOptions = VerifyOptions | ScrubOptions

/** Checks everything once, as fast as it can. */
export interface VerifyOptions extends Places {
  readonly task: 'verify'
  /** Replace what the quarantine says by what is found now; not possible while a node runs. */
  readonly quarantine: boolean
}

/** Checks everything but signatures once, at a bounded rate: one cycle, after which the thread ends. */
export interface ScrubOptions extends Places {
  readonly task: 'scrub'
  /** Bytes of rows and files that are read in a second. */
  readonly bytesPerS: number
}

export type MaintenanceEvent =
  /** How far a phase is; `total` may grow a little. */
  | {
      readonly kind: 'progress'
      readonly phase: VerifyPhase
      readonly done: number
      readonly total: number
    }
  /** Found by the scrub, for the quarantine. */
  | { readonly kind: 'damages'; readonly damages: readonly Damage[] }
  /** Where the scrub is, to be kept for its next start. */
  | { readonly kind: 'position'; readonly position: ScrubPosition }
  /** What the scrub has read in this cycle, and what it has found. */
  | { readonly kind: 'scrubbed'; readonly bytes: number; readonly problems: number }
  /** The cycle came to its end; it may have begun before the last start. Unix seconds. */
  | { readonly kind: 'cycle'; readonly startedAtS: number }
  /** The result of `verify`; the thread ends after it. */
  | { readonly kind: 'report'; readonly report: VerifyReport }
  /** It could not be done. The thread ends after it. */
  | { readonly kind: 'fault'; readonly fault: Fault }

export const VERIFY_PHASES = ['structure', 'history', 'keys', 'rights', 'packs', 'files'] as const
export type VerifyPhase = (typeof VERIFY_PHASES)[number]

export interface ScrubPosition {
  /** The blocks of rows up to this id were read in the cycle under way. */
  readonly afterNo: number
  /** Unix seconds. */
  readonly cycleStartedAtS: number
}

export interface CheckResult {
  readonly name: string
  /** What was compared with what. */
  readonly what: string
  readonly checked: number
  readonly problems: number
}

export interface VerifyReport {
  readonly checks: readonly CheckResult[]
  /** Everything that is wrong, exactly as many as there are. */
  readonly problems: number
  /** The first DAMAGES_LISTED_MAX of them. */
  readonly damages: readonly Damage[]
  /** Files that no row names: harmless, and removed by the node in time. */
  readonly reclaimable: { readonly files: number; readonly bytes: number }
  readonly stored: StoredTotals
  readonly unconfirmedSignatures: UnconfirmedSignatures
  /** A node was running beside. */
  readonly isServed: boolean
  /** The quarantine holds what was found. */
  readonly isQuarantined: boolean
  readonly elapsedMs: number
}

/** Signatures that only a network can confirm, by kind. It did when they came, and is not asked again. */
export interface UnconfirmedSignatures {
  readonly didWeb: number
  /** Of accounts that did not sign with a key: those of contracts (EIP-1271), on whatever chain. */
  readonly contractWallets: number
}

export interface StoredTotals {
  readonly spaces: number
  readonly keys: number
  readonly statements: number
  readonly packs: number
  readonly objects: number
  /** Bytes of the blocks that were read. */
  readonly readBytes: number
}

/** Damages that one report lists; more are only counted. */
export const DAMAGES_LISTED_MAX = 10_000

const POSITION_BYTES = 16

/** The form in which storage keeps it: two little-endian doubles. */
export function formatScrubPosition({ afterNo, cycleStartedAtS }: ScrubPosition): Uint8Array {
  const bytes = new Uint8Array(POSITION_BYTES)
  const view = new DataView(bytes.buffer)
  view.setFloat64(0, afterNo, true)
  view.setFloat64(8, cycleStartedAtS, true)
  return bytes
}

/** Undefined: what was kept is of no use, and the scrub begins anew. */
export function readScrubPosition(bytes: Uint8Array | undefined): ScrubPosition | undefined {
  if (bytes?.length !== POSITION_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const afterNo = view.getFloat64(0, true)
  const cycleStartedAtS = view.getFloat64(8, true)
  if (!Number.isSafeInteger(afterNo) || afterNo < 0 || !Number.isFinite(cycleStartedAtS))
    return undefined
  return { afterNo, cycleStartedAtS }
}
