/** The columns of `kv_kept` in the order in which they are read, and their check. */
import { type RowChecksum } from '../row-checksum.ts'
import { checksumOfKept, type KeptRow } from '../tables/kept.ts'

export type KeptColumns = [
  replacedByNo: number,
  versionNo: number,
  spaceNo: number,
  key: Buffer,
  seq: number,
  epochSeq: number,
  position: number,
  valueBytes: number,
  objectNo: number | null,
  replacedAtS: number,
  crc: number,
]

export const KEPT_COLUMNS = `k.replaced_by_no, k.version_no, k.space_no, k.kv_key, k.seq, k.epoch_seq, k.position,
  k.value_bytes, k.object_no, k.replaced_at, k.crc`

/** Undefined: the row fails its checksum. */
export function soundKeptRow(checksum: RowChecksum, columns: KeptColumns): KeptRow | undefined {
  const [replacedByNo, versionNo, spaceNo, key, seq, epochSeq, position, ...rest] = columns
  const [valueBytes, objectNo, replacedAtS, crc] = rest
  const row: KeptRow = {
    replacedByNo,
    versionNo,
    spaceNo,
    key,
    seq,
    epochSeq,
    position,
    valueBytes,
    objectNo,
    replacedAtS,
  }
  return checksumOfKept(checksum, row) === crc ? row : undefined
}
