/**
 * Bad input as a table: what is sent where, and the refusal that must come back. The test of a running node goes through
 * it, and the section "Bad input" of docs/protocol.md is made from it.
 */
import { type ErrorCode, WIRE_ERRORS, wireText } from '../../src/protocol/error.ts'
import { type Account, type Connections, type Holder, type RequestOptions } from './client.ts'
import { statusOf } from './raw-http.ts'

/** Who is attacked, and with what an attacker may come. */
export interface Stage {
  readonly url: string
  readonly connections: Connections
  /** Owns a space that must not change. */
  readonly victim: Account
  /** Another account of the node. */
  readonly stranger: Account
  /** A stored delegation of the victim to another key, on `shared`, with every kv ability. */
  readonly share: Holder
}

export interface Answered {
  readonly status: number
  readonly text: string
}

/** What must come back: a refusal of the catalogue, or the bare status of the HTTP parser, 0 for a closed connection. */
export type Expected =
  | { readonly code: ErrorCode; readonly detail?: string }
  | { readonly bareStatus: number }

export interface BadCase {
  readonly name: string
  readonly route: string
  readonly expected: Expected
  readonly send: (stage: Stage) => Promise<Answered>
}

export interface BadRequest extends Omit<RequestOptions, 'method'> {
  readonly authorization: string
}

/** A token that cannot be sent by a client that checks what it sends would need a raw case. */
export function tokenCase(
  route: '/invoke' | '/delegate' | '/revoke',
  name: string,
  expected: Expected,
  make: (stage: Stage) => BadRequest,
): BadCase {
  return {
    name,
    route: `POST ${route}`,
    expected,
    send: async (stage) => {
      const reply = await stage.connections.request(route, make(stage))
      return { status: reply.status, text: reply.text() }
    },
  }
}

/** The answer to bytes: status, and body after the head. */
export function readAnswered(received: string): Answered {
  const head = received.indexOf('\r\n\r\n')
  const body = head === -1 ? '' : received.slice(head + 4)
  // Node answers an unknown expectation by itself, in chunks of which there are none.
  return { status: statusOf(received), text: body === '0\r\n\r\n' ? '' : body }
}

export const expectedStatus = (expected: Expected): number =>
  'code' in expected ? WIRE_ERRORS[expected.code].status : expected.bareStatus

/** What differs from the expected answer; undefined: nothing. */
export function differenceOf(expected: Expected, { status, text }: Answered): string | undefined {
  const wanted = expectedStatus(expected)
  if (status !== wanted) return `status ${status}, not ${wanted}: ${text.slice(0, 200)}`
  if (!('code' in expected)) return text === '' ? undefined : `a body: ${text.slice(0, 200)}`
  const { code, detail } = expected
  if ('catcher' in WIRE_ERRORS[code]) {
    return text.includes(`<h1>${wanted}: `) ? undefined : `not the error page: ${text}`
  }
  const isText =
    detail === undefined
      ? splitText(code).every((part) => text.includes(part))
      : text === wireText(code, detail)
  return isText ? undefined : `text "${text}", not of ${code}`
}

const splitText = (code: ErrorCode): string[] => WIRE_ERRORS[code].text.split('{}')

/**
 * The cases as lines of a table. Cases that follow each other and whose names differ only after the colon share a line.
 */
export function documentLines(cases: readonly BadCase[]): string[] {
  const lines: { readonly key: string; readonly rest: string; name: string }[] = []
  for (const { name, route, expected } of cases) {
    const colon = name.indexOf(': ')
    const topic = colon === -1 ? name : name.slice(0, colon)
    const rest = `${route} | ${statusText(expected)} | ${cell(answerText(expected))}`
    const key = `${topic} | ${rest}`
    const last = lines.at(-1)
    if (colon !== -1 && last?.key === key) last.name += `; ${name.slice(colon + 2)}`
    else lines.push({ key, rest, name })
  }
  return lines.map(({ name, rest }) => `| ${cell(name)} | ${rest} |`)
}

function statusText(expected: Expected): string {
  const status = expectedStatus(expected)
  return status === 0 ? 'closed' : String(status)
}

function answerText(expected: Expected): string {
  if (!('code' in expected)) return expected.bareStatus === 0 ? '—' : '*bare*'
  const { code, detail } = expected
  return detail !== undefined && WIRE_ERRORS[code].text === '{}' ? `${code}: ${detail}` : code
}

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`)
