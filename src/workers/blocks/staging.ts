/**
 * Uploads under way, in the compute worker that gets their chunks. A value of up to PACKED_VALUE_BYTES_MAX ends in
 * memory and travels on with its command; a larger one ends as a synced file in the staging directory, hashed by
 * segments, which the storage actor renames (DESIGN §4 "Large values").
 *
 * The worker that hashes also syncs, on its own descriptor and as it goes: one sync of a gigabyte in the only writer
 * would stop every space. What a crash leaves behind is removed at the next start.
 */
import { PACKED_VALUE_BYTES_MAX } from '../../protocol/limits.ts'
import { type BlocksOptions, type RunInfo } from '../storage/request.ts'
import { stagingPath } from './layout.ts'
import { type StagedValue } from './place.ts'
import { Upload } from './staged-upload.ts'

export interface StagedUpload {
  /**
   * Borrowed until it resolves: the chunk.
   * @throws {ProtocolError} VALUE_TOO_LARGE {StorageFault} STORAGE_FULL, STORAGE_UNAVAILABLE
   */
  append(chunk: Uint8Array): Promise<void>
  /** The value: in memory, or whole and on stable storage. Nothing is appended after it. */
  finish(): Promise<StagedValue>
  /** Removes what was staged, unless it was taken. Never fails: a start removes what is left. */
  discard(): Promise<void>
}

export interface Staging {
  /**
   * `stagingNo` is used once in a run. Nothing is created before the first chunk. A value of more than `inlineBytesMax`
   * ends as a file; undefined: one that is too large for a pack.
   */
  open(stagingNo: number, inlineBytesMax?: number): StagedUpload
}

/** `memory`: a value goes to a file when it is too large to travel in memory. `file`: at its first chunk. */
export function openStaging(
  { path }: BlocksOptions,
  { runNo }: RunInfo,
  mode: 'memory' | 'file',
): Staging {
  return {
    open: (stagingNo, inlineBytesMax = PACKED_VALUE_BYTES_MAX) =>
      new Upload({
        path: stagingPath(path, runNo, stagingNo),
        stagingNo,
        inlineBytesMax,
        heldBytesMax: mode === 'memory' ? inlineBytesMax : 0,
      }),
  }
}
