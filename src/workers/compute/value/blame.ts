/** Names the version whose bytes are not what was written, so that it can be put into quarantine. */
import { type ObjectPlace } from '../../blocks/place.ts'
import { type BlockReader, type ObjectHandle } from '../../blocks/reader.ts'
import { type DamagedRow, StorageFault } from '../../storage-fault.ts'

/** The fault of a read, with the row that it is about. What only cannot be read now is nobody's damage. */
export function blame(error: unknown, damaged: DamagedRow): unknown {
  if (!(error instanceof StorageFault) || error.damage) return error
  if (error.code !== 'VALUE_CORRUPT' && error.code !== 'VALUE_MISSING') return error
  return new StorageFault(error.code, error.message, { cause: error.cause, damaged })
}

/** Opens the large value of a version. @throws {StorageFault} */
export function openBlamed(
  blocks: BlockReader,
  place: ObjectPlace,
  versionNo: number,
): ObjectHandle {
  const damaged = { kind: 'kv_version', rowId: versionNo } as const
  try {
    const object = blocks.openObject(place)
    return {
      segmentCount: object.segmentCount,
      async readSegments(first, count) {
        try {
          return await object.readSegments(first, count)
        } catch (error) {
          throw blame(error, damaged)
        }
      },
      close: () => object.close(),
    }
  } catch (error) {
    throw blame(error, damaged)
  }
}
