/**
 * Reads for whoever checks what is stored: everything, page by page, in the order of row ids. Each method answers from a
 * short snapshot of its own, so that no check ever holds up a checkpoint; nothing is verified here, and rows come as
 * they lie. Rows that append up to `Baseline.lastRowId` never change afterwards, but for the place of their bytes.
 */
import {
  type EpochRow,
  type EventRow,
  type RunRow,
  type SpaceRow,
  type StatementRow,
} from './rows.ts'
import { type AccountDelegationRow } from './tables/account-delegation.ts'
import { type DelegationRow } from './tables/delegation.ts'
import { type KeptRow } from './tables/kept.ts'
import { type CurrentRow, type VersionRow } from './tables/kv.ts'
import { type RevocationRow } from './tables/revocation.ts'
import { type SignedTicketRow } from './tables/signed-ticket.ts'
import { type MaybePromise } from './transactor.ts'

/** The state of everything that changes, and the end of everything that appends, at one moment. */
export interface Baseline {
  /** The highest id in any table that appends; 0: nothing is stored. */
  readonly lastRowId: number
  readonly runs: readonly RunRow[]
  readonly packs: readonly InspectedPack[]
  readonly spaces: readonly SpaceRow[]
  /** Objects that are not dropped. */
  readonly liveObjects: number
  /** Those of them that only kept versions need. */
  readonly keptObjects: number
  /** Bytes of kept values, by the number of their space; a space without any is not named. */
  readonly keptBytes: ReadonlyMap<number, number>
  readonly statements: number
  /** Keys, deleted ones included. */
  readonly keys: number
  /** Rows that tie a delegation to a space. */
  readonly delegationSpaces: number
  /** Rows of the lists of accounts. */
  readonly accountDelegations: number
}

export interface InspectedPack {
  readonly packNo: number
  readonly runNo: number
  /** Any text, where the row is damaged. */
  readonly state: string
  readonly kind: string
  readonly firstRowId: number
  readonly fileBytes: number
  readonly indexBytes: number
  readonly liveBytes: number
  readonly historyBytes: number
}

/** A row with the checksum that it carries, which the caller compares. */
export interface Checked<Row> {
  readonly row: Row
  readonly crc: number
}

/** All rows of the tables that append with an id after one bound and up to `endNo`, each table in the order of ids. */
export interface RowWindow {
  readonly endNo: number
  readonly statements: readonly StatementRow[]
  readonly epochs: readonly EpochRow[]
  readonly events: readonly EventRow[]
  readonly versions: readonly InspectedVersion[]
  readonly delegations: readonly Checked<DelegationRow>[]
}

/** A version with what it names, from the same snapshot. */
export interface InspectedVersion extends Checked<VersionRow> {
  /** Undefined: it names none, or the row is missing. */
  readonly previous: PreviousVersion | undefined
  /** The version that `kv_current` names for the key, among live keys and among deleted ones. */
  readonly currentNo: { readonly live: number | undefined; readonly deleted: number | undefined }
  /** It counts no more and is kept. */
  readonly isKept: boolean
  /** The version before it is kept. */
  readonly keepsPrevious: boolean
  /** Undefined: it names none, or the row is missing. */
  readonly object: InspectedObject | undefined
}

export type PreviousVersion = Pick<
  VersionRow,
  'spaceNo' | 'key' | 'isDeleted' | 'digest' | 'valueBytes' | 'packNo' | 'packLength' | 'objectNo'
>

export interface InspectedObject {
  readonly valueBytes: number
  readonly segments: Uint8Array
  readonly deadSinceS: number | null
}

/** A row of `kv_current` with the version that it names. */
export interface InspectedCurrent extends Checked<CurrentRow> {
  readonly version: Pick<VersionRow, 'spaceNo' | 'key' | 'isDeleted' | 'seq'> | undefined
}

/** A kept version with what it names. */
export interface InspectedKept extends Checked<KeptRow> {
  /** Undefined: there is no such version. */
  readonly version:
    | Pick<
        VersionRow,
        'spaceNo' | 'key' | 'seq' | 'epochSeq' | 'isDeleted' | 'valueBytes' | 'objectNo'
      >
    | undefined
  /** The version that the one that replaced it names as its predecessor; undefined: there is none. */
  readonly predecessorNo: number | undefined
}

export interface InspectedRevocation extends Checked<RevocationRow> {
  readonly statement: StatementRow | undefined
}

/** One CID of a delegation. */
export interface InspectedAlias {
  readonly digest: Uint8Array
  readonly delegationNo: number
  /** Digest of the spelling that was stored; null: there is no such delegation. */
  readonly firstDigest: Uint8Array | null
}

/** A space that a delegation names. */
export interface NamedSpace {
  /** Null where the space was not hosted when the delegation came. */
  readonly eventNo: number | null
}

/** Where the bytes of a statement or of a version lie now. */
export interface RowPlace {
  readonly packNo: number | null
  readonly packOffset: number | null
  readonly packLength: number | null
}

/** The tickets of a space, as they are counted and as they are there. */
export interface TicketCount {
  readonly spaceNo: number
  readonly counted: number
  readonly there: number
}

/** What the rows say that a pack holds, and what its own row says, in one snapshot. */
export interface PackTotal {
  readonly pack: InspectedPack | undefined
  readonly rows: number
  readonly liveBytes: number
  readonly historyBytes: number
}

export interface DatabaseInspector {
  readBaseline(): MaybePromise<Baseline>
  /** At least the rows of one statement after `afterNo`, and none beyond `lastNo`. */
  readWindow(afterNo: number, lastNo: number): MaybePromise<RowWindow>
  /** A version as it is now; undefined: it is gone. */
  readVersion(versionNo: number): MaybePromise<InspectedVersion | undefined>
  readStatement(statementNo: number): MaybePromise<StatementRow | undefined>
  /** In the order of the primary key. */
  readCurrents(after: CurrentRow | undefined): MaybePromise<InspectedCurrent[]>
  /** In the order of the versions that replaced them. */
  readKept(afterNo: number | undefined): MaybePromise<InspectedKept[]>
  /** In the order of the target's statement id. */
  readRevocations(after: Uint8Array | undefined): MaybePromise<InspectedRevocation[]>
  /** The first spaces that do not have as many tickets as are counted for them, from one snapshot. */
  readMiscountedTickets(): MaybePromise<TicketCount[]>
  readTickets(after: Uint8Array | undefined): MaybePromise<Checked<SignedTicketRow>[]>
  /** By the digest of any of its CIDs, as asked; undefined: not stored. */
  readDelegations(digests: readonly Uint8Array[]): MaybePromise<(DelegationRow | undefined)[]>
  /** By statement id, through the index: its number. */
  findDelegation(statementId: Uint8Array): MaybePromise<number | undefined>
  /** As asked; undefined: no row says that the delegation names the space. */
  readNamedSpaces(
    delegationNo: number,
    spaceIds: readonly string[],
  ): MaybePromise<(NamedSpace | undefined)[]>
  /** As asked: the delegation that an account's list has at that position. */
  readAccountDelegations(
    rows: readonly AccountDelegationRow[],
  ): MaybePromise<(number | undefined)[]>
  /** In the order of the digests. */
  readAliases(after: Uint8Array | undefined): MaybePromise<InspectedAlias[]>
  readRevocation(targetStatementId: Uint8Array): MaybePromise<RevocationRow | undefined>
  /** `purged`: it expired so long ago that its row is gone. */
  findReplay(
    expiresAtS: number,
    statementId: Uint8Array,
  ): MaybePromise<'there' | 'purged' | 'missing'>
  /** Place of the row with this id, a statement or a version; undefined: there is no such row. */
  readPlaces(rowIds: readonly number[]): MaybePromise<(RowPlace | undefined)[]>
  readPackTotals(packNos: readonly number[]): MaybePromise<PackTotal[]>
  readPack(packNo: number): MaybePromise<InspectedPack | undefined>
  readObject(objectNo: number): MaybePromise<InspectedObject | undefined>
  /** Number by space id, through the index. */
  findSpace(spaceId: string): MaybePromise<number | undefined>
  /** Where an earlier scrub was, as it was kept; undefined: nowhere. */
  readScrubPosition(): MaybePromise<Uint8Array | undefined>
  /** What the engine finds wrong with its own pages and indexes, in its words. May take seconds for each table. */
  checkStructure(table: string): MaybePromise<string[]>
  readonly tables: readonly string[]
  close(): void
}
