/** Requests that are wrong as HTTP: methods, paths, heads, framing. Sent as bytes, because no client would send most. */
import { type ErrorCode } from '../../src/protocol/error.ts'
import { type BadCase, type Expected, readAnswered, type Stage } from './bad-input.ts'
import { issueKv } from './client.ts'
import { openRaw, sendRaw } from './raw-http.ts'

const lines = (...parts: readonly string[]): string => [...parts, '', ''].join('\r\n')

const HOST = 'host: x'

/** `authorization: ‹a put that would be good›` */
const goodPut = ({ victim }: Stage): string =>
  `authorization: ${issueKv(victim, 'put', 'bad/http').authorization}`

const toExpected = (expected: ErrorCode | number): Expected =>
  typeof expected === 'number' ? { bareStatus: expected } : { code: expected }

/** One request on a connection of its own. */
function rawCase(
  name: string,
  route: string,
  expected: ErrorCode | number,
  make: (stage: Stage) => string | Uint8Array,
): BadCase {
  return {
    name,
    route,
    expected: toExpected(expected),
    send: async (stage) => readAnswered(await sendRaw(stage.url, make(stage))),
  }
}

/**
 * A request after which the connection must end, with no more than one answer: were what follows the head read in another
 * way by somebody in between, it would pass for a request of somebody else.
 */
function smuggled(
  name: string,
  expected: ErrorCode | number,
  make: (stage: Stage) => string | Uint8Array,
): BadCase {
  return {
    name,
    route: 'POST /invoke',
    expected: toExpected(expected),
    send: async (stage) => {
      const conversation = openRaw(stage.url)
      conversation.socket.write(make(stage))
      const received = await conversation.closed()
      const answers = received.split('HTTP/1.1 ').length - 1
      if (answers > 1) throw new Error(`${answers} answers: ${received}`)
      return readAnswered(received)
    },
  }
}

const INSIDE = lines('GET /version HTTP/1.1', HOST)

/** A put with two opinions about where its body ends. */
const framing = (name: string, headers: readonly string[], body: string): BadCase =>
  smuggled(name, 400, (stage) =>
    Buffer.from(lines('POST /invoke HTTP/1.1', HOST, goodPut(stage), ...headers) + body, 'latin1'),
  )

const framingCases: readonly BadCase[] = [
  framing(
    'a length that can be read in two ways: content-length and transfer-encoding',
    ['content-length: 5', 'transfer-encoding: chunked'],
    `0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: transfer-encoding and content-length',
    ['transfer-encoding: chunked', 'content-length: 5'],
    `0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: two content-lengths',
    ['content-length: 5', 'content-length: 50'],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: two equal content-lengths',
    ['content-length: 5', 'content-length: 5'],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: content-length `5, 5`',
    ['content-length: 5, 5'],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: content-length `5 5`',
    ['content-length: 5 5'],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: content-length `-1`',
    ['content-length: -1'],
    INSIDE,
  ),
  framing(
    'a length that can be read in two ways: content-length `+5`',
    ['content-length: +5'],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: content-length `0x5`',
    ['content-length: 0x5'],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: content-length `5e1`',
    ['content-length: 5e1'],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: content-length of 30 digits',
    [`content-length: ${'9'.repeat(30)}`],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: content-length with a name that ends in a blank',
    ['content-length : 5'],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: transfer-encoding `gzip`',
    ['transfer-encoding: gzip'],
    `hello${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: transfer-encoding `chunked, gzip`',
    ['transfer-encoding: chunked, gzip'],
    `0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: transfer-encoding `xchunked`',
    ['transfer-encoding: xchunked'],
    `0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: transfer-encoding `chunked, identity`',
    ['transfer-encoding: chunked', 'transfer-encoding: identity'],
    `0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: transfer-encoding after a blank',
    [' transfer-encoding: chunked'],
    `0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a length that can be read in two ways: transfer-encoding with a vertical tab',
    ['transfer-encoding: \u000bchunked'],
    `0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a malformed header: a carriage return inside a header',
    ['x-a: b\rtransfer-encoding: chunked'],
    `0\r\n\r\n${INSIDE}`,
  ),
  framing('a malformed header: a header without colon', ['x-a'], INSIDE),
  framing('a malformed header: a header without name', [': x'], INSIDE),
  framing('a malformed header: a header with a NUL', ['x-a: b\u0000c'], INSIDE),
  framing('a malformed header: a header name with a blank', ['x a: b'], INSIDE),
  framing('a malformed header: a header name in UTF-8', ['x-\u00e9: b'], INSIDE),
  framing(
    'a malformed chunk: a chunk size that is no number',
    ['transfer-encoding: chunked'],
    `zz\r\nhello\r\n0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a malformed chunk: a negative chunk size',
    ['transfer-encoding: chunked'],
    `-5\r\nhello\r\n0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a malformed chunk: a chunk size of 17 digits',
    ['transfer-encoding: chunked'],
    `${'f'.repeat(17)}\r\nhello`,
  ),
  framing(
    'a malformed chunk: a chunk longer than its size',
    ['transfer-encoding: chunked'],
    `5\r\nhello more\r\n0\r\n\r\n${INSIDE}`,
  ),
  framing(
    'a malformed chunk: a chunk extension of 100,000 characters',
    ['transfer-encoding: chunked'],
    `5;${'e'.repeat(100_000)}\r\nhello\r\n`,
  ),
]

const SHOWN_CHARS_MAX = 40

/** Short, and with control characters as escapes. */
function shown(line: string): string {
  const text = JSON.stringify(line).slice(1, -1)
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX / 2)}…` : text
}

const requestLine = (name: string, expected: ErrorCode | number, line: string): BadCase =>
  rawCase(`${name}: \`${shown(line)}\``, '*request line*', expected, () =>
    Buffer.from(lines(line, HOST), 'latin1'),
  )

const requestLineCases: readonly BadCase[] = [
  ...[
    'GET /invoke',
    'PUT /invoke',
    'DELETE /delegate',
    'PATCH /revoke',
    'TRACE /',
    'POST /healthz',
  ].map((line) => requestLine('another method', 'ROUTE_NOT_FOUND', `${line} HTTP/1.1`)),
  ...[
    '/Invoke',
    '/invoke/x',
    '/./invoke',
    '/x/../invoke',
    '/invoke%2f',
    '/invoke%00',
    '/share/v2/policies',
    '/',
  ].map((path) => requestLine('another path', 'ROUTE_NOT_FOUND', `POST ${path} HTTP/1.1`)),
  requestLine('an unknown method', 400, 'STEAL / HTTP/1.1'),
  requestLine('a method in small letters', 400, 'get / HTTP/1.1'),
  requestLine('an escape that is none', 'REQUEST_MALFORMED', 'GET /% HTTP/1.1'),
  requestLine('an escape that is no UTF-8', 'REQUEST_MALFORMED', 'GET /%FF HTTP/1.1'),
  requestLine('a NUL in the path', 400, 'GET /\u0000 HTTP/1.1'),
  requestLine('a blank in the path', 400, 'GET /a b HTTP/1.1'),
  requestLine(
    'a path of 100,000 characters',
    'ROUTE_NOT_FOUND',
    `GET /${'a'.repeat(100_000)} HTTP/1.1`,
  ),
  requestLine('a path of 700,000 characters', 431, `GET /${'a'.repeat(700_000)} HTTP/1.1`),
  requestLine(
    'a path of 100,000 slashes',
    'ROUTE_NOT_FOUND',
    `GET ${'/'.repeat(100_000)}x HTTP/1.1`,
  ),
  requestLine('HTTP/2.0', 400, 'PRI * HTTP/2.0'),
  requestLine('HTTP/9.9', 400, 'GET /version HTTP/9.9'),
  requestLine('nothing but a line', 400, 'hello'),
  rawCase('the start of a TLS connection', '`16 03 01…`', 400, () =>
    Buffer.from('16030100a5010000a10303', 'hex'),
  ),
  rawCase('random bytes', '`a5 a5…`', 400, () => Buffer.alloc(1000, 0xa5)),
]

const BAD_SPACES = [
  '',
  'x',
  'tinycloud',
  'tinycloud:',
  'tinycloud::',
  'tinycloud:pkh:eip155:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B:',
  'tinycloud:pkh:eip155:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B:%252E%252E',
  'tinycloud:pkh:eip155:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B:a%20b',
  'tinycloud:pkh:eip155:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B:a%2Fb',
  'tinycloud:pkh:eip155:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B:a%00',
  'tinycloud:pkh:eip155:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B:a%3Fb',
  'tinycloud:pkh:eip155:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B:%C3%A9',
  'did:pkh:eip155:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B:a',
]

const spaceCases = BAD_SPACES.map((space) =>
  rawCase(
    `no space id: \`${space}\``,
    'GET /peer/generate/…',
    space === '' ? 'ROUTE_NOT_FOUND' : 'SPACE_ID_INVALID',
    () => lines(`GET /peer/generate/${space} HTTP/1.1`, HOST),
  ),
)

const headerFields = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `x-${index}: a`)

const headCases: readonly BadCase[] = [
  rawCase('no token', 'POST /invoke', 'TOKEN_MISSING', () => lines('POST /invoke HTTP/1.1', HOST)),
  rawCase('no token', 'POST /delegate', 'TOKEN_MISSING', () =>
    lines('POST /delegate HTTP/1.1', HOST),
  ),
  rawCase(
    'no token, and JSON',
    'POST /revoke',
    'TOKEN_MISSING',
    () =>
      `${lines('POST /revoke HTTP/1.1', HOST, 'content-type: application/json', 'content-length: 17')}{"revocation":{}}`,
  ),
  ...['/invoke', '/delegate', '/revoke'].map((path) =>
    rawCase('an empty token', `POST ${path}`, 'TOKEN_MALFORMED', () =>
      lines(`POST ${path} HTTP/1.1`, HOST, 'authorization: '),
    ),
  ),
  rawCase('a token in UTF-8', 'POST /delegate', 'TOKEN_MALFORMED', () =>
    Buffer.from(lines('POST /delegate HTTP/1.1', HOST, 'authorization: \u00c3\u00a9')),
  ),
  rawCase('100 header fields more', 'POST /invoke', 'TOKEN_TOO_LARGE', (stage) =>
    lines('POST /invoke HTTP/1.1', HOST, goodPut(stage), ...headerFields(100)),
  ),
  rawCase('5,000 header fields more', 'POST /invoke', 'TOKEN_TOO_LARGE', (stage) =>
    lines('POST /invoke HTTP/1.1', HOST, goodPut(stage), ...headerFields(5000)),
  ),
  rawCase('a head of 1 MiB', 'POST /invoke', 431, () =>
    lines('POST /invoke HTTP/1.1', HOST, `x-a: ${'a'.repeat(1024 * 1024)}`),
  ),
  rawCase('a body of 10^18 bytes', 'POST /invoke', 'VALUE_TOO_LARGE', (stage) =>
    lines('POST /invoke HTTP/1.1', HOST, goodPut(stage), 'content-length: 1000000000000000000'),
  ),
  rawCase('an expectation that nobody knows', 'POST /invoke', 417, (stage) =>
    lines('POST /invoke HTTP/1.1', HOST, goodPut(stage), 'expect: a-miracle', 'content-length: 1'),
  ),
  rawCase('a tunnel', '`CONNECT x:1`', 0, () => lines('CONNECT x:1 HTTP/1.1', HOST)),
  rawCase('a web socket', 'GET /hooks/events', 'ROUTE_NOT_FOUND', () =>
    lines('GET /hooks/events HTTP/1.1', HOST, 'connection: upgrade', 'upgrade: websocket'),
  ),
]

export const BAD_HTTP: readonly BadCase[] = [
  ...requestLineCases,
  ...headCases,
  ...framingCases,
  ...spaceCases,
]
