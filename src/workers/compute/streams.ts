/**
 * The streams that this worker holds: uploads with their hash state, downloads with their descriptor. A stream lives
 * until its end, until main discards it, or as long as the worker. Main bounds their number.
 */
import { ProtocolError } from '../../protocol/error.ts'
import { SEGMENT_BYTES } from '../../protocol/limits.ts'
import { type ObjectHandle } from '../blocks/reader.ts'
import { type Staging } from '../blocks/staging.ts'
import { type BodyForm, type StagedPut } from './form/body-form.ts'
import { type BodyUpload, openBodyUpload, UPLOAD_NUMBERS } from './form/body-upload.ts'
import { DOWNLOAD_WINDOW_BYTES } from './request.ts'
import { type BytePart } from './value/byte-range.ts'
import { cutPart, segmentsOf } from './value/part-segments.ts'

/** Upload ids are main's and lie below; download ids are this worker's, so `discard` knows them apart. */
const DOWNLOAD_ID_FIRST = UPLOAD_NUMBERS
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
  readonly #uploads = new Map<number, BodyUpload>()
  readonly #downloads = new Map<number, Download>()
  #downloadCount = 0

  constructor(staging: Staging) {
    this.#staging = staging
  }

  openUpload(streamId: number, form: BodyForm): void {
    this.#uploads.set(streamId, openBodyUpload(this.#staging, streamId, form))
  }

  /** Borrowed until it resolves: the chunk. @throws as `BodyUpload.append`, and what `#upload` throws */
  append(streamId: number, chunk: Uint8Array): Promise<void> {
    return this.#upload(streamId).append(chunk)
  }

  /** Everything that was appended, on stable storage where it is not in memory. The upload stays, to be discarded. */
  finish(streamId: number): Promise<readonly StagedPut[]> {
    return this.#upload(streamId).finish()
  }

  /** @throws {ProtocolError} NODE_BUSY when this worker does not hold the stream */
  #upload(streamId: number): BodyUpload {
    const upload = this.#uploads.get(streamId)
    if (!upload) throw new ProtocolError('NODE_BUSY')
    return upload
  }

  async discard(streamId: number): Promise<void> {
    const upload = this.#uploads.get(streamId)
    this.#uploads.delete(streamId)
    await upload?.discard()
    await this.#closeDownload(streamId)
  }

  /** Taken: the handle. The descriptor stays open to the end, so what is read is one version, whole or the given part. */
  openDownload(object: ObjectHandle, part?: BytePart): number {
    const streamId = DOWNLOAD_ID_FIRST + (this.#downloadCount++ % DOWNLOAD_IDS)
    const { first, count } = part ? segmentsOf(part) : { first: 0, count: object.segmentCount }
    this.#downloads.set(streamId, { object, part, nextSegment: first, segmentsEnd: first + count })
    return streamId
  }

  /** The next verified bytes, in memory of their own: they cross a thread. @throws {ProtocolError} NODE_BUSY when this worker does not hold the stream */
  async window(streamId: number): Promise<{ bytes: Uint8Array; isLast: boolean }> {
    const download = this.#downloads.get(streamId)
    if (!download) throw new ProtocolError('NODE_BUSY')
    const { object, part, nextSegment, segmentsEnd } = download
    const count = Math.min(WINDOW_SEGMENTS, segmentsEnd - nextSegment)
    const bytes = await object.readSegments(nextSegment, count)
    download.nextSegment += count
    const isLast = download.nextSegment >= segmentsEnd
    if (isLast) await this.#closeDownload(streamId)
    const body = part ? cutPart(bytes, nextSegment * SEGMENT_BYTES, part) : bytes
    return { bytes: body.length < bytes.length ? new Uint8Array(body) : bytes, isLast }
  }

  async #closeDownload(streamId: number): Promise<void> {
    const download = this.#downloads.get(streamId)
    this.#downloads.delete(streamId)
    await download?.object.close()
  }
}
