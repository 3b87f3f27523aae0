import { describe, expect, it } from 'vitest'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { parseHex, toHex, utf8 } from '../../src/protocol/bytes.ts'
import { ed25519PublicKey } from '../../src/protocol/crypto/ed25519.ts'
import { secp256k1PublicKey } from '../../src/protocol/crypto/secp256k1.ts'
import {
  formatDidKey,
  formatDidPkh,
  normalizePrincipal,
  parseDidKey,
  resolveVerificationKey,
} from '../../src/protocol/did.ts'
import { DID_BYTES_MAX } from '../../src/protocol/limits.ts'

const malformed: unknown = expect.objectContaining({ code: 'TOKEN_MALFORMED' })
const unresolvable: unknown = expect.objectContaining({ code: 'SIGNATURE_INVALID' })

const ADDRESS = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A'
const KEY_DID = 'did:key:z6MkqGC3nWZhYieEVTVDKW5v588CiGfsDSmRVG9ZwwWTvLSK'
const MULTIBASE = KEY_DID.slice('did:key:'.length)
const HOSTILE_MS = 1000

/** A did:jwk of a value, or of a text that is no JSON of one. */
const didOf = (jwk: unknown): string => {
  const text = typeof jwk === 'string' ? jwk : JSON.stringify(jwk)
  return `did:jwk:${formatBase64url(utf8(text), { padding: 'none' })}`
}

describe('normalizePrincipal (DID-1)', () => {
  it.each([
    [KEY_DID, KEY_DID],
    [`${KEY_DID}#${MULTIBASE}`, KEY_DID],
    [`${KEY_DID}#`, KEY_DID],
    [`${KEY_DID}#a/b?c`, KEY_DID],
    [`did:pkh:eip155:1:${ADDRESS.toLowerCase()}`, `did:pkh:eip155:1:${ADDRESS}`],
    [`did:pkh:eip155:137:${ADDRESS}#blockchainAccountId`, `did:pkh:eip155:137:${ADDRESS}`],
    ['did:pkh:eip155:1:0x12', 'did:pkh:eip155:1:0x12'],
    [
      'did:pkh:solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZ:CKg5',
      'did:pkh:solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZ:CKg5',
    ],
    ['did:web:example.com%3A3000:user', 'did:web:example.com%3A3000:user'],
  ])('%s is %s', (did, principal) => {
    expect(normalizePrincipal(did)).toBe(principal)
    expect(normalizePrincipal(principal)).toBe(principal)
  })

  it.each([
    ['nothing', ''],
    ['no DID', 'https://example.com'],
    ['a CID', 'ucan:bafkr4ifpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzsmi'],
    ['no method', 'did::a'],
    ['no identifier', 'did:key:'],
    ['an upper-case scheme', 'DID:key:a'],
    ['an upper-case method', 'did:KEY:a'],
    ['a colon at the end', 'did:key:a:'],
    ['a blank', 'did:key:a b'],
    ['a newline at the end', 'did:key:a\n'],
    ['a newline after the fragment', 'did:key:a#b\n'],
    ['a path', 'did:key:a/b'],
    ['a query', 'did:key:a?b=c'],
    ['half an escape', 'did:key:a%2'],
    ['letters beyond ASCII', 'did:key:é'],
    ['a second fragment', 'did:key:a#b#c'],
    ['a fragment with a blank', 'did:key:a#b c'],
    ['a fragment beyond ASCII', 'did:key:a#é'],
    ['more than the limit', `did:key:${'a'.repeat(DID_BYTES_MAX)}`],
  ])('refuses %s', (_, did) => {
    expect(() => normalizePrincipal(did)).toThrow(malformed)
  })

  it('takes a DID of exactly the limit', () => {
    const did = `did:web:${'a'.repeat(DID_BYTES_MAX - 8)}`
    expect(normalizePrincipal(did)).toBe(did)
  })

  it.each([
    ['colons', `did:a:${':'.repeat(DID_BYTES_MAX - 6)}`],
    ['percent signs', `did:a:${'%41'.repeat(1300)}%`],
    ['hash signs', `did:a:b${'#'.repeat(DID_BYTES_MAX - 8)}`],
    ['letters and a blank', `did:a:${'a'.repeat(DID_BYTES_MAX - 7)} `],
  ])('refuses many %s, in time', (_, did) => {
    const startMs = performance.now()
    for (let round = 0; round < 100; round++)
      expect(() => normalizePrincipal(did)).toThrow(malformed)
    expect(performance.now() - startMs).toBeLessThan(HOSTILE_MS)
  })
})

describe('did:key (DID-2, UCAN-6)', () => {
  it('names the session key of reference-behaviour §10', () => {
    const publicKey = ed25519PublicKey(new Uint8Array(32).fill(0x22))
    expect(formatDidKey('Ed25519', publicKey)).toBe(KEY_DID)
    expect(parseDidKey(KEY_DID)).toEqual({ type: 'Ed25519', publicKey })
  })

  it('resolves with its own fragment and with none, the second time too', () => {
    for (const url of [KEY_DID, `${KEY_DID}#${MULTIBASE}`, KEY_DID, `${KEY_DID}#${MULTIBASE}`]) {
      expect(resolveVerificationKey(url)).toEqual(parseDidKey(KEY_DID))
    }
  })

  it.each([
    ['an invented fragment', `${KEY_DID}#key-1`],
    ['an empty fragment', `${KEY_DID}#`],
    ['the fragment of another key', `${KEY_DID}#z6Mkg49NtQR2LyYRDCQFK4w1VVHqhypZSSRo7HsyuN7SV7v5`],
    ['another base', `did:key:m${Buffer.from('ed0100', 'hex').toString('base64')}`],
    ['digits that base58 lacks', `${KEY_DID.slice(0, -1)}0`],
    ['a key of 31 bytes', `did:key:z${'1'.repeat(3)}`],
    [
      'the malformed prefix of the first node',
      'did:key:z2DdN71ozbSu9BBPucmURhmHhgRjgzT2VeByK5H46bpieB8',
    ],
    ['an X25519 key', 'did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F'],
    ['very long base58', `did:key:z${'2'.repeat(4000)}`],
  ])('refuses %s', (_, did) => {
    expect(() => resolveVerificationKey(did)).toThrow(unresolvable)
  })

  it('refuses very long base58 in time', () => {
    const startMs = performance.now()
    for (let round = 0; round < 1000; round++) {
      const did = `did:key:z${'z'.repeat(3000 + round)}`
      expect(() => resolveVerificationKey(did)).toThrow(unresolvable)
    }
    expect(performance.now() - startMs).toBeLessThan(HOSTILE_MS)
  })

  it('takes compressed keys of the ECDSA curves only', () => {
    const secret = new Uint8Array(32).fill(0x11)
    const compressed = secp256k1PublicKey(secret, true)
    expect(parseDidKey(formatDidKey('secp256k1', compressed)).publicKey).toEqual(compressed)
    expect(() => formatDidKey('secp256k1', secp256k1PublicKey(secret, false))).toThrow(RangeError)
    expect(() => formatDidKey('Ed25519', compressed)).toThrow(RangeError)
  })
})

describe('did:pkh (DID-2)', () => {
  const did = formatDidPkh('1', ADDRESS.toLowerCase())

  it('is an account on any eip155 chain', () => {
    expect(did).toBe(`did:pkh:eip155:1:${ADDRESS}`)
    expect(resolveVerificationKey(`did:pkh:eip155:137:${ADDRESS.toLowerCase()}`)).toEqual({
      type: 'eip155',
      chainId: '137',
      address: ADDRESS,
    })
    expect(resolveVerificationKey(`${did}#blockchainAccountId`)).toEqual(
      resolveVerificationKey(did),
    )
  })

  it.each([
    `${did}#controller`,
    `${did}#`,
    'did:pkh:eip155:1:0x12',
    `did:pkh:eip155:x:${ADDRESS}`,
    `did:pkh:eip155:${ADDRESS}`,
    `did:pkh:eip155:1:${ADDRESS}:x`,
    `did:pkh:solana:1:${ADDRESS}`,
    'did:web:example.com',
    'did:ethr:0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
  ])('does not resolve %s', (url) => {
    expect(() => resolveVerificationKey(url)).toThrow(unresolvable)
  })
})

describe('did:jwk (DID-2, UCAN-6)', () => {
  const X = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
  // RFC 7515 §A.3 and RFC 8812: points that are on their curves.
  const P256 = {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  }
  it('resolves the three kinds of keys, with fragment 0 and with none', () => {
    const okp = didOf({ kty: 'OKP', crv: 'Ed25519', x: X })
    expect(resolveVerificationKey(okp)).toEqual({
      type: 'Ed25519',
      publicKey: parseHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'),
    })
    expect(resolveVerificationKey(`${okp}#0`)).toEqual(resolveVerificationKey(okp))
    const ec = resolveVerificationKey(
      didOf({ ...P256, alg: 'ES256', use: 'sig', key_ops: ['verify'], kid: 'any' }),
    )
    expect(ec).toMatchObject({ type: 'P-256' })
    expect(toHex('publicKey' in ec ? ec.publicKey : new Uint8Array(0))).toMatch(
      /^047fcdce2770f6c45d4183cb/,
    )
    expect(resolveVerificationKey(didOf({ ...P256, crv: 'secp256k1' }))).toMatchObject({
      type: 'secp256k1',
    })
  })

  it.each([
    ['another fragment', `${didOf(P256)}#1`],
    ['an empty fragment', `${didOf(P256)}#`],
    ['no JSON', didOf('{')],
    ['an array', didOf([])],
    ['a duplicate member', didOf(`{"kty":"OKP","crv":"Ed25519","x":"${X}","x":"${X}"}`)],
    ['an RSA key', didOf({ kty: 'RSA', n: 'AQAB', e: 'AQAB' })],
    ['a symmetric key', didOf({ kty: 'oct', k: X })],
    ['X25519', didOf({ kty: 'OKP', crv: 'X25519', x: X })],
    ['P-384', didOf({ ...P256, crv: 'P-384' })],
    ['a kind that is not its curve', didOf({ ...P256, kty: 'OKP' })],
    ['an EC key called OKP', didOf({ kty: 'EC', crv: 'Ed25519', x: X, y: X })],
    ['no y', didOf({ kty: 'EC', crv: 'P-256', x: P256.x })],
    ['a short coordinate', didOf({ kty: 'OKP', crv: 'Ed25519', x: X.slice(0, 40) })],
    ['a padded coordinate', didOf({ kty: 'OKP', crv: 'Ed25519', x: `${X}=` })],
    ['loose bits', didOf({ kty: 'OKP', crv: 'Ed25519', x: `${X.slice(0, -1)}p` })],
    ['a number', didOf({ kty: 'OKP', crv: 'Ed25519', x: 1 })],
    ['a key for encryption', didOf({ ...P256, use: 'enc' })],
    ['a key that may not verify', didOf({ ...P256, key_ops: ['sign'] })],
    ['operations that are no list', didOf({ ...P256, key_ops: 'verify' })],
    ['the algorithm of another curve', didOf({ ...P256, alg: 'ES256K' })],
    ['members of its prototype', didOf({ __proto__: P256 })],
    ['padding', `${didOf({ kty: 'OKP', crv: 'Ed25519', x: X })}%3D`],
  ])('refuses %s', (_, did) => {
    expect(() => resolveVerificationKey(did)).toThrow(unresolvable)
  })
})
