import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../../../src/protocol/error.ts'
import { type Precondition } from '../../../../src/workers/storage/request.ts'
import { type TokenEntry } from '../../../../src/workers/compute/request.ts'
import { type Effect, type KeyTarget } from '../../../../src/workers/compute/invoke/effects.ts'
import { parseKvOptions } from '../../../../src/workers/compute/invoke/options.ts'
import { matchesEtag } from '../../../../src/workers/compute/value/etag.ts'

const entry = (headers: Record<string, string>): TokenEntry => ({
  kind: 'token',
  requestId: 1,
  route: 'invoke',
  authorization: 'a.b.c',
  headers: Object.entries(headers),
  body: { kind: 'none' },
})

const target = (keyText: string): KeyTarget => ({
  capability: {
    resource: { kind: 'other', text: 'urn:x' },
    ability: 'tinycloud.kv/get',
    caveats: {},
  },
  space: 'tinycloud:key:z6Mk:a',
  keyText,
  key: Buffer.from(keyText),
})

const GET: Effect = { kind: 'read', read: 'get', targets: [target('a')] }
const PUT: Effect = { kind: 'mutate', puts: [target('a')], deletes: [] }
const DEL: Effect = { kind: 'mutate', puts: [], deletes: [target('a')] }
const LIST: Effect = { kind: 'list', target: target('') }
const digestHex = 'ab'.repeat(32)
const ETAG = `"blake3-${digestHex}"`

const withCursor = (cursor: string) =>
  entry({ 'x-tinycloud-limit': '2', 'x-tinycloud-cursor': cursor })

const plain = (precondition: Precondition) =>
  precondition.kind === 'matches'
    ? { ...precondition, digest: Buffer.from(precondition.digest).toString('hex') }
    : precondition

const textOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof ProtocolError) return error.detail
    throw error
  }
  return 'no error'
}

describe('preconditions of writes (COND-1, COND-2)', () => {
  it('reads If-Match as the digest of a strong ETag, in any case of its digits', () => {
    for (const value of [ETAG, ` ${ETAG} `, ETAG.toUpperCase().replace('BLAKE3', 'blake3')])
      expect(plain(parseKvOptions(entry({ 'if-match': value }), PUT).precondition)).toEqual({
        kind: 'matches',
        digest: digestHex,
      })
    expect(parseKvOptions(entry({ 'if-match': ETAG }), DEL).precondition.kind).toBe('matches')
  })

  it.each([
    ['*', 'strong'],
    [`W/${ETAG}`, 'strong'],
    [`${ETAG}, ${ETAG}`, 'strong'],
    ['', 'strong'],
    ['"', 'strong'],
    ['"blake3-', 'strong'],
    ['"blake3-abcd"', '32-byte'],
    [`"blake3-${'g'.repeat(64)}"`, 'hexadecimal'],
  ])('refuses If-Match %s', (value, word) => {
    expect(textOf(() => parseKvOptions(entry({ 'if-match': value }), PUT))).toContain(word)
  })

  it('takes If-None-Match: * on one put and nowhere else', () => {
    expect(parseKvOptions(entry({ 'if-none-match': '*' }), PUT).precondition.kind).toBe('absent')
    expect(textOf(() => parseKvOptions(entry({ 'if-none-match': ETAG }), PUT))).toContain(
      'only supports *',
    )
    expect(textOf(() => parseKvOptions(entry({ 'if-none-match': '*' }), DEL))).toContain(
      'requires exactly one',
    )
    expect(textOf(() => parseKvOptions(entry({ 'if-none-match': '*' }), LIST))).toContain(
      'requires exactly one',
    )
  })

  it('refuses a condition on a multipart put, on two writes, and both conditions at once', () => {
    const multipart = { 'content-type': 'Multipart/Form-Data; boundary=x' }
    expect(textOf(() => parseKvOptions(entry({ ...multipart, 'if-match': ETAG }), PUT))).toContain(
      'non-multipart',
    )
    const two: Effect = { kind: 'mutate', puts: [], deletes: [target('a'), target('b')] }
    expect(textOf(() => parseKvOptions(entry({ 'if-match': ETAG }), two))).toContain('exactly one')
    expect(
      textOf(() => parseKvOptions(entry({ 'if-match': ETAG, 'if-none-match': '*' }), PUT)),
    ).toBe('KV preconditions cannot be combined')
  })

  it('refuses x-tinycloud-expected-version', () => {
    expect(
      textOf(() => parseKvOptions(entry({ 'x-tinycloud-expected-version': '1' }), PUT)),
    ).toContain('use If-Match')
  })
})

describe('options of reads', () => {
  it('keeps If-None-Match of a single get for the answer (COND-3)', () => {
    const options = parseKvOptions(entry({ 'if-none-match': ETAG }), GET)
    expect([options.ifNoneMatch, options.precondition.kind]).toEqual([ETAG, 'none'])
  })

  it.each(['0', '-1', '1.5', 'ten', '', ' 5', '1e3', '0x10'])('refuses the number %j', (text) => {
    for (const name of ['x-tinycloud-limit', 'x-tinycloud-max-response-bytes'])
      expect(textOf(() => parseKvOptions(entry({ [name]: text }), LIST))).toBe(
        `${name} must be a positive integer`,
      )
  })

  it('bounds the limit of a list (LIST-2)', () => {
    expect(parseKvOptions(entry({ 'x-tinycloud-limit': '1000' }), LIST).listLimit).toBe(1000)
    expect(textOf(() => parseKvOptions(entry({ 'x-tinycloud-limit': '1001' }), LIST))).toContain(
      'between 1 and 1000',
    )
  })

  it('takes a cursor only on a list with a limit, and of bounded length', () => {
    expect(parseKvOptions(withCursor('abc'), LIST).listCursor).toBe('abc')
    expect(textOf(() => parseKvOptions(withCursor('abc'), GET))).toBe('Invalid KV list cursor')
    expect(textOf(() => parseKvOptions(withCursor('A'.repeat(5000)), LIST))).toBe(
      'Invalid KV list cursor',
    )
    expect(textOf(() => parseKvOptions(entry({ 'x-tinycloud-cursor': 'abc' }), LIST))).toBe(
      'Invalid KV list cursor',
    )
  })
})

describe('matchesEtag (COND-3)', () => {
  it.each([ETAG, `W/${ETAG}`, `"other", ${ETAG}`, '*', ` ${ETAG} `])('matches %s', (header) => {
    expect(matchesEtag(header, ETAG)).toBe(true)
  })
  it.each(['"other"', ETAG.slice(1, -1), '"blake3-"', '', ',,'])('does not match %s', (header) => {
    expect(matchesEtag(header, ETAG)).toBe(false)
  })
})
