/**
 * Uploads under way, in the compute worker that gets their chunks. A value of up to PACKED_VALUE_BYTES_MAX ends in
 * memory and travels on with its command; a larger one ends as a synced file in the staging directory, hashed by
 * segments, which the storage actor renames (DESIGN §4 "Large values").
 *
 * The worker that hashes also syncs, on its own descriptor and as it goes: one sync of a gigabyte in the only writer
 * would stop every space. What a crash leaves behind is removed at the next start.
 */
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
  /** The value: in memory, or whole and on stable storage. The upload is spent. */
  finish(): Promise<StagedValue>
  /** Removes what was staged. Never fails: a start removes what is left. */
  discard(): Promise<void>
}

export interface Staging {
  /** `stagingNo` is used once in a run. Nothing is created before the first chunk. */
  open(stagingNo: number): StagedUpload
}

/** `memory`: a value goes to a file when it has outgrown a pack. `file`: at its first chunk. */
export function openStaging(
  { path }: BlocksOptions,
  { runNo }: RunInfo,
  mode: 'memory' | 'file',
): Staging {
  const heldBytesMax = mode === 'memory' ? undefined : 0
  return {
    open: (stagingNo) =>
      new Upload({ path: stagingPath(path, runNo, stagingNo), stagingNo, heldBytesMax }),
  }
}
