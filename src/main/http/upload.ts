/**
 * An authorised body on its way from the client to the one worker that hashes and stages it. One piece is with the worker
 * at a time; what arrives meanwhile is gathered and goes next, so pieces grow when the worker is the slower one. When
 * enough is gathered the socket is not read.
 */
import { type IncomingMessage } from 'node:http'

import { type Failure } from '../../protocol/answer.ts'
import { releaseBytes } from '../../protocol/release-bytes.ts'
import { type StreamTasks, type TaskOutcome } from '../../workers/compute/request.ts'
import { type ComputeClient, type ComputeWorker } from '../compute-client.ts'
import { type BodyLimit } from '../pipeline/upload-rooms.ts'

/** Node reads a socket in chunks of at most this many bytes. */
const CHUNK_BYTES_MAX = 64 * 1024

export type StagingMode = 'memory' | 'file'

/** `storage.staging`: bytes gathered while the worker is busy, before the socket is paused (DESIGN §4). */
const GATHERED_BYTES_MAX: Readonly<Record<StagingMode, number>> = { memory: 512 * 1024, file: 1 }

/** The most that one upload holds in memory: a piece with the worker and the next one. */
export const uploadWindowBytes = (staging: StagingMode): number =>
  2 * (GATHERED_BYTES_MAX[staging] + CHUNK_BYTES_MAX)

/** An upload must bring at least… */
const PROGRESS_BYTES_MIN = 16 * 1024
/** …in each of these periods, or it is given up. */
const PROGRESS_PERIOD_MS = 30_000

export type Upload = StreamTasks['finish']['result']

const FULL: Failure = { code: 'STORAGE_FULL', detail: '' }
const GONE: Failure = { code: 'REQUEST_MALFORMED', detail: '' }
const STALLED: Failure = { code: 'UPLOAD_TIMEOUT', detail: '' }

export interface UploadOptions {
  readonly compute: ComputeClient
  readonly worker: ComputeWorker
  /** Unique among the streams of the worker. */
  readonly streamId: number
  /** Of the `authorised` result. */
  readonly prepared: Uint8Array
  readonly staging: StagingMode
  readonly limit: BodyLimit
  /** Then it is given up. Rule: DISK-1. */
  readonly isLowOnSpace: () => boolean
}

export class UploadReceiver {
  readonly #compute: ComputeClient
  readonly #worker: ComputeWorker
  readonly #streamId: number
  readonly #prepared: Uint8Array
  readonly #gatheredBytesMax: number
  readonly #limit: BodyLimit
  readonly #isLowOnSpace: () => boolean
  #gathered: Uint8Array<ArrayBuffer>[] = []
  #gatheredBytes = 0
  #receivedBytes = 0
  /** The worker has something to do for it. */
  #isBusy = false
  /** What is with the worker: the opening, then a piece. Never rejects. */
  #working: Promise<void> = Promise.resolve()
  #hasEnded = false
  /** Ends the reading: undefined when all of the body is with the worker. Only the first call counts. */
  #settle: (failure: Failure | undefined) => void = () => undefined
  #resume: () => void = () => undefined

  constructor(options: UploadOptions) {
    this.#compute = options.compute
    this.#worker = options.worker
    this.#streamId = options.streamId
    this.#prepared = options.prepared
    this.#gatheredBytesMax = GATHERED_BYTES_MAX[options.staging]
    this.#limit = options.limit
    this.#isLowOnSpace = options.isLowOnSpace
  }

  /**
   * Reads the body to its end. Never rejects. After a failure the worker has forgotten the upload, and the rest of the
   * body may still be arriving.
   */
  async receive(request: IncomingMessage): Promise<Upload> {
    const release = this.#compute.pinStream(this.#worker)
    try {
      const failure = await this.#readBody(request)
      // A discard that met one half-way would leave its file behind.
      await this.#working
      const upload: Upload = failure
        ? { ok: false, failure }
        : await this.#compute.runStreamTask(this.#worker, 'finish', { streamId: this.#streamId })
      if (!upload.ok) this.discard()
      return upload
    } finally {
      release()
    }
  }

  /** Forgets the upload, and what was staged and no command took. To be called once the upload is decided. */
  discard(): void {
    void this.#compute.runStreamTask(this.#worker, 'discard', { streamId: this.#streamId })
  }

  #readBody(request: IncomingMessage): Promise<Failure | undefined> {
    return new Promise((resolve) => {
      let bytesBefore = 0
      const watch = setInterval(() => {
        const broughtBytes = this.#receivedBytes - bytesBefore
        bytesBefore = this.#receivedBytes
        if (!this.#isBusy && broughtBytes < PROGRESS_BYTES_MIN) settle(STALLED)
      }, PROGRESS_PERIOD_MS)
      const onData = (chunk: Buffer<ArrayBuffer>): void => {
        this.#take(chunk)
        if (this.#gatheredBytes >= this.#gatheredBytesMax) request.pause()
      }
      const onEnd = (): void => {
        this.#hasEnded = true
        this.#proceed()
      }
      // Comes after every request; only before its end does it mean that the client went away.
      const onClose = (): void => {
        if (!this.#hasEnded) settle(GONE)
      }
      const settle = (failure: Failure | undefined): void => {
        clearInterval(watch)
        request.off('data', onData).off('end', onEnd).off('close', onClose)
        // What a failed upload has gathered must not reach the worker any more: it would begin the upload anew.
        if (failure) this.#dropGathered()
        resolve(failure)
      }
      this.#settle = settle
      this.#resume = () => {
        request.resume()
      }
      request.on('data', onData).on('end', onEnd).on('close', onClose)
      this.#working = this.#open()
    })
  }

  #take(chunk: Buffer<ArrayBuffer>): void {
    this.#receivedBytes += chunk.length
    if (this.#receivedBytes > this.#limit.bytesMax) {
      this.#settle(this.#limit.beyond)
      return
    }
    if (this.#isLowOnSpace()) {
      this.#settle(FULL)
      return
    }
    this.#gathered.push(chunk)
    this.#gatheredBytes += chunk.length
    this.#proceed()
  }

  #dropGathered(): void {
    this.#gathered = []
    this.#gatheredBytes = 0
  }

  /** Sends what is gathered, unless the worker is busy; ends when there is nothing left to send. */
  #proceed(): void {
    if (this.#isBusy) return
    if (this.#gatheredBytes > 0) this.#working = this.#append()
    else if (this.#hasEnded) this.#settle(undefined)
  }

  #open(): Promise<void> {
    const args = { streamId: this.#streamId, prepared: this.#prepared }
    return this.#follow(this.#compute.runStreamTask(this.#worker, 'open', args))
  }

  #append(): Promise<void> {
    const chunk = joinOwned(this.#gathered)
    this.#dropGathered()
    this.#resume()
    const args = { streamId: this.#streamId, chunk }
    const transfer = [chunk.buffer]
    return this.#follow(this.#compute.runStreamTask(this.#worker, 'append', args, transfer))
  }

  async #follow(task: Promise<TaskOutcome<null>>): Promise<void> {
    this.#isBusy = true
    const outcome = await task
    this.#isBusy = false
    if (outcome.ok) this.#proceed()
    else this.#settle(outcome.failure)
  }
}

/** Whether the chunk has memory of its own, as chunks of a body have. */
const isOwned = (chunk: Uint8Array): boolean => chunk.buffer.byteLength === chunk.length

/** One piece of memory that holds the chunks and nothing else, so that it can be transferred. Taken: the chunks. */
function joinOwned(chunks: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [first] = chunks
  if (first && chunks.length === 1 && isOwned(first)) return first
  let joinedBytes = 0
  for (const chunk of chunks) joinedBytes += chunk.length
  const joined = Buffer.allocUnsafeSlow(joinedBytes)
  let offset = 0
  for (const chunk of chunks) {
    joined.set(chunk, offset)
    offset += chunk.length
    if (isOwned(chunk)) releaseBytes(chunk)
  }
  return joined
}
