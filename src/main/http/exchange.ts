/**
 * One request and its answer: the only place that writes to a response. Every answer gets the same security, trace and
 * cross-origin headers, errors included.
 *
 * Answers go out as one head and one body. Fastify only routes: its reply layer is bypassed, because it costs more and
 * shapes bodies that must leave as they are.
 */
import { type IncomingMessage, type ServerResponse } from 'node:http'

import { type Answer, type Failure } from '../../protocol/answer.ts'
import { WIRE_ERRORS, wireText } from '../../protocol/error.ts'
import { readClientName, type TrustedProxies } from './client-address.ts'
import { type ConnectionLimits } from './connections.ts'
import { corsHeaders, type FlatHeaders, PUBLIC_CORS } from './cors.ts'
import { errorPage } from './error-page.ts'
import { createTraceId } from './trace-id.ts'

/** What exchanges share: made once per server. */
export interface ExchangeSettings {
  readonly cors: boolean
  readonly trustedProxies: TrustedProxies
  readonly connections: ConnectionLimits
  /** The node is going down: connections are closed after their answer. */
  isStopping(): boolean
  /** Called when the head of the answer is written. */
  onAnswered(exchange: Exchange, status: number): void
}

/** When to try again, by status: a node that is busy is so for a moment; tickets of signed URLs end in minutes. */
const RETRY_S: ReadonlyMap<number, number> = new Map([
  [429, 60],
  [503, 1],
])
const TEXT = 'text/plain; charset=utf-8'
const BODILESS_STATUSES: ReadonlySet<number> = new Set([204, 304])
const SECURITY_HEADERS: FlatHeaders = [
  'x-content-type-options',
  'nosniff',
  'x-frame-options',
  'SAMEORIGIN',
]

export type HeaderPairs = Answer['headers']

export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The pattern of the path, for logs and metrics: never the path itself. */
  readonly route: string
  readonly traceId: string = createTraceId()
  readonly startedMs: number = performance.now()
  /** Why it was refused, for the log. */
  refusal: Failure | undefined
  readonly #settings: ExchangeSettings
  #isOpenToAll = false

  constructor(
    settings: ExchangeSettings,
    raw: { request: IncomingMessage; response: ServerResponse },
    route: string,
  ) {
    this.#settings = settings
    this.request = raw.request
    this.response = raw.response
    this.route = route
  }

  get client(): string {
    return readClientName(this.#settings.trustedProxies.clientAddress(this.request))
  }

  get isStopping(): boolean {
    return this.#settings.isStopping()
  }

  /** The head of the answer is wanted without its body. */
  get isHead(): boolean {
    return this.request.method === 'HEAD'
  }

  /** The client closed the connection: whatever is sent reaches nobody. */
  get isGone(): boolean {
    return this.response.destroyed || this.request.socket.destroyed
  }

  /** Sends a whole answer. Borrowed: the body must not change until it is flushed. */
  send(status: number, headers: HeaderPairs, body: Uint8Array): void {
    if (!this.#writeHead(status, headers, body.length)) return
    if (body.length > 0) this.response.end(body)
    else this.response.end()
  }

  /** Every page may read the answer, whether or not the node serves web apps (PUBLIC-6). */
  openToAll(): void {
    this.#isOpenToAll = true
  }

  /** Answers HEAD where the length of the body is not known. */
  sendHead(status: number, headers: HeaderPairs): void {
    if (this.#writeHead(status, headers, undefined)) this.response.end()
  }

  sendText(text: string): void {
    this.send(200, [['content-type', TEXT]], Buffer.from(text))
  }

  sendAnswer(answer: Answer): void {
    this.send(answer.status, answer.headers, answer.body)
  }

  /**
   * Sends a refusal: its wire text, or the error page of its status. A text of 5xx never carries a detail.
   * @param retryAfterS when to try again, where it is known better than by the status
   */
  sendFailure(failure: Failure, retryAfterS?: number): void {
    this.refusal = failure
    const error = WIRE_ERRORS[failure.code]
    const headers: [string, string][] = []
    const waitS = retryAfterS ?? RETRY_S.get(error.status)
    if (waitS !== undefined) headers.push(['retry-after', String(waitS)])
    if ('catcher' in error) {
      const page = errorPage(error.status, this.request.headers.accept)
      this.send(error.status, [['content-type', page.contentType], ...headers], page.body)
      return
    }
    const text = Buffer.from(wireText(failure.code, failure.detail))
    this.send(error.status, [['content-type', TEXT], ...headers], text)
  }

  /** Starts an answer whose body follows in parts; undefined length: it ends when it ends. False: nobody listens. */
  startStream(status: number, headers: HeaderPairs, lengthBytes: number | undefined): boolean {
    return this.#writeHead(status, headers, lengthBytes)
  }

  /** Resets the connection: a broken body must not look like a whole one. */
  reset(): void {
    this.response.destroy()
  }

  /** The answer has left this process, or never will. */
  get isFlushed(): boolean {
    return this.response.destroyed || this.response.writableLength === 0
  }

  /** Resolves when it is flushed. Undefined: it already is. */
  flushed(): Promise<void> | undefined {
    return this.isFlushed ? undefined : this.#taken('close')
  }

  /** Resolves when the client has taken what was written of an answer in parts, or is gone. */
  drained(): Promise<void> {
    return this.response.destroyed ? Promise.resolve() : this.#taken('drain')
  }

  /** HTTP-12: a client that takes next to nothing is cut off, or a few of them would hold all the places and memory. */
  #taken(event: 'close' | 'drain'): Promise<void> {
    const { response } = this
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.reset(), this.#settings.connections.takeMs)
      const settle = (): void => {
        clearTimeout(timer)
        response.off(event, settle)
        response.off('close', settle)
        resolve()
      }
      response.on(event, settle)
      // Whatever else it waits for does not come then.
      if (event !== 'close') response.on('close', settle)
    })
  }

  #writeHead(status: number, headers: HeaderPairs, lengthBytes: number | undefined): boolean {
    if (this.isGone || this.response.headersSent) return false
    const flat: string[] = [...SECURITY_HEADERS, 'tinycloud-trace-id', this.traceId]
    if (this.#isOpenToAll) flat.push(...PUBLIC_CORS)
    else if (this.#settings.cors) flat.push(...corsHeaders(this.request.headers.origin, headers))
    for (const [name, value] of headers) flat.push(name, value)
    const isLengthOpen = lengthBytes === undefined || BODILESS_STATUSES.has(status)
    if (!isLengthOpen && !(this.isHead && isLengthTold(headers))) {
      flat.push('content-length', String(lengthBytes))
    }
    if (this.#settings.isStopping()) flat.push('connection', 'close')
    this.response.writeHead(status, flat)
    this.#settings.onAnswered(this, status)
    return true
  }
}

/** An answer to HEAD without a body tells the length that the body would have (HTTP-7). */
const isLengthTold = (headers: HeaderPairs): boolean =>
  headers.some(([name]) => name === 'content-length')
