/**
 * Sends what a request came to: a whole answer, a large value or a long list in windows. Every way counts what it holds
 * against the budget, and none answers a read a second time.
 */
import { type Answer, type Failure } from '../../protocol/answer.ts'
import { DOWNLOAD_WINDOW_BYTES } from '../../workers/compute/request.ts'
import { type ComputeClient, type ComputeWorker } from '../compute-client.ts'
import { type Grant } from '../pipeline/admission.ts'
import { type Outcome, type Settled } from '../pipeline/dispatcher.ts'
import { type ReplayClaims } from '../pipeline/replay-claims.ts'
import { sendDownload, sendListing } from './download.ts'
import { type Exchange } from './exchange.ts'

/** A download has one window on its way out and the next one waiting. */
const DOWNLOAD_BYTES = 2 * DOWNLOAD_WINDOW_BYTES
/** A list has one window of at most this many bytes. */
const LISTING_BYTES = 1024 * 1024

/** Bodies that are a smaller part of their batch than this are copied out of it. */
const COPIED_PART = 4

export interface RepliesParts {
  readonly compute: ComputeClient
  readonly claims: ReplayClaims
  readonly nowS: () => number
}

/** Where a reply goes, and its place in the budget. */
export interface Recipient {
  readonly exchange: Exchange
  readonly grant: Grant
}

export class Replies {
  readonly #parts: RepliesParts

  constructor(parts: RepliesParts) {
    this.#parts = parts
  }

  /** Resolves when the answer was handed to the connection. A failure is returned instead, and nothing was sent. */
  async send(recipient: Recipient, { outcome, worker }: Settled): Promise<Failure | undefined> {
    if (outcome.kind === 'failure') return outcome.failure
    if (outcome.kind === 'authorised' || outcome.kind === 'inquiry') return refusal('INTERNAL')
    if (outcome.kind === 'download') return this.#sendDownload(recipient, outcome, worker)
    if (outcome.kind === 'listing') return this.#sendListing(recipient, outcome)
    if (!this.#claim(outcome)) return refusal('DUPLICATE_INVOCATION')
    sendAnswer(recipient, outcome.answer)
    return undefined
  }

  async #sendDownload(
    { exchange, grant }: Recipient,
    outcome: Extract<Outcome, { kind: 'download' }>,
    worker: ComputeWorker | undefined,
  ): Promise<Failure | undefined> {
    const { compute } = this.#parts
    if (!worker) return refusal('INTERNAL')
    const refused = !grant.openStream(Math.min(DOWNLOAD_BYTES, outcome.bodyBytes))
      ? refusal('NODE_BUSY')
      : this.#claim(outcome)
        ? undefined
        : refusal('DUPLICATE_INVOCATION')
    if (refused) void compute.runStreamTask(worker, 'discard', { streamId: outcome.streamId })
    else await sendDownload(exchange, compute, worker, outcome)
    return refused
  }

  async #sendListing(
    { exchange, grant }: Recipient,
    outcome: Extract<Outcome, { kind: 'listing' }>,
  ): Promise<Failure | undefined> {
    if (!grant.openStream(LISTING_BYTES)) return refusal('NODE_BUSY')
    if (!this.#claim(outcome)) return refusal('DUPLICATE_INVOCATION')
    if (exchange.isHead) exchange.sendHead(outcome.answer.status, outcome.answer.headers)
    else await sendListing(exchange, this.#parts.compute, outcome)
    return undefined
  }

  /** False: the invocation was answered before. */
  #claim({ claim }: Extract<Outcome, { kind: 'answer' | 'download' | 'listing' }>): boolean {
    if (!claim) return true
    return this.#parts.claims.claim(claim.id, claim.expiresAtS, this.#parts.nowS())
  }
}

function sendAnswer({ exchange, grant }: Recipient, answer: Answer): void {
  const { body } = answer
  // A slow client would hold all of the batch of which its body is a small part.
  const isSmallPart = body.length * COPIED_PART < body.buffer.byteLength
  exchange.send(answer.status, answer.headers, isSmallPart ? Buffer.from(body) : body)
  if (!exchange.isFlushed) grant.hold(body.length)
}

export const refusal = (code: Failure['code']): Failure => ({ code, detail: '' })
