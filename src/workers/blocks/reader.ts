/**
 * Reads blocks for compute. Every byte is verified against its hash before it is given out: wrong bytes are a
 * StorageFault, never an answer (DESIGN §4).
 */
import { type BlocksOptions } from '../storage/request.ts'
import { type ObjectPlace, type PackPlace } from './place.ts'
import { openObject } from './objects/object-reader.ts'
import { PackReader } from './packs/pack-reader.ts'

export interface BlockReader {
  /**
   * The data of a section, in memory of its own: a value, or the token of a statement.
   * @throws {StorageFault} VALUE_CORRUPT, VALUE_MISSING (no such file: read the row again, once), STORAGE_UNAVAILABLE
   */
  readPacked(place: PackPlace, digest: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** Opens a large value. The descriptor stays open until `close`, so what is read is one version, whole. */
  openObject(place: ObjectPlace): ObjectHandle
  close(): void
}

/** An open large value. */
export interface ObjectHandle {
  /** Segments of SEGMENT_BYTES, the last one shorter. */
  readonly segmentCount: number
  /**
   * Verified bytes of whole segments, in memory of their own.
   * @throws {StorageFault} VALUE_CORRUPT, STORAGE_UNAVAILABLE
   */
  readSegments(first: number, count: number): Promise<Uint8Array>
  close(): void | Promise<void>
}

export function openBlockReader({ path }: BlocksOptions): BlockReader {
  const packs = new PackReader(path)
  return {
    readPacked: (place, digest) => packs.read(place, digest),
    openObject: (place) => openObject(path, place),
    close: () => {
      packs.close()
    },
  }
}
