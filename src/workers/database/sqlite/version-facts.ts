/** A version row as compute sees it. */
import { StorageFault } from '../../storage-fault.ts'
import { type ValuePlace } from '../../blocks/place.ts'
import { type VersionFacts } from '../facts.ts'
import { type VersionRow } from '../tables/kv.ts'

/** @throws {StorageFault} VALUE_CORRUPT when a live version names no place */
export function versionFacts(
  row: VersionRow,
  segmentsOf: (objectNo: number) => Uint8Array | undefined,
): VersionFacts {
  // The row's checksum has told that the text is what was written.
  return {
    versionNo: row.versionNo,
    seq: row.seq,
    epochSeq: row.epochSeq,
    isDeleted: row.isDeleted,
    digest: row.digest,
    valueBytes: row.valueBytes,
    place: row.isDeleted ? undefined : placeOf(row, segmentsOf),
    headers: JSON.parse(row.headers),
  }
}

function placeOf(
  { versionNo, valueBytes, packNo, packOffset, packLength, objectNo }: VersionRow,
  segmentsOf: (objectNo: number) => Uint8Array | undefined,
): ValuePlace {
  if (packNo !== null && packOffset !== null && packLength !== null)
    return { kind: 'pack', packNo, offset: packOffset, lengthBytes: packLength }
  const segments = objectNo === null ? undefined : segmentsOf(objectNo)
  if (objectNo === null || !segments)
    throw new StorageFault('VALUE_CORRUPT', `kv_version ${versionNo} names no place`, {
      damaged: { kind: 'kv_version', rowId: versionNo },
    })
  return { kind: 'object', objectNo, valueBytes, segments }
}
