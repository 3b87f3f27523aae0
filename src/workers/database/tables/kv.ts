/**
 * Values by key. `kv_version` is the history: append-only, one row per put or delete. `kv_current` names the version
 * that counts, and is the only table with random keys that a put touches (DESIGN §4, §8). Its primary key is
 * (space, deleted, key): deleted keys sort apart, so a list never steps over them.
 */
import { type RowChecksum } from '../row-checksum.ts'

export interface CurrentRow {
  readonly spaceNo: number
  readonly isDeleted: boolean
  readonly key: Uint8Array
  readonly versionNo: number
  /** `seq` of the epoch that wrote it. */
  readonly seq: number
}

export interface VersionRow {
  readonly versionNo: number
  readonly spaceNo: number
  readonly key: Uint8Array
  readonly eventNo: number
  readonly seq: number
  readonly epochSeq: number
  /** The version of this key before it. */
  readonly previousNo: number | null
  readonly isDeleted: boolean
  /** Of the value; of a deleted key, of the value that was deleted. 32 bytes. */
  readonly digest: Uint8Array
  /** 0 for a deleted key. */
  readonly valueBytes: number
  /** Place in a pack; null for a deleted key and for an object. */
  readonly packNo: number | null
  readonly packOffset: number | null
  readonly packLength: number | null
  readonly objectNo: number | null
  /** JSON array of [name, value] pairs. */
  readonly headers: string
  /** Which operation of its statement wrote it. */
  readonly operationIndex: number
}

/** The key as bytes, or as the text of the same bytes. */
export function checksumOfCurrent(
  checksum: RowChecksum,
  row: Omit<CurrentRow, 'key'> & { readonly key: Uint8Array | string },
): number {
  const { key } = row
  checksum
    .start()
    .number(row.spaceNo)
    .number(row.isDeleted ? 1 : 0)
  if (typeof key === 'string') checksum.text(key)
  else checksum.bytes(key)
  return checksum.number(row.versionNo).number(row.seq).value()
}

/** Where the value lies is left out: compaction moves it, and the value's own hash guards it. */
export function checksumOfVersion(
  checksum: RowChecksum,
  row: Omit<VersionRow, 'packNo' | 'packOffset' | 'packLength'>,
): number {
  return checksum
    .start()
    .number(row.versionNo)
    .number(row.spaceNo)
    .bytes(row.key)
    .number(row.eventNo)
    .number(row.seq)
    .number(row.epochSeq)
    .optional(row.previousNo)
    .number(row.isDeleted ? 1 : 0)
    .bytes(row.digest)
    .number(row.valueBytes)
    .optional(row.objectNo)
    .text(row.headers)
    .number(row.operationIndex)
    .value()
}
