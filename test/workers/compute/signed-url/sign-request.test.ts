/** The body of POST /signed/kv (SIGNED-3). */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../../src/protocol/bytes.ts'
import { ProtocolError } from '../../../../src/protocol/error.ts'
import {
  parseSignRequest,
  type SignRequest,
} from '../../../../src/workers/compute/signed-url/sign-request.ts'

const ADDRESS = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const SPACE = `tinycloud:pkh:eip155:1:${ADDRESS}:default`
const HASH = 'ab'.repeat(32)
const OTHER_HASH = 'cd'.repeat(32)

const parse = (members: unknown): SignRequest =>
  parseSignRequest({ kind: 'whole', bytes: Buffer.from(JSON.stringify(members)) })

const named = (members: Record<string, unknown>): SignRequest =>
  parse({ space: SPACE, path: 'a', ...members })

/** `CODE detail` of the refusal. */
function refusalOf(members: unknown): string {
  try {
    parse(members)
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code} ${error.detail}`.trim()
    throw error
  }
  return 'none'
}

const refusalWith = (members: Record<string, unknown>): string =>
  refusalOf({ space: SPACE, path: 'a', ...members })

const digestText = ({ digest }: SignRequest): string | undefined => digest && toHex(digest)

describe('what a URL is asked for (SIGNED-3)', () => {
  it('is a key of a space, for the longest time and the present value', () => {
    const { resource, key, lifetimeS, digest } = named({})
    expect(resource.text).toBe(`${SPACE}/kv/a`)
    expect(Buffer.from(key).toString()).toBe('a')
    expect([lifetimeS, digest]).toEqual([300, undefined])
  })

  it('may come with null for what is not wanted, and with members that nobody knows', () => {
    const nothing = { ttlSeconds: null, maxUses: null, contentHash: null, etag: null, x: [1] }
    expect(named(nothing)).toEqual(named({}))
  })

  it('may come as an array of the members in order', () => {
    expect(parse([SPACE, 'a', 7])).toEqual(named({ ttlSeconds: 7 }))
  })

  it('names the space in any spelling of its address', () => {
    const spelled = named({ space: SPACE.replace(ADDRESS, ADDRESS.toLowerCase()) })
    expect(spelled.resource.space).toBe(SPACE)
  })

  it.each(['', 'a/b', 'a//b', '/a', 'a%20b', 'a%2Fb', '%00', 'k'.repeat(2048), '__proto__'])(
    'names the key %j as its text',
    (path) => {
      const { resource, key } = named({ path })
      expect(resource.path).toBe(path)
      expect(Buffer.from(key).toString()).toBe(path)
    },
  )

  it.each(['a?x=1', 'a#x', 'a b', 'ä', 'a%', 'a%2f', 'a%61', '..', 'a/../b', './a', '\0'])(
    'has no key %j',
    (path) => expect(refusalWith({ path })).toBe('OPTION_INVALID Invalid path'),
  )

  it('has no key that is longer than keys can be', () => {
    expect(refusalWith({ path: 'k'.repeat(2049) })).toBe('OPTION_INVALID Invalid path')
    expect(refusalWith({ path: '/'.repeat(500_000) })).toBe('OPTION_INVALID Invalid path')
  })

  it.each(['', 'nonsense', `${SPACE}/kv`, `${SPACE}?x`, 'tinycloud:a', ` ${SPACE}`])(
    'has no space %j',
    (space) => expect(refusalWith({ space })).toBe('SPACE_ID_INVALID'),
  )
})

describe('how long (SIGNED-3)', () => {
  it.each([
    [1, 1],
    [300, 300],
    [301, 300],
    [86_400, 300],
    [Number.MAX_SAFE_INTEGER, 300],
    [0, 0],
    [-5, -5],
  ])('%d s is %d s', (asked, lifetimeS) => {
    expect(named({ ttlSeconds: asked }).lifetimeS).toBe(lifetimeS)
    expect(named({ ttl_seconds: asked }).lifetimeS).toBe(lifetimeS)
  })

  it('goes by the documented spelling where there are two', () => {
    expect(named({ ttlSeconds: 5, ttl_seconds: 9 }).lifetimeS).toBe(5)
  })

  it.each([['10'], [1.5], [true], [[]], [{}], [1e300]])('is no %j', (ttlSeconds) => {
    expect(refusalWith({ ttlSeconds })).toBe('BODY_UNPROCESSABLE')
    expect(refusalWith({ ttl_seconds: ttlSeconds })).toBe('BODY_UNPROCESSABLE')
  })
})

describe('for which content (SIGNED-3)', () => {
  it('goes by hash, by ETag, or by both', () => {
    const etag = `"blake3-${HASH}"`
    for (const members of [
      { contentHash: HASH },
      { content_hash: HASH },
      { contentHash: HASH.toUpperCase() },
      { etag },
      { contentHash: HASH, etag },
    ])
      expect(digestText(named(members))).toBe(HASH)
  })

  it('refuses a hash and an ETag of different content', () => {
    expect(refusalWith({ contentHash: HASH, etag: `"blake3-${OTHER_HASH}"` })).toBe(
      'OPTION_INVALID contentHash and ETag must identify the same object',
    )
  })

  it.each(['', 'abc', `${HASH}0`, HASH.slice(1), `g${HASH.slice(1)}`, `blake3-${HASH}`])(
    'refuses the hash %j',
    (contentHash) => {
      const text = 'OPTION_INVALID contentHash must be a blake3 hex digest'
      expect(refusalWith({ contentHash })).toBe(text)
      expect(refusalWith({ content_hash: contentHash })).toBe(text)
    },
  )

  it.each(['', '*', HASH, `W/"blake3-${HASH}"`, `"blake3-${HASH}`, `"sha256-${HASH}"`])(
    'refuses the ETag %j',
    (etag) => expect(refusalWith({ etag })).toContain('OPTION_INVALID etag must be a strong'),
  )

  it.each([[1], [true], [{}], [[]]])('is no %j', (value) => {
    expect(refusalWith({ contentHash: value })).toBe('BODY_UNPROCESSABLE')
    expect(refusalWith({ etag: value })).toBe('BODY_UNPROCESSABLE')
  })
})

describe('a body that asks for nothing (SIGNED-3)', () => {
  it('counts no uses', () => {
    expect(refusalWith({ maxUses: 1 })).toBe(
      'OPTION_INVALID maxUses is not supported for signed KV URLs yet',
    )
    expect(refusalWith({ maxUses: 'x' })).toBe('BODY_UNPROCESSABLE')
  })

  it.each([
    [{}],
    [{ space: SPACE }],
    [{ path: 'a' }],
    [{ space: 1, path: 'a' }],
    [{ space: SPACE, path: null }],
    [{ space: SPACE, path: ['a'] }],
    [[SPACE]],
    ['text'],
    [null],
  ])('is no request: %j', (members) => expect(refusalOf(members)).toBe('BODY_UNPROCESSABLE'))

  it('is no JSON, or not there', () => {
    for (const bytes of [Buffer.from('{'), Buffer.from([0xff]), Buffer.alloc(0)])
      expect(() => parseSignRequest({ kind: 'whole', bytes })).toThrow('REQUEST_MALFORMED')
    expect(() => parseSignRequest({ kind: 'none' })).toThrow('REQUEST_MALFORMED')
  })
})
