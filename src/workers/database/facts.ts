/**
 * What compute asks of the database, and what it learns: one declarative request per entry of a batch, answered in one
 * snapshot (DESIGN §5: the seam is whole steps, not statements). Nothing here says which engine answers.
 */
import { type DelegationFacts } from '../../protocol/authority.ts'
import { type VersionId } from '../../protocol/version-id.ts'
import { type PackPlace, type ValuePlace } from '../blocks/place.ts'

export interface ReadRequest {
  /** Delegations to look up by the digest of any of their CIDs: cited proofs, a target, or the token itself. */
  readonly delegations: readonly Uint8Array[]
  /** Statement ids to look up: is this signed statement already stored as a delegation? */
  readonly statements: readonly Uint8Array[]
  /** Space ids (EIP-55 spelling). */
  readonly spaces: readonly string[]
  readonly keys: readonly { readonly space: string; readonly key: Uint8Array }[]
  readonly list?: KeyListRequest
  /** One version of a key that does not count any more. */
  readonly keptVersion?: { readonly space: string; readonly key: Uint8Array } & VersionId
  readonly versions?: VersionListRequest
  /** Every delegation that names the space, in row order, `limit` at most, after row `afterNo`. */
  readonly spaceDelegations?: {
    readonly space: string
    readonly afterNo: number
    readonly limit: number
  }
  readonly accountDelegations?: AccountDelegationsRequest
  /** The ticket of a signed URL, by the name of its row. */
  readonly ticket?: Uint8Array
}

export interface KeyListRequest {
  readonly space: string
  /** Keys start with these bytes. */
  readonly prefix: Uint8Array
  /** Keys are greater than this one; undefined from the start. */
  readonly after: Uint8Array | undefined
  readonly limit: number
}

/** Versions of a key, the newest first: the one that counts, and those that are kept. */
export interface VersionListRequest {
  readonly space: string
  readonly key: Uint8Array
  /** The last one that was seen; undefined from the newest. */
  readonly before: VersionId | undefined
  readonly limit: number
}

/** What an account gave, received, or both, the latest issue first, then by CID. */
export interface AccountDelegationsRequest {
  readonly account: string
  readonly direction: 'granted' | 'received' | 'all'
  /** The last one that was seen; undefined from the start. */
  readonly after: Pick<DelegationFacts, 'issuedAtS' | 'digest'> | undefined
  readonly limit: number
}

export interface ReadFacts {
  /** As asked; undefined: not stored. */
  readonly delegations: readonly (StoredDelegation | undefined)[]
  readonly statements: readonly (StoredDelegation | undefined)[]
  /** As asked; undefined: not hosted here. */
  readonly spaces: readonly (SpaceFacts | undefined)[]
  /** As asked; undefined: never written, or the space is not hosted. */
  readonly keys: readonly (VersionFacts | undefined)[]
  readonly list: KeyList | undefined
  /** Undefined: not asked, or not kept. */
  readonly keptVersion: VersionFacts | undefined
  /** Undefined: not asked, or the key was never written. */
  readonly versions: VersionPage | undefined
  readonly spaceDelegations: readonly StoredDelegation[] | undefined
  readonly accountDelegations: readonly AccountDelegation[] | undefined
  /** Undefined: not asked, never made, or purged. */
  readonly ticket: TicketFacts | undefined
}

export interface StoredDelegation {
  readonly facts: DelegationFacts
  /** Index into `facts.closure` of the first revoked link, itself (0) before ancestors; -1: none is revoked. */
  readonly revokedLink: number
  /** How that link was taken back; undefined: none is revoked. */
  readonly revocation: RevocationFacts | undefined
  /** Accounts in whose name it is given, sorted. */
  readonly accounts: readonly string[]
  /** The signed token as posted first. */
  readonly token: PackPlace
  readonly encoding: 'ucan' | 'cacao'
}

export interface RevocationFacts {
  readonly revoker: string
  /** When this node took it, Unix seconds. */
  readonly revokedAtS: number
}

export interface AccountDelegation {
  readonly stored: StoredDelegation
  readonly direction: 'granted' | 'received'
}

export interface SpaceFacts {
  readonly spaceNo: number
  /** Of the values that count. */
  readonly liveBytes: number
  readonly historyBytes: number
}

/** A version of a key: nearly always the one that counts. */
export interface VersionFacts extends VersionId {
  readonly versionNo: number
  readonly isDeleted: boolean
  /** BLAKE3-256 of the value; of a deleted key, of the value that was deleted. */
  readonly digest: Uint8Array
  readonly valueBytes: number
  /** Undefined for a deleted key. */
  readonly place: ValuePlace | undefined
  /** Stored headers, sorted by name. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** A signed URL as it stands now. */
export interface TicketFacts {
  /** Unix seconds, exclusive. */
  readonly expiresAtS: number
  /** A delegation that it rests on was revoked. */
  readonly isRevoked: boolean
  /** BLAKE3-256 of the one value that it gives. */
  readonly digest: Uint8Array
  /** Of its key; undefined: never written. */
  readonly version: VersionFacts | undefined
}

/** A version as lists of versions tell it. */
export interface VersionItem extends VersionId {
  readonly isDeleted: boolean
  /** As in VersionFacts. */
  readonly digest: Uint8Array
  readonly valueBytes: number
  /** When this node wrote it, Unix seconds; null: that is not known. */
  readonly writtenAtS: number | null
}

export interface VersionPage {
  readonly items: readonly VersionItem[]
  /** More versions follow after the last one. */
  readonly isTruncated: boolean
}

export interface KeyList {
  /** Live keys in byte order, as URI text: ASCII. */
  readonly keys: readonly string[]
  /** More keys follow after the last one. */
  readonly isTruncated: boolean
}

/** A connection that reads. One per compute worker. */
export interface DatabaseReader {
  /**
   * Answers a whole batch from one snapshot that is opened after the call. On SQLite the whole call is one synchronous
   * stretch.
   * @throws {StorageFault} when the database cannot be read, or a row fails its checksum
   */
  read(batch: readonly ReadRequest[]): ReadFacts[] | Promise<ReadFacts[]>
  close(): void | Promise<void>
}
