/**
 * The streams that this worker holds: uploads with their hash state, downloads with their descriptor. A stream lives
 * until its end, until main discards it, or as long as the worker. Main bounds their number.
 */
import { ProtocolError } from '../../protocol/error.ts'
import { SEGMENT_BYTES } from '../../protocol/limits.ts'
import { type StagedValue } from '../blocks/place.ts'
import { type ObjectHandle } from '../blocks/reader.ts'
import { type StagedUpload, type Staging } from '../blocks/staging.ts'
import { DOWNLOAD_WINDOW_BYTES } from './request.ts'
import { type BytePart } from './value/byte-range.ts'

/** Upload ids are main's and lie below; download ids are this worker's, so `discard` knows them apart. */
const DOWNLOAD_ID_FIRST = 2 ** 31
const DOWNLOAD_IDS = 2 ** 31

const WINDOW_SEGMENTS = DOWNLOAD_WINDOW_BYTES / SEGMENT_BYTES

interface Download {
  readonly object: ObjectHandle
  /** Undefined: all of it. */
  readonly part: BytePart | undefined
  readonly segmentsEnd: number
  nextSegment: number
}

export class Streams {
  readonly #staging: Staging
  readonly #uploads = new Map<number, StagedUpload>()
  readonly #downloads = new Map<number, Download>()
  #downloadCount = 0

  constructor(staging: Staging) {
    this.#staging = staging
  }

  /** Taken: the chunk. The first chunk opens the upload. */
  async append(streamId: number, chunk: Uint8Array): Promise<void> {
    let upload = this.#uploads.get(streamId)
    if (!upload) {
      upload = this.#staging.open(streamId)
      this.#uploads.set(streamId, upload)
    }
    await upload.append(chunk)
  }

  /** Everything that was appended, on stable storage. An upload without chunks is an empty value. */
  async finish(streamId: number): Promise<StagedValue> {
    const upload = this.#uploads.get(streamId) ?? this.#staging.open(streamId)
    this.#uploads.delete(streamId)
    return upload.finish()
  }

  async discard(streamId: number): Promise<void> {
    const upload = this.#uploads.get(streamId)
    this.#uploads.delete(streamId)
    await upload?.discard()
    await this.#closeDownload(streamId)
  }

  /**
   * Taken: the handle. The descriptor stays open to the end, so what is read is one version, whole or the given part.
   * Segments are the unit that is verified: of a part the first and the last one are read whole, and then cut.
   */
  openDownload(object: ObjectHandle, part?: BytePart): number {
    const streamId = DOWNLOAD_ID_FIRST + (this.#downloadCount++ % DOWNLOAD_IDS)
    this.#downloads.set(streamId, {
      object,
      part,
      segmentsEnd: part ? Math.floor(part.last / SEGMENT_BYTES) + 1 : object.segmentCount,
      nextSegment: part ? Math.floor(part.first / SEGMENT_BYTES) : 0,
    })
    return streamId
  }

  /** The next verified bytes. @throws {ProtocolError} NODE_BUSY when this worker does not hold the stream */
  async window(streamId: number): Promise<{ bytes: Uint8Array; isLast: boolean }> {
    const download = this.#downloads.get(streamId)
    if (!download) throw new ProtocolError('NODE_BUSY')
    const { object, part, nextSegment, segmentsEnd } = download
    const count = Math.min(WINDOW_SEGMENTS, segmentsEnd - nextSegment)
    const bytes = await object.readSegments(nextSegment, count)
    download.nextSegment += count
    const isLast = download.nextSegment >= segmentsEnd
    if (isLast) await this.#closeDownload(streamId)
    return { bytes: part ? cutWindow(bytes, nextSegment * SEGMENT_BYTES, part) : bytes, isLast }
  }

  async #closeDownload(streamId: number): Promise<void> {
    const download = this.#downloads.get(streamId)
    this.#downloads.delete(streamId)
    await download?.object.close()
  }
}

/** What a window that begins at `offset` of the value holds of the part, in memory of its own: it crosses a thread. */
function cutWindow(bytes: Uint8Array, offset: number, { first, last }: BytePart): Uint8Array {
  const start = Math.max(0, first - offset)
  const end = Math.min(bytes.length, last + 1 - offset)
  return start === 0 && end === bytes.length ? bytes : new Uint8Array(bytes.subarray(start, end))
}
