/** The suite is stricter than the base standards in places; those cases are deviations. */
import { base58btc } from 'multiformats/bases/base58'
import { expect, it } from 'vitest'
import { parseHex, toHex } from '../../src/protocol/bytes.ts'
import { parseCid } from '../../src/protocol/cid.ts'
import { verifyP256 } from '../../src/protocol/crypto/p256.ts'
import { secp256k1PublicKey, verifySecp256k1 } from '../../src/protocol/crypto/secp256k1.ts'
import { sha256 } from '../../src/protocol/crypto/sha256.ts'
import { decodeDagCbor, encodeDagCbor } from '../../src/protocol/dag-cbor.ts'
import { formatDidKey, normalizePrincipal, resolveVerificationKey } from '../../src/protocol/did.ts'
import { ProtocolError } from '../../src/protocol/error.ts'
import { parseRfc3339 } from '../../src/protocol/rfc3339.ts'
import { isUri } from '../../src/protocol/uri.ts'
import { describeVectors } from '../_util/vectors.ts'

interface SignatureFixture {
  readonly comment: string
  readonly messageBase64: string
  readonly publicKeyDid: string
  readonly publicKeyMultibase: string
  readonly signatureBase64: string
  readonly validSignature: boolean
  readonly tags: readonly string[]
}

interface DataModelFixture {
  readonly cbor_base64: string
  readonly cid: string
}

/** Whether a reader takes the text; whatever it throws must be a refusal. */
function accepts(read: (text: string) => unknown, text: string): boolean {
  try {
    return read(text) !== false
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'TOKEN_MALFORMED') return false
    throw error
  }
}

const READERS = {
  cid: parseCid,
  did: normalizePrincipal,
  datetime: parseRfc3339,
  uri: isUri,
} as const

/** Verdicts that we do not share, by the text or, where that is long, its beginning. */
const DEVIATIONS: readonly (readonly [
  syntax: keyof typeof READERS,
  start: string,
  reason: string,
])[] = [
  ['cid', 'mBcDxtdWx0aWhhc2g+', 'fits the pattern of the suite, but its bytes are no CIDv1'],
  ['cid', 'z7x3CtScH765HvShXT', 'fits the pattern of the suite, but its bytes are no CIDv1'],
  [
    'cid',
    '7134036155352661643226414134664076',
    'fits the pattern of the suite, but its bytes are no CIDv1',
  ],
  [
    'cid',
    'QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR',
    'a CIDv0, which the base standard allows',
  ],
  ['did', 'did:m123:val', 'DID Core allows digits in the name of a method'],
  ['did', 'did:method:val#two', 'a DID URL: a principal may be named by one of its keys'],
  ['did', 'did:method:vvvvvvvv', 'longer than 2048 bytes, but not than our limit'],
  ['datetime', '1985-04-12T23:20:50.123z', 'RFC 3339 allows lower case'],
  ['datetime', '1985-04-12t23:20:50.123Z', 'RFC 3339 allows lower case'],
  ['datetime', '1985-04-12T23:20:50.123-00:00', 'RFC 3339 allows an unknown offset'],
  ['datetime', '0000-01-01T00:00:00+01:00', 'before the year 0, which a number of seconds holds'],
  ['uri', 'http:', 'RFC 3986 allows an empty path'],
  ['uri', 'https://example.com/xxxxxxxx', 'longer than 8 KiB, but not than our limit of a token'],
]

describeVectors('atproto-interop', (folder, tally) => {
  it('verifies the signatures; high s is accepted, unlike there', () => {
    const fixtures: SignatureFixture[] = folder.json('crypto/signature-fixtures.json')
    const verdictOf = (fixture: SignatureFixture): boolean => {
      const key = resolveVerificationKey(fixture.publicKeyDid)
      if (key.type === 'eip155') throw new Error('an account, not a key')
      const message = Buffer.from(fixture.messageBase64, 'base64')
      const signature = Buffer.from(fixture.signatureBase64, 'base64')
      return key.type === 'P-256'
        ? verifyP256(signature, message, key.publicKey)
        : verifySecp256k1(signature, sha256(message), key.publicKey)
    }
    for (const fixture of fixtures.filter(({ tags }) => !tags.includes('high-s'))) {
      tally.check(fixture.comment, () => {
        expect(verdictOf(fixture)).toBe(fixture.validSignature)
        const publicKey = base58btc.decode(fixture.publicKeyMultibase)
        expect(resolveVerificationKey(fixture.publicKeyDid)).toHaveProperty('publicKey', publicKey)
      })
    }
    for (const fixture of fixtures.filter(({ tags }) => tags.includes('high-s'))) {
      tally.deviate(fixture.comment, 'ES256 and ES256K allow high s (RFC 7518, RFC 8812)', () => {
        expect(verdictOf(fixture)).toBe(!fixture.validSignature)
      })
    }
    expect(tally.cases).toBe(6)
  })

  it('derives the did:key of private keys', () => {
    const k256: { privateKeyBytesHex: string; publicDidKey: string }[] = folder.json(
      'crypto/w3c_didkey_K256.json',
    )
    for (const { privateKeyBytesHex, publicDidKey } of k256) {
      tally.check(publicDidKey, () => {
        const publicKey = secp256k1PublicKey(parseHex(privateKeyBytesHex), true)
        expect(formatDidKey('secp256k1', publicKey)).toBe(publicDidKey)
      })
    }
    const p256: { publicDidKey: string }[] = folder.json('crypto/w3c_didkey_P256.json')
    for (const { publicDidKey } of p256) {
      // The node has no private key on this curve: the public one is read and written again.
      tally.check(publicDidKey, () => {
        const key = resolveVerificationKey(publicDidKey)
        const publicKey = key.type === 'eip155' ? new Uint8Array() : key.publicKey
        expect(formatDidKey('P-256', publicKey)).toBe(publicDidKey)
      })
    }
    expect(tally.cases).toBe(12)
  })

  it('decodes the records, encodes them to the same bytes and names them alike', () => {
    const fixtures: DataModelFixture[] = folder.json('data-model/data-model-fixtures.json')
    expect(fixtures).toHaveLength(3)
    for (const { cbor_base64: base64, cid } of fixtures) {
      tally.check(cid, () => {
        const bytes = Buffer.from(base64, 'base64')
        const value = decodeDagCbor(bytes, { depthMax: 16, canonical: true })
        expect(toHex(encodeDagCbor(value))).toBe(toHex(bytes))
        expect(toHex(parseCid(cid).digest)).toBe(toHex(sha256(bytes)))
      })
    }
  })

  it.each([
    ['cid', 'cid_syntax_valid.txt', 8, true],
    ['cid', 'cid_syntax_invalid.txt', 10, false],
    ['did', 'did_syntax_valid.txt', 24, true],
    ['did', 'did_syntax_invalid.txt', 18, false],
    ['datetime', 'datetime_syntax_valid.txt', 35, true],
    ['datetime', 'datetime_syntax_invalid.txt', 45, false],
    ['datetime', 'datetime_parse_invalid.txt', 7, false],
    ['uri', 'uri_syntax_valid.txt', 9, true],
    ['uri', 'uri_syntax_invalid.txt', 12, false],
  ] as const)('%s: the verdicts of %s', (syntax, file, count, isValid) => {
    const texts = folder.lines(`syntax/${file}`)
    expect(texts).toHaveLength(count)
    const reasonFor = (text: string): string | undefined =>
      DEVIATIONS.find(([kind, start]) => kind === syntax && text.startsWith(start))?.[2]
    const shared = texts.filter((text) => accepts(READERS[syntax], text) === isValid)
    const others = texts.filter((text) => !shared.includes(text))
    for (const text of shared) {
      tally.check(text, () => {
        expect(accepts(READERS[syntax], text)).toBe(isValid)
      })
    }
    for (const text of others) {
      tally.deviate(`${syntax} ${text.slice(0, 48)}`, reasonFor(text) ?? 'no reason known', () => {
        expect(reasonFor(text)).toBeDefined()
      })
    }
  })

  it('covers the suite with these deviations and no others', () => {
    expect({ cases: tally.cases, deviations: tally.deviations.length }).toEqual({
      cases: 183,
      deviations: DEVIATIONS.length + 1 + 2,
    })
  })
})
