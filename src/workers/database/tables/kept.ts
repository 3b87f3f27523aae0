/** Replaced values that are still kept: the rows of `kv_kept` exist where `storage.history` keeps anything, and only there. */
import { type VersionId } from '../../../protocol/version-id.ts'
import { type RowChecksum } from '../row-checksum.ts'

export interface KeptRow extends VersionId {
  /** The version that took its place. Names the row. */
  readonly replacedByNo: number
  readonly versionNo: number
  readonly spaceNo: number
  readonly key: Uint8Array
  /** How many values of the key were replaced before it, as far as they were kept then. Grows with each. */
  readonly position: number
  /** Of its value, as the row of the version says too. */
  readonly valueBytes: number
  readonly objectNo: number | null
  /** By the clock of the node, Unix seconds. */
  readonly replacedAtS: number
}

export function checksumOfKept(checksum: RowChecksum, row: KeptRow): number {
  return checksum
    .start()
    .number(row.replacedByNo)
    .number(row.versionNo)
    .number(row.spaceNo)
    .bytes(row.key)
    .number(row.seq)
    .number(row.epochSeq)
    .number(row.position)
    .number(row.valueBytes)
    .optional(row.objectNo)
    .number(row.replacedAtS)
    .value()
}
