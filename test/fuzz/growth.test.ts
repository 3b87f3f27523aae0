/**
 * Time and memory by the size of the input: what is twice as long takes about twice as long, whatever it is made of.
 *
 * Each family repeats one piece until a token is full. A parser that goes over its input once for each piece would take
 * sixteen times as long for four times the pieces.
 */
import { describe, expect, it } from 'vitest'
import { parseBase64url, formatBase64url } from '../../src/protocol/base64url.ts'
import { utf8 } from '../../src/protocol/bytes.ts'
import { parseCid } from '../../src/protocol/cid.ts'
import { decodeDagCbor } from '../../src/protocol/dag-cbor.ts'
import { normalizePrincipal, resolveVerificationKey } from '../../src/protocol/did.ts'
import { parseStrictJson } from '../../src/protocol/json.ts'
import { TOKEN_BYTES_MAX, TOKEN_DEPTH_MAX } from '../../src/protocol/limits.ts'
import { parseRecapUri } from '../../src/protocol/recap.ts'
import { coversResource, parseResource, parseSpaceId } from '../../src/protocol/resource.ts'
import { parseRfc3339 } from '../../src/protocol/rfc3339.ts'
import { parseSiwe } from '../../src/protocol/siwe.ts'
import { parseToken, verifyToken } from '../../src/protocol/token.ts'
import { FormParser } from '../../src/workers/compute/form/form-parser.ts'
import { readHeaderParameters } from '../../src/workers/compute/form/header-parameters.ts'
import { matchesEtag } from '../../src/workers/compute/value/etag.ts'
import { wantedPart } from '../../src/workers/compute/value/byte-range.ts'
import { codeOf, SESSION, SPACE } from '../_util/credentials.ts'

/** Of the largest input, a token that is full. */
const WHOLE_MS_MAX = 400
/** Below this the time goes into fresh memory, which is no matter of the parser. */
const MEASURABLE_MS = 40
/** Four times the pieces: 4 where time is linear, 16 where it is quadratic. */
const GROWTH_MAX = 9
const ATTEMPTS = 5
const ROUNDS = 3
const PIECE_CHARS = 1400
const RSS_KB_MAX = 256 * 1024

interface Family {
  readonly read: (text: string) => unknown
  readonly head?: string
  readonly piece: string
  readonly tail?: string
}

const json = (text: string): unknown => parseStrictJson(text, { depthMax: TOKEN_DEPTH_MAX })
const cbor = (text: string): unknown =>
  decodeDagCbor(Buffer.from(text, 'latin1'), { depthMax: TOKEN_DEPTH_MAX })
const both =
  (...reads: ((text: string) => unknown)[]) =>
  (text: string): void =>
    reads.forEach((read) => codeOf(() => read(text)))

const resource = both(parseResource, parseSpaceId, (text) => {
  const parsed = parseResource(text)
  return coversResource(parsed, parsed)
})
const did = both(normalizePrincipal, resolveVerificationKey)
const segment = (value: unknown): string =>
  formatBase64url(utf8(JSON.stringify(value)), { padding: 'none' })
const HEADER = segment({ alg: 'EdDSA', typ: 'JWT', ucv: '0.10.0' })
const ucan = (payload: string): void => {
  const text = `${HEADER}.${formatBase64url(utf8(payload), { padding: 'none' })}.AAAA`
  codeOf(() => verifyToken(parseToken(text)))
}
/** In pieces of the size that a socket gives. */
const form = (text: string): void => {
  const parser = new FormParser('x')
  const kinds = new Set<string>()
  for (let at = 0; at < text.length; at += PIECE_CHARS)
    for (const event of parser.push(Buffer.from(text.slice(at, at + PIECE_CHARS), 'latin1')))
      kinds.add(event.kind)
  parser.finish()
}
const FIELDS = `"iss":"${SESSION.did}","aud":"${SESSION.did}","exp":1`
const SIWE_HEAD = `app.example wants you to sign in with your Ethereum account:
0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A

`

const FAMILIES: Readonly<Record<string, Family>> = {
  'json: open arrays': { read: json, piece: '[' },
  'json: open objects': { read: json, piece: '{"a":' },
  'json: backslashes': { read: json, head: '"', piece: '\\\\', tail: '"' },
  'json: escaped quotes': { read: json, head: '"', piece: '\\"', tail: '"' },
  'json: open escaped quotes': { read: json, head: '["', piece: '\\"' },
  'json: escaped names': { read: json, head: '[', piece: '{"\\u0061":0},', tail: '0]' },
  'json: the same name': { read: json, head: '{', piece: '"a":0,', tail: '"b":"\\n"}' },
  'json: blanks': { read: json, head: '["\\n"', piece: ' ' },
  'json: digits': { read: json, piece: '9' },
  'json: digits with escapes': { read: json, head: '["\\n",', piece: '9', tail: ']' },
  'base64url: letters': { read: (text) => parseBase64url(text, { padding: 'none' }), piece: 'A' },
  'base64url: padding': {
    read: (text) => parseBase64url(text, { padding: 'required' }),
    piece: '=',
  },
  'token: dots': { read: parseToken, piece: '.' },
  'token: letters': { read: parseToken, piece: 'A' },
  'token: unpadded CBOR': { read: parseToken, piece: 'oWFh' },
  'cbor: open arrays': { read: cbor, piece: '\x81' },
  'cbor: open maps': { read: cbor, piece: '\xa1\x61a' },
  'cbor: small items': { read: cbor, head: '\x9a\x00\x01\x50\x00', piece: '\x00' },
  'cbor: tags': { read: cbor, piece: '\xd8\x2a' },
  'cbor: texts': { read: cbor, head: '\x9a\x00\x01\x50\x00', piece: '\x61\x61' },
  'resource: slashes': { read: resource, head: `${SPACE}/kv`, piece: '/' },
  'resource: segments': { read: resource, head: `${SPACE}/kv/`, piece: 'a/' },
  'resource: dots': { read: resource, head: `${SPACE}/kv/`, piece: '/.a', tail: '/..' },
  'resource: escapes': { read: resource, head: `${SPACE}/kv/`, piece: '%20', tail: '%' },
  'resource: colons': { read: resource, head: 'tinycloud:', piece: ':', tail: '/kv' },
  'resource: at signs': { read: resource, head: 'x://', piece: '@', tail: ' ' },
  'resource: user and host': { read: resource, head: 'x://', piece: 'a:', tail: '\\' },
  'resource: ports': { read: resource, head: 'x://h', piece: ':1', tail: '\\' },
  'resource: questions': { read: resource, head: `${SPACE}/kv`, piece: '?', tail: '\\' },
  'resource: networks': { read: resource, head: 'urn:tinycloud:encryption:did:', piece: ':a' },
  'did: colons': { read: did, head: 'did:x:', piece: ':' },
  'did: escapes': { read: did, head: 'did:x:', piece: '%20', tail: ':' },
  'did: letters': { read: did, head: 'did:key:z', piece: '6M' },
  'cid: letters': { read: parseCid, head: 'z', piece: '7' },
  'time: digits': { read: parseRfc3339, head: '2026-01-01T00:00:00.', piece: '9', tail: 'Z' },
  'siwe: lines': { read: parseSiwe, head: SIWE_HEAD, piece: '\n' },
  'siwe: statement': { read: parseSiwe, head: SIWE_HEAD, piece: 'a' },
  'recap: letters': { read: parseRecapUri, head: 'urn:recap:', piece: 'eyJh' },
  'ucan: proofs': { read: ucan, head: `{${FIELDS},"att":{},"prf":[`, piece: '"",', tail: '""]}' },
  'ucan: abilities': {
    read: ucan,
    head: `{${FIELDS},"prf":[],"att":{"urn:x":{`,
    piece: '"a/b":[{}],',
    tail: '"a/c":[{}]}}}',
  },
  'ucan: caveats': {
    read: ucan,
    head: `{${FIELDS},"prf":[],"att":{"urn:x":{"a/b":[`,
    piece: '{},',
    tail: '{}]}}}',
  },
  'ucan: facts': {
    read: ucan,
    head: `{${FIELDS},"prf":[],"att":{},"fct":[`,
    piece: '[],',
    tail: '0]}',
  },
  'parameters: semicolons': { read: readHeaderParameters, head: 'a', piece: ';' },
  'parameters: blanks': { read: readHeaderParameters, head: 'a;', piece: ' \t', tail: 'x' },
  'parameters: pairs': { read: readHeaderParameters, head: 'a', piece: '; a=b', tail: ' x' },
  'parameters: an open quote': { read: readHeaderParameters, head: 'a; b="', piece: 'c' },
  'parameters: escapes': { read: readHeaderParameters, head: 'a; b="', piece: '\\"', tail: '"' },
  'parameters: a name': { read: readHeaderParameters, head: 'a;', piece: 'b' },
  'form: delimiters': { read: form, piece: '\r\n--x' },
  'form: parts': { read: form, piece: '\r\n--x\r\n\r\n' },
  'form: half delimiters': { read: form, head: '--x\r\n\r\n', piece: '\r\n--' },
  'form: blanks after a delimiter': { read: form, head: '--x', piece: ' ' },
  'form: headers': { read: form, head: '--x\r\n', piece: 'a:b\r\n' },
  'header: etags': { read: (text) => matchesEtag(text, '"x"'), piece: 'W/,' },
  'header: blanks': { read: (text) => matchesEtag(text, '"x"'), piece: ' \t' },
  'header: range': {
    read: (text) => wantedPart({ range: text, ifRange: undefined }, { etag: '', valueBytes: 1 }),
    head: 'bytes=',
    piece: '1',
    tail: '-x',
  },
  'header: range blanks': {
    read: (text) => wantedPart({ range: text, ifRange: undefined }, { etag: '', valueBytes: 1 }),
    head: 'bytes=1-',
    piece: '\t ',
    tail: 'x',
  },
}

const PAYLOAD_BYTES = Math.floor((TOKEN_BYTES_MAX * 3) / 4) - 1024

function inputOf({ head = '', piece, tail = '' }: Family, share: number): string {
  const pieces = Math.floor((PAYLOAD_BYTES * share - head.length - tail.length) / piece.length)
  return head + piece.repeat(pieces) + tail
}

/** The best of several attempts: pauses of the machine are not the parser's. */
function bestMs(read: (text: string) => unknown, text: string): number {
  let best = Infinity
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const startedMs = performance.now()
    codeOf(() => read(text))
    best = Math.min(best, performance.now() - startedMs)
  }
  return best
}

/** How much longer four times the pieces take. A true growth shows each time. */
function growthOf(family: Family): number {
  const ratios = Array.from({ length: ROUNDS }, () => {
    const quarterMs = bestMs(family.read, inputOf(family, 0.25))
    return bestMs(family.read, inputOf(family, 1)) / quarterMs
  })
  return Math.min(...ratios)
}

describe('growth with the size of the input', () => {
  it.each(Object.entries(FAMILIES))('%s', (_, family) => {
    const before = process.resourceUsage().maxRSS
    const wholeMs = bestMs(family.read, inputOf(family, 1))
    expect(wholeMs).toBeLessThan(WHOLE_MS_MAX)
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(RSS_KB_MAX)
    const growth = wholeMs < MEASURABLE_MS ? 0 : growthOf(family)
    expect(growth).toBeLessThan(GROWTH_MAX)
  })

  it('tells a parser that goes back', () => {
    const goesBack: Family = {
      piece: 'a',
      read: (text) => {
        let sum = 0
        for (let at = 0; at < text.length; at += 4) sum += text.indexOf('b', at)
        return sum
      },
    }
    expect(bestMs(goesBack.read, inputOf(goesBack, 1))).toBeGreaterThan(MEASURABLE_MS)
    expect(growthOf(goesBack)).toBeGreaterThan(GROWTH_MAX)
  })
})
