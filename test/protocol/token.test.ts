import { decode, encode } from '@ipld/dag-cbor'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { p256 } from '@noble/curves/nist.js'
import { afterEach, describe, expect, it } from 'vitest'
import { type SignedToken } from '../../src/protocol/authority.ts'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { equalBytes, utf8 } from '../../src/protocol/bytes.ts'
import { signInvocation } from '../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { createWallet } from '../../src/protocol/client/wallet.ts'
import { selectBackends } from '../../src/protocol/crypto/backends.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { formatDidKey } from '../../src/protocol/did.ts'
import { TOKEN_BYTES_MAX } from '../../src/protocol/limits.ts'
import { assertTimeWindow, parseToken, statementId, verifyToken } from '../../src/protocol/token.ts'
import { formatUcan } from '../../src/protocol/ucan.ts'
import {
  codeOf,
  GUEST,
  NOW_S,
  OWNER,
  SESSION,
  SIGNING,
  SPACE,
  STRANGER,
} from '../_util/credentials.ts'

type Members = Record<string, unknown>

const GRANTS = { [`${SPACE}/kv/a`]: ['tinycloud.kv/get'] }
const INVOCATION = signInvocation(SESSION, {
  nonce: 'urn:uuid:1',
  expiresAtS: NOW_S + 60.25,
  grants: GRANTS,
}).authorization
const DELEGATION = signSessionDelegation(OWNER, {
  ...SIGNING,
  audience: SESSION.didUrl,
  abilities: GRANTS,
}).authorization

const verdict = (text: string): string => codeOf(() => verifyToken(parseToken(text))) ?? 'valid'

/** A token whose `header.payload` may be signed by any key and algorithm. */
function ucanOf(
  issuer: string,
  header: Members,
  sign: (signingInput: Uint8Array) => Uint8Array,
): string {
  const payload = { iss: issuer, aud: issuer, exp: NOW_S, prf: [], att: {} }
  return formatUcan({ header: { typ: 'JWT', ucv: '0.10.0', ...header }, payload, sign })
}

const signEdDsa = (signingInput: Uint8Array): Uint8Array => SESSION.sign(signingInput)

interface Cacao {
  h: Members
  p: Members
  s: { t: string; s: Uint8Array }
}

const cacaoOf = (text: string): Cacao => decode<Cacao>(Buffer.from(text, 'base64url'))
const respelled = (change: (cacao: Cacao) => unknown): string =>
  formatBase64url(encode(change(cacaoOf(DELEGATION))), { padding: 'required' })
const withSignature = (change: (signature: Uint8Array) => Uint8Array): string =>
  respelled((cacao) => ({ ...cacao, s: { ...cacao.s, s: change(cacao.s.s) } }))

function flipS(signature: Uint8Array): Uint8Array {
  const order = secp256k1.Point.CURVE().n
  const s = order - BigInt(`0x${Buffer.from(signature.subarray(32, 64)).toString('hex')}`)
  const v = (signature[64] ?? 0) === 27 ? 28 : 27
  return Buffer.concat([
    signature.subarray(0, 32),
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex'),
    Buffer.from([v]),
  ])
}

describe('parseToken', () => {
  it('tells the encodings apart by the dot (TOKEN-1)', () => {
    expect(parseToken(INVOCATION).encoding).toBe('ucan')
    expect(parseToken(DELEGATION).encoding).toBe('cacao')
  })

  it('refuses what is longer than the limit, before it looks', () => {
    expect(codeOf(() => parseToken('A'.repeat(TOKEN_BYTES_MAX + 1)))).toBe('TOKEN_TOO_LARGE')
    expect(codeOf(() => parseToken('A'.repeat(TOKEN_BYTES_MAX)))).toBe('TOKEN_MALFORMED')
  })

  it.each(['', ' ', 'garbage', 'Bearer x', 'a.b.c', 'oA==', '\u0000', 'ä', '💥'])(
    'refuses %j',
    (text) => expect(codeOf(() => parseToken(text))).toBe('TOKEN_MALFORMED'),
  )

  it('takes a token of 150 resources', () => {
    const abilities = Object.fromEntries(
      Array.from({ length: 150 }, (_, index) => [
        `${SPACE}/kv/applications/example-${index}/settings`,
        ['tinycloud.kv/get', 'tinycloud.kv/put'],
      ]),
    )
    const { authorization } = signSessionDelegation(OWNER, {
      ...SIGNING,
      audience: SESSION.did,
      abilities,
    })
    expect(authorization.length).toBeGreaterThan(48 * 1024)
    expect(parseToken(authorization).capabilities).toHaveLength(300)
    expect(verdict(authorization)).toBe('valid')
  })
})

describe.each([{ portable: false }, { portable: true }])('verifyToken with %o', (backends) => {
  afterEach(() => selectBackends())

  it('takes what the issuer signed (TOKEN-7)', () => {
    selectBackends(backends)
    expect(verdict(INVOCATION)).toBe('valid')
    expect(verdict(DELEGATION)).toBe('valid')
  })

  it('takes both spellings of v and the other s', () => {
    selectBackends(backends)
    expect(
      verdict(
        withSignature((signature) => signature.map((byte, at) => (at === 64 ? byte % 27 : byte))),
      ),
    ).toBe('valid')
    expect(verdict(withSignature(flipS))).toBe('valid')
  })

  it('refuses every flipped bit of a signature', () => {
    selectBackends(backends)
    for (const index of [0, 31, 32, 40, 63]) {
      const flip = (bytes: Uint8Array): Uint8Array =>
        bytes.map((byte, at) => (at === index ? byte ^ 1 : byte))
      expect(verdict(withSignature(flip))).toBe('SIGNATURE_INVALID')
      const [header, payload, signature] = INVOCATION.split('.')
      const spoilt = formatBase64url(flip(Buffer.from(signature ?? '', 'base64url')), {
        padding: 'none',
      })
      expect(verdict(`${header}.${payload}.${spoilt}`)).toBe('SIGNATURE_INVALID')
    }
    for (const v of [2, 3, 26, 29, 30, 53, 56, 255]) {
      const other = (bytes: Uint8Array): Uint8Array =>
        bytes.map((byte, at) => (at === 64 ? v : byte))
      expect(verdict(withSignature(other))).toBe('SIGNATURE_INVALID')
    }
    expect(verdict(withSignature((signature) => signature.map(() => 0)))).toBe('SIGNATURE_INVALID')
    expect(verdict(withSignature((signature) => signature.map(() => 255)))).toBe(
      'SIGNATURE_INVALID',
    )
  })
})

const withAlgorithm = (alg: string): string => ucanOf(SESSION.did, { alg }, signEdDsa)

describe('verifyToken', () => {
  // TOKEN-5: digests are compared in ucan.test.ts and cacao.test.ts, CIDs in client/tokens.test.ts.

  it.each<[string, string]>([
    ['no signature', ''],
    ['63 bytes', formatBase64url(new Uint8Array(63), { padding: 'none' })],
    ['65 bytes', formatBase64url(new Uint8Array(65), { padding: 'none' })],
    ['zeros', formatBase64url(new Uint8Array(64), { padding: 'none' })],
  ])('refuses a UCAN with %s', (_, signature) => {
    const signingInput = INVOCATION.slice(0, INVOCATION.lastIndexOf('.'))
    expect(verdict(`${signingInput}.${signature}`)).toBe('SIGNATURE_INVALID')
  })

  it('covers every field of a SIWE message', () => {
    const changes: Members = {
      domain: 'other.example',
      aud: GUEST.didUrl,
      nonce: 'another0nonce0000',
      iat: '2020-01-01T00:00:00.000Z',
      exp: '2099-01-01T00:00:00.000Z',
      nbf: '2020-01-01T00:00:00.000Z',
      iss: STRANGER.did,
      scheme: 'https',
      request_id: '1',
    }
    for (const [name, value] of Object.entries(changes)) {
      const text = respelled((cacao) => ({ ...cacao, p: { ...cacao.p, [name]: value } }))
      expect([name, verdict(text)]).toEqual([name, 'SIGNATURE_INVALID'])
    }
  })

  it('covers the chain ID', () => {
    const iss = OWNER.did.replace(':1:', ':137:')
    const text = respelled((cacao) => ({ ...cacao, p: { ...cacao.p, iss } }))
    expect(verdict(text)).toBe('SIGNATURE_INVALID')
  })

  it('takes only the algorithm that the key implies, also for a true signature (UCAN-2)', () => {
    expect(verdict(withAlgorithm('EdDSA'))).toBe('valid')
    for (const alg of ['none', 'None', 'HS256', 'ES256K', 'ES256', 'RS256', 'EdDsa', '', 'eip191'])
      expect([alg, verdict(withAlgorithm(alg))]).toEqual([alg, 'SIGNATURE_INVALID'])
  })

  it('takes the key from the issuer, not from the header (UCAN-3)', () => {
    const header = { alg: 'EdDSA', jwk: GUEST.jwk }
    expect(verdict(ucanOf(SESSION.did, header, (input) => GUEST.sign(input)))).toBe(
      'SIGNATURE_INVALID',
    )
    expect(verdict(ucanOf(SESSION.did, header, signEdDsa))).toBe('valid')
    expect(verdict(ucanOf(SESSION.did, { alg: 'EdDSA' }, signEdDsa))).toBe('valid')
  })

  it('refuses fragments and issuers without a key', () => {
    const valid = [SESSION.did, SESSION.didUrl]
    for (const issuer of valid)
      expect(verdict(ucanOf(issuer, { alg: 'EdDSA' }, signEdDsa))).toBe('valid')
    const invalid = [
      `${SESSION.did}#${GUEST.did.slice('did:key:'.length)}`,
      `${SESSION.did}#key-1`,
      `${SESSION.did}#`,
      'did:key:z',
      'did:key:zXYZ',
      'did:example:1234',
      'did:web:127.0.0.1%3A9',
      OWNER.did,
    ]
    for (const issuer of invalid)
      expect([issuer, verdict(ucanOf(issuer, { alg: 'EdDSA' }, signEdDsa))]).toEqual([
        issuer,
        'SIGNATURE_INVALID',
      ])
  })

  it('verifies ECDSA keys, high s included', () => {
    const secret = Buffer.alloc(32, 0x44)
    const keys = [
      ['secp256k1', 'ES256K', secp256k1],
      ['P-256', 'ES256', p256],
    ] as const
    for (const [type, alg, curve] of keys) {
      const did = formatDidKey(type, curve.getPublicKey(secret))
      const low = ucanOf(did, { alg }, (input) => curve.sign(input, secret, { lowS: true }))
      expect([alg, verdict(low)]).toEqual([alg, 'valid'])
      const signature = Buffer.from(low.slice(low.lastIndexOf('.') + 1), 'base64url')
      const s = curve.Point.CURVE().n - BigInt(`0x${signature.subarray(32).toString('hex')}`)
      const high = Buffer.from(s.toString(16).padStart(64, '0'), 'hex')
      const other = formatBase64url(Buffer.concat([signature.subarray(0, 32), high]), {
        padding: 'none',
      })
      expect([alg, verdict(low.replace(/[^.]*$/, other))]).toEqual([alg, 'valid'])
      expect(verdict(ucanOf(did, { alg: 'EdDSA' }, (input) => curve.sign(input, secret)))).toBe(
        'SIGNATURE_INVALID',
      )
    }
  })
})

describe('a JWT of an account (UCAN-8)', () => {
  const secret = Buffer.alloc(32, 0x11)
  const point = secp256k1.getPublicKey(secret, false)
  const coordinate = (start: number): string =>
    formatBase64url(point.subarray(start, start + 32), { padding: 'none' })
  const jwk = { kty: 'EC', crv: 'secp256k1', x: coordinate(1), y: coordinate(33) }
  const sign = (input: Uint8Array): Uint8Array => secp256k1.sign(input, secret)

  it('carries the key of the account', () => {
    expect(createWallet(secret).did).toBe(OWNER.did)
    expect(verdict(ucanOf(OWNER.did, { alg: 'ES256K', jwk }, sign))).toBe('valid')
  })

  it('is refused with another key, or none, or another algorithm', () => {
    expect(verdict(ucanOf(STRANGER.did, { alg: 'ES256K', jwk }, sign))).toBe('SIGNATURE_INVALID')
    expect(verdict(ucanOf(OWNER.did, { alg: 'ES256K' }, sign))).toBe('SIGNATURE_INVALID')
    expect(verdict(ucanOf(OWNER.did, { alg: 'EdDSA', jwk }, sign))).toBe('SIGNATURE_INVALID')
    expect(verdict(ucanOf(OWNER.did, { alg: 'EdDSA', jwk: SESSION.jwk }, signEdDsa))).toBe(
      'SIGNATURE_INVALID',
    )
    expect(verdict(ucanOf(OWNER.did, { alg: 'ES256K', jwk: { kty: 'EC' } }, sign))).toBe(
      'SIGNATURE_INVALID',
    )
  })
})

const idOf = (text: string): Buffer => Buffer.from(statementId(parseToken(text)))

describe('statementId', () => {
  it('is BLAKE3 of kind, issuer, zero and signing input (TOKEN-6)', () => {
    const { issuer, signingInput } = parseToken(INVOCATION)
    const expected = blake3(
      Buffer.concat([Buffer.from([1]), utf8(issuer), Buffer.from([0]), signingInput]),
    )
    expect(idOf(INVOCATION)).toEqual(Buffer.from(expected))
    expect(idOf(DELEGATION)).not.toEqual(idOf(INVOCATION))
  })

  it.each<[string, string]>([
    [
      'v as 0 or 1',
      withSignature((signature) => signature.map((byte, at) => (at === 64 ? byte % 27 : byte))),
    ],
    ['the other s', withSignature(flipS)],
    ['one more member', respelled((cacao) => ({ ...cacao, x: 1 }))],
    [
      'one more member of the payload',
      respelled((cacao) => ({ ...cacao, p: { ...cacao.p, x: 1 } })),
    ],
    [
      'the address in lower case',
      respelled((cacao) => ({ ...cacao, p: { ...cacao.p, iss: OWNER.did.toLowerCase() } })),
    ],
    ['the map in another order', reversedDelegation()],
  ])('is the same for another spelling: %s', (_, text) => {
    const [original, other] = [parseToken(DELEGATION), parseToken(text)]
    expect(verdict(text)).toBe('valid')
    expect(equalBytes(original.digest, other.digest)).toBe(false)
    expect(idOf(text)).toEqual(idOf(DELEGATION))
  })

  it('goes by the principal, not by the URL of the issuer', () => {
    const withFragment: SignedToken = { ...parseToken(INVOCATION), issuerUrl: SESSION.did }
    expect(Buffer.from(statementId(withFragment))).toEqual(idOf(INVOCATION))
  })

  it('differs for other statements', () => {
    const ids = [
      INVOCATION,
      DELEGATION,
      signInvocation(SESSION, { nonce: 'urn:uuid:2', expiresAtS: NOW_S + 60.25, grants: GRANTS })
        .authorization,
      signInvocation(GUEST, { nonce: 'urn:uuid:1', expiresAtS: NOW_S + 60.25, grants: GRANTS })
        .authorization,
      signSessionDelegation(STRANGER, { ...SIGNING, audience: SESSION.didUrl, abilities: GRANTS })
        .authorization,
    ].map((text) => idOf(text).toString('hex'))
    expect(new Set(ids).size).toBe(ids.length)
  })
})

const windowOf = (encoding: SignedToken['encoding'], notBeforeS?: number, expiresAtS?: number) =>
  ({
    ...parseToken(encoding === 'ucan' ? INVOCATION : DELEGATION),
    notBeforeS,
    expiresAtS,
  }) as SignedToken

const isOpen = (token: SignedToken, nowS: number, skewS = 0): boolean =>
  codeOf(() => assertTimeWindow(token, nowS, skewS, 'DELEGATION_TIME')) === undefined

describe('assertTimeWindow', () => {
  it('has an inclusive end, fractions count (CHAIN-8)', () => {
    for (const encoding of ['ucan', 'cacao'] as const) {
      const token = windowOf(encoding, undefined, 100.25)
      expect(isOpen(token, 100.25)).toBe(true)
      expect(isOpen(token, 100.251)).toBe(false)
      expect(isOpen(token, -1e9)).toBe(true)
    }
  })

  it('begins inclusively in a UCAN, exclusively in a CACAO (CACAO-3)', () => {
    expect(isOpen(windowOf('ucan', 100), 100)).toBe(true)
    expect(isOpen(windowOf('ucan', 100), 99.99)).toBe(false)
    expect(isOpen(windowOf('cacao', 100), 100)).toBe(false)
    expect(isOpen(windowOf('cacao', 100), 100.01)).toBe(true)
  })

  it('is widened on both sides by the skew', () => {
    const token = windowOf('ucan', 100, 200)
    expect(isOpen(token, 98, 2)).toBe(true)
    expect(isOpen(token, 97.9, 2)).toBe(false)
    expect(isOpen(token, 202, 2)).toBe(true)
    expect(isOpen(token, 202.1, 2)).toBe(false)
  })

  it('is always open without bounds', () => {
    expect(isOpen(windowOf('cacao'), 1e12)).toBe(true)
  })

  it('refuses with the code that the caller gives', () => {
    for (const code of ['DELEGATION_TIME', 'INVOCATION_TIME', 'REVOCATION_TIME'] as const)
      expect(codeOf(() => assertTimeWindow(windowOf('ucan', undefined, 1), 2, 0, code))).toBe(code)
  })
})

function reversedMap(members: object): Buffer {
  const entries = Object.entries(members).toReversed()
  const parts = entries.flatMap(([name, value]) => [encode(name), encode(value)])
  return Buffer.concat([Buffer.from([0xa0 + entries.length]), ...parts])
}

/** The same token with all maps in descending order, which no canonical encoder writes. */
function reversedDelegation(): string {
  const { h, p, s } = cacaoOf(DELEGATION)
  const parts = [
    encode('s'),
    reversedMap(s),
    encode('p'),
    reversedMap(p),
    encode('h'),
    reversedMap(h),
  ]
  return formatBase64url(Buffer.concat([Buffer.from([0xa3]), ...parts]), { padding: 'required' })
}
