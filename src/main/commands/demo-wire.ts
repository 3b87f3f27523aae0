/** The HTTP exchanges of the demo, and what went over the wire for those who want to see it. */
import { type IssuedToken } from '../../protocol/client/issued-token.ts'
import { parseToken } from '../../protocol/token.ts'

export interface WireRequest {
  readonly method: 'GET' | 'POST'
  /** Path, with its parts already escaped. */
  readonly path: string
  readonly token?: IssuedToken
  readonly body?: string
}

export interface WireAnswer {
  readonly status: number
  readonly text: string
  readonly etag: string | null
}

export interface Wire {
  /** @throws {NodeUnreachable} */
  exchange(request: WireRequest): Promise<WireAnswer>
}

/** Nobody answered, or not in time, or without end. */
export class NodeUnreachable extends Error {
  override readonly name = 'NodeUnreachable'
}

/** The node answered something else than it should. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer'
}

const ANSWER_TIMEOUT_MS = 10_000
/** No answer of the demo comes near it. */
const ANSWER_BYTES_MAX = 1024 * 1024
/** Of a token; what it says is shown decoded. */
const TOKEN_CHARS_SHOWN = 60

/** `show` takes one line at a time; undefined: nothing is shown. */
export function createWire(url: URL, show: ((line: string) => void) | undefined): Wire {
  const base = url.href.replace(/\/+$/, '')
  return {
    async exchange(request) {
      showRequest(request, show)
      const answer = await send(base, request)
      showAnswer(answer, show)
      return answer
    },
  }
}

async function send(base: string, { method, path, token, body }: WireRequest): Promise<WireAnswer> {
  try {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: token.authorization },
      ...(body === undefined ? {} : { body }),
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    const text = await readText(response)
    return { status: response.status, text, etag: response.headers.get('etag') }
  } catch (error) {
    throw new NodeUnreachable(reasonOf(error), { cause: error })
  }
}

async function readText({ body }: Response): Promise<string> {
  if (body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX)
      throw new RangeError(`The answer has more than ${ANSWER_BYTES_MAX} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** `fetch` says "fetch failed" and keeps the reason in its cause, which may in turn stand for several attempts. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof AggregateError && error.cause.errors.length > 0)
    return reasonOf(error.cause.errors[0])
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message
}

function showRequest(
  { method, path, token, body }: WireRequest,
  show: ((line: string) => void) | undefined,
): void {
  if (show === undefined) return
  show(`  → ${method} ${path}`)
  if (token !== undefined) {
    const { authorization } = token
    show(
      `    authorization: ${authorization.slice(0, TOKEN_CHARS_SHOWN)}… (${authorization.length} characters)`,
    )
    for (const line of describeToken(authorization)) show(`    | ${line}`)
  }
  if (body !== undefined) show(`    ${body}`)
}

function showAnswer(
  { status, text, etag }: WireAnswer,
  show: ((line: string) => void) | undefined,
): void {
  if (show === undefined) return
  show(`  ← ${status}${etag === null ? '' : `  etag: ${etag}`}`)
  if (text !== '') for (const line of text.split('\n')) show(`    ${line}`)
}

/** What the token says: the message that the wallet showed, or the claims that the key signed. */
function describeToken(authorization: string): string[] {
  const { encoding, signingInput } = parseToken(authorization)
  const signed = Buffer.from(signingInput).toString('utf8')
  if (encoding === 'cacao') return signed.split('\n')
  return [Buffer.from(signed.split('.')[1] ?? '', 'base64url').toString('utf8')]
}
