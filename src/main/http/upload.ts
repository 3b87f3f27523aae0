/**
 * An authorised body on its way from the client to the one worker that hashes and stages it, in blocks, with
 * backpressure: when the worker is behind by the window, the socket is not read.
 */
import { type IncomingMessage } from 'node:http'

import { type Failure } from '../../protocol/answer.ts'
import { VALUE_BYTES_MAX } from '../../protocol/limits.ts'
import { type StreamTasks } from '../../workers/compute/request.ts'
import { type ComputeClient, type ComputeWorker } from '../compute-client.ts'

export interface UploadLimits {
  /** Chunks are gathered into blocks of this size before they go to the worker. */
  readonly blockBytes: number
  /** Bytes on their way to the worker, at most. */
  readonly windowBytes: number
}

/** `storage.staging`: how much of a body may be in memory at a time (DESIGN §4). */
export const UPLOAD_LIMITS: Readonly<Record<'memory' | 'file', UploadLimits>> = {
  memory: { blockBytes: 256 * 1024, windowBytes: 1024 * 1024 },
  file: { blockBytes: 64 * 1024, windowBytes: 64 * 1024 },
}

/** An upload must bring at least… */
const PROGRESS_BYTES_MIN = 16 * 1024
/** …in each of these periods, or it is given up. */
const PROGRESS_PERIOD_MS = 30_000

export type Upload = StreamTasks['finish']['result']

const GONE: Failure = { code: 'REQUEST_MALFORMED', detail: '' }
const STALLED: Failure = { code: 'UPLOAD_TIMEOUT', detail: '' }
const TOO_LARGE: Failure = { code: 'VALUE_TOO_LARGE', detail: String(VALUE_BYTES_MAX) }

export class UploadReceiver {
  readonly #compute: ComputeClient
  readonly #worker: ComputeWorker
  readonly #streamId: number
  readonly #limits: UploadLimits
  #block: Buffer<ArrayBuffer>
  #blockLength = 0
  #receivedBytes = 0
  #isOpened = false
  #onTheWayBytes = 0
  #hasEnded = false
  /** Ends the reading: undefined when all of the body is with the worker. Only the first call counts. */
  #settle: (failure: Failure | undefined) => void = () => undefined
  #resume: () => void = () => undefined

  constructor(options: {
    compute: ComputeClient
    worker: ComputeWorker
    /** Unique among the streams of the worker. */
    streamId: number
    limits: UploadLimits
  }) {
    this.#compute = options.compute
    this.#worker = options.worker
    this.#streamId = options.streamId
    this.#limits = options.limits
    this.#block = Buffer.allocUnsafeSlow(options.limits.blockBytes)
  }

  /**
   * Reads the body to its end. Never rejects. After a failure the worker has forgotten the upload, and the rest of the
   * body may still be arriving.
   */
  async receive(request: IncomingMessage): Promise<Upload> {
    const release = this.#compute.pinStream(this.#worker)
    try {
      const failure = await this.#readBody(request)
      const upload: Upload = failure
        ? { ok: false, failure }
        : await this.#compute.runStreamTask(this.#worker, 'finish', { streamId: this.#streamId })
      if (!upload.ok) this.discard()
      return upload
    } finally {
      release()
    }
  }

  /** Forgets what was staged. Streams that the worker does not know are fine. */
  discard(): void {
    void this.#compute.runStreamTask(this.#worker, 'discard', { streamId: this.#streamId })
  }

  #readBody(request: IncomingMessage): Promise<Failure | undefined> {
    return new Promise((resolve) => {
      let bytesBefore = 0
      const watch = setInterval(() => {
        const isOurs = this.#onTheWayBytes > 0
        if (!isOurs && this.#receivedBytes - bytesBefore < PROGRESS_BYTES_MIN) settle(STALLED)
        bytesBefore = this.#receivedBytes
      }, PROGRESS_PERIOD_MS)
      const onData = (chunk: Buffer): void => {
        this.#take(chunk)
        if (this.#onTheWayBytes >= this.#limits.windowBytes) request.pause()
      }
      const onEnd = (): void => {
        this.#hasEnded = true
        // An empty body still has to open the upload.
        if (this.#blockLength > 0 || !this.#isOpened) this.#sendBlock()
      }
      const onClose = (): void => settle(GONE)
      const settle = (failure: Failure | undefined): void => {
        clearInterval(watch)
        request.off('data', onData).off('end', onEnd).off('close', onClose)
        resolve(failure)
      }
      this.#settle = settle
      this.#resume = () => {
        if (this.#onTheWayBytes < this.#limits.windowBytes) request.resume()
      }
      request.on('data', onData).on('end', onEnd).on('close', onClose)
    })
  }

  #take(chunk: Buffer): void {
    this.#receivedBytes += chunk.length
    if (this.#receivedBytes > VALUE_BYTES_MAX) {
      this.#settle(TOO_LARGE)
      return
    }
    let offset = 0
    while (offset < chunk.length) {
      const copiedBytes = chunk.copy(this.#block, this.#blockLength, offset)
      offset += copiedBytes
      this.#blockLength += copiedBytes
      if (this.#blockLength === this.#block.length) this.#sendBlock()
    }
  }

  #sendBlock(): void {
    const length = this.#blockLength
    const isFull = length === this.#block.length
    const chunk = isFull ? this.#block : new Uint8Array(this.#block.subarray(0, length))
    if (isFull) this.#block = Buffer.allocUnsafeSlow(this.#limits.blockBytes)
    this.#blockLength = 0
    this.#isOpened = true
    this.#onTheWayBytes += length
    void this.#append(chunk)
  }

  async #append(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    const { length } = chunk
    const args = { streamId: this.#streamId, chunk }
    const transfer = [chunk.buffer]
    const outcome = await this.#compute.runStreamTask(this.#worker, 'append', args, transfer)
    this.#onTheWayBytes -= length
    if (!outcome.ok) this.#settle(outcome.failure)
    else if (this.#hasEnded && this.#onTheWayBytes === 0) this.#settle(undefined)
    else this.#resume()
  }
}
