/**
 * Requests that carry a token: POST /delegate, /invoke, /revoke and the JSON routes.
 *
 *     content type that the route does not take ─────▶ 404
 *     token missing or too long ─────────────────────▶ 401, 431
 *     body too large ────────────────────────────────▶ 413
 *     admission ── full ─────────────────────────────▶ 503
 *     body: none, whole or later (body-intake.ts)
 *     compute (one hop) ── read ─────────────────────▶ answer, 304, 4xx
 *           ├─ change ──▶ storage ───────────────────▶ answer, 4xx, 507
 *           ├─ large value, long list ───────────────▶ answer in windows
 *           ├─ inquiry: ask another host, then compute again with its answer
 *           └─ authorised change with its body to come: receive, then compute again
 *
 * What a client still sends after its answer is read and dropped. Nothing here trusts the token: only compute does,
 * after it verified it.
 */
import { type Failure } from '../../protocol/answer.ts'
import { INQUIRIES_PER_TOKEN_MAX, type NetworkAnswers } from '../../protocol/inquiry.ts'
import { TOKEN_BYTES_MAX } from '../../protocol/limits.ts'
import { type Body, type Entry, type Route } from '../../workers/compute/request.ts'
import { type ComputeClient } from '../compute-client.ts'
import { type Network } from '../network/network.ts'
import { type Admission, type Grant } from '../pipeline/admission.ts'
import { type Dispatcher, type Outcome, type Settled } from '../pipeline/dispatcher.ts'
import { readLaneName } from '../pipeline/lane-name.ts'
import { type BodyLimit, UploadRooms } from '../pipeline/upload-rooms.ts'
import { type BodyIntake, heldBytes, isTypeServed, planIntake } from './body-intake.ts'
import { readEntryHeaders } from './entry-headers.ts'
import { type Exchange } from './exchange.ts'
import { refusal, type Replies } from './replies.ts'
import { continueIfAsked, readWholeBody } from './request-body.ts'
import { type StagingMode, UploadReceiver, uploadWindowBytes } from './upload.ts'

/** What a request costs beside its token and body: headers, job, answer. */
const REQUEST_BYTES = 2048

export interface SignedRequestsParts {
  readonly admission: Admission
  readonly dispatcher: Dispatcher
  readonly compute: ComputeClient
  readonly replies: Replies
  readonly network: Network
  readonly staging: StagingMode
  readonly isLowOnSpace: () => boolean
}

/** A request on its way through. */
interface Passage {
  readonly exchange: Exchange
  readonly route: Route
  readonly authorization: string
  readonly lane: string
  readonly grant: Grant
}

export class SignedRequests {
  readonly #parts: SignedRequestsParts
  /** Exchanges whose body is still arriving. */
  readonly #arriving = new Set<Exchange>()
  readonly #rooms = new UploadRooms()
  /** Numbers uploads, and with them the staging files of this run: each is used once, and they stay below 2^31. */
  #lastUploadNo = 0

  constructor(parts: SignedRequestsParts) {
    this.#parts = parts
  }

  /** Answers the request. Never rejects. */
  async handle(exchange: Exchange, route: Route): Promise<void> {
    const failure = await this.#pass(exchange, route)
    if (failure) exchange.sendFailure(failure)
  }

  /** Resets the connections whose bodies are still arriving. */
  resetArriving(): void {
    for (const exchange of this.#arriving) exchange.reset()
  }

  async #pass(exchange: Exchange, route: Route): Promise<Failure | undefined> {
    if (exchange.isStopping) return refusal('NODE_STOPPING')
    if (!isTypeServed(route, exchange.request)) return refusal('ROUTE_NOT_FOUND')
    const { authorization } = exchange.request.headers
    if (authorization === undefined) return refusal('TOKEN_MISSING')
    if (authorization.length > TOKEN_BYTES_MAX) return refusal('TOKEN_TOO_LARGE')
    const intake = planIntake(route, exchange.request, this.#parts.staging)
    if (intake.kind === 'refused') return intake.failure
    const { client } = exchange
    const lane = readLaneName(authorization, client)
    const bytes = REQUEST_BYTES + authorization.length + heldBytes(intake)
    const grant = this.#parts.admission.admit({ client, space: lane, bytes })
    if (!grant) return refusal('NODE_BUSY')
    try {
      const passage: Passage = { exchange, route, authorization, lane, grant }
      if (intake.kind === 'whole') return await this.#passWhole(passage, intake)
      if (intake.kind === 'later') return await this.#passLater(passage, intake.lengthBytes)
      return await this.#reply(passage, await this.#submit(passage, intake))
    } finally {
      const flushed = exchange.flushed()
      if (flushed) await flushed
      grant.release()
    }
  }

  async #passWhole(
    passage: Passage,
    intake: Extract<BodyIntake, { kind: 'whole' }>,
  ): Promise<Failure | undefined> {
    const { exchange } = passage
    continueIfAsked(exchange)
    this.#arriving.add(exchange)
    const body = await readWholeBody(exchange.request, intake)
    this.#arriving.delete(exchange)
    if (body.kind === 'gone') return undefined
    if (body.kind === 'late') return refusal('UPLOAD_TIMEOUT')
    if (body.kind === 'large') return refusal('BODY_TOO_LARGE')
    return this.#reply(passage, await this.#submit(passage, body))
  }

  async #passLater(
    passage: Passage,
    lengthBytes: number | undefined,
  ): Promise<Failure | undefined> {
    const body: Body = { kind: 'later', declaredBytes: lengthBytes }
    const settled = await this.#submit(passage, body)
    const { outcome } = settled
    if (outcome.kind !== 'authorised') return this.#reply(passage, settled)
    passage.grant.confirm()
    const admission = this.#rooms.admit(outcome.room, lengthBytes)
    if (!admission.ok) return admission.failure
    try {
      return await this.#upload(passage, outcome, admission.place.limit)
    } finally {
      admission.place.release()
    }
  }

  async #upload(
    passage: Passage,
    authorised: Extract<Outcome, { kind: 'authorised' }>,
    limit: BodyLimit,
  ): Promise<Failure | undefined> {
    const { exchange, grant } = passage
    const { compute, staging, isLowOnSpace } = this.#parts
    if (isLowOnSpace()) return refusal('STORAGE_FULL')
    const worker = compute.workerForStream()
    const windowBytes = uploadWindowBytes(staging) + authorised.heldBytes
    if (!worker || !grant.openStream(windowBytes)) return refusal('NODE_BUSY')
    // The batch that it is a view of must not be kept for the length of an upload.
    const prepared = new Uint8Array(authorised.prepared)
    this.#lastUploadNo += 1
    const receiver = new UploadReceiver({
      compute,
      worker,
      streamId: this.#lastUploadNo,
      prepared,
      staging,
      limit,
      isLowOnSpace,
    })
    continueIfAsked(exchange)
    this.#arriving.add(exchange)
    const upload = await receiver.receive(exchange.request)
    this.#arriving.delete(exchange)
    if (!upload.ok) return upload.failure
    const requestId = this.#parts.dispatcher.createRequestId()
    const entry: Entry = { kind: 'commit', requestId, prepared, staged: upload.value }
    const committed = await this.#dispatch(passage, entry, prepared.length + upload.value.length)
    receiver.discard()
    return this.#reply(passage, committed)
  }

  async #submit(passage: Passage, body: Body): Promise<Settled> {
    const { route, authorization, exchange } = passage
    const headers = readEntryHeaders(exchange.request.rawHeaders)
    const bodyBytes = body.kind === 'whole' ? body.bytes.length : 0
    const bytes = authorization.length + bodyBytes
    const requestId = this.#parts.dispatcher.createRequestId()
    const entry: Entry = { kind: 'token', requestId, route, authorization, headers, body }
    let settled = await this.#dispatch(passage, entry, bytes)
    let answers: NetworkAnswers = {}
    for (let asked = 0; asked < INQUIRIES_PER_TOKEN_MAX; asked++) {
      if (settled.outcome.kind !== 'inquiry') return settled
      const asking = { client: exchange.client, known: answers }
      const reply = await this.#parts.network.ask(settled.outcome.inquiry, asking)
      if (!reply.ok) return failed(reply.failure, requestId)
      answers = reply.answers
      settled = await this.#dispatch(passage, { ...entry, answers }, bytes)
    }
    return settled
  }

  #dispatch({ lane, exchange, grant }: Passage, entry: Entry, bytes: number): Promise<Settled> {
    return this.#parts.dispatcher.submit({
      lane,
      entry,
      bytes,
      isAbandoned: () => exchange.isGone,
      onVerified: () => grant.confirm(),
    })
  }

  /** A reply that goes on for long counts against the space that it was verified for. */
  #reply(passage: Passage, settled: Settled): Promise<Failure | undefined> {
    const { kind } = settled.outcome
    if (kind === 'download' || kind === 'listing') passage.grant.confirm()
    return this.#parts.replies.send(passage, settled)
  }
}

const failed = (failure: Failure, requestId: number): Settled => ({
  outcome: { requestId, kind: 'failure', failure },
  worker: undefined,
})
