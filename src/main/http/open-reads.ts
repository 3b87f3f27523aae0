/**
 * Reads without a token: signed URLs and public spaces.
 *
 *     public, client over its rate ───────────▶ 429
 *     admission ── full ──────────────────────▶ 503
 *     compute (one hop) ──────────────────────▶ answer, 206, 304, 4xx
 *           └─ large value, long list ────────▶ answer in windows
 *
 * Nobody is verified, so each request counts against the share of its client from beginning to end: strangers who read a
 * public space leave the share of that space to those who hold rights on it.
 */
import { type Failure } from '../../protocol/answer.ts'
import { ProtocolError } from '../../protocol/error.ts'
import { type OpenEntry, type OpenTarget } from '../../workers/compute/request.ts'
import { type Admission } from '../pipeline/admission.ts'
import { type Dispatcher } from '../pipeline/dispatcher.ts'
import { clientLane, spaceLane } from '../pipeline/lane-name.ts'
import { type RateLimiter } from '../pipeline/rate-limiter.ts'
import { readEntryHeaders } from './entry-headers.ts'
import { type Exchange } from './exchange.ts'
import { refusal, type Replies } from './replies.ts'

/** What a request costs beside its target: headers, job, answer. */
const REQUEST_BYTES = 2048

export interface OpenReadsParts {
  readonly admission: Admission
  readonly dispatcher: Dispatcher
  readonly replies: Replies
  /** Of public spaces. A signed URL is limited by whoever made it. */
  readonly publicLimiter: RateLimiter
}

/** What the URL of a request names. @throws {ProtocolError} */
export type TargetReader = (url: string) => OpenTarget

export class OpenReads {
  readonly #parts: OpenReadsParts

  constructor(parts: OpenReadsParts) {
    this.#parts = parts
  }

  /** Answers GET or HEAD of a signed URL. Never rejects. */
  async handleSigned(exchange: Exchange, readTarget: TargetReader): Promise<void> {
    const failure = await this.#read(exchange, readTarget)
    if (failure) exchange.sendFailure(failure)
  }

  /** Answers GET or HEAD of a public space. Never rejects. */
  async handlePublic(exchange: Exchange, readTarget: TargetReader): Promise<void> {
    exchange.openToAll()
    const waitS = this.#parts.publicLimiter.take(exchange.client)
    if (waitS !== undefined) {
      exchange.sendFailure(refusal('RATE_LIMITED'), waitS)
      return
    }
    const failure = await this.#read(exchange, readTarget)
    if (failure) exchange.sendFailure(failure)
  }

  async #read(exchange: Exchange, readTarget: TargetReader): Promise<Failure | undefined> {
    try {
      return await this.#pass(exchange, readTarget(exchange.request.url ?? ''))
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return { code: error.code, detail: error.detail }
    }
  }

  async #pass(exchange: Exchange, target: OpenTarget): Promise<Failure | undefined> {
    if (exchange.isStopping) return refusal('NODE_STOPPING')
    const { admission, dispatcher, replies } = this.#parts
    const { client, request } = exchange
    const lane = target.kind === 'ticket' ? clientLane(client) : spaceLane(target.space)
    const bytes = REQUEST_BYTES + (request.url ?? '').length
    const grant = admission.admit({ client, space: lane, bytes })
    if (!grant) return refusal('NODE_BUSY')
    try {
      const entry: OpenEntry = {
        kind: 'open',
        requestId: dispatcher.createRequestId(),
        isHead: exchange.isHead,
        headers: readEntryHeaders(request.rawHeaders),
        target,
      }
      const isAbandoned = (): boolean => exchange.isGone
      const settled = await dispatcher.submit({ lane, entry, bytes, isAbandoned, onVerified })
      return await replies.send({ exchange, grant }, settled)
    } finally {
      const flushed = exchange.flushed()
      if (flushed) await flushed
      grant.release()
    }
  }
}

/** A read without a token is never verified. */
const onVerified = (): void => undefined
