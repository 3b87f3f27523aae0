import { describe, expect, it } from 'vitest'
import { createSessionKey } from '../../src/protocol/client/session-key.ts'
import {
  didDocumentUrl,
  findWebKey,
  isDidWeb,
  parseDidDocument,
} from '../../src/protocol/did-web.ts'
import { parseDidKey } from '../../src/protocol/did.ts'
import { codeOf } from '../_util/credentials.ts'
import { documentOf, multibaseOf } from '../_util/web-documents.ts'

const DID = 'did:web:web.example'
const SEED = new Uint8Array(32).fill(5)
const OTHER_SEED = new Uint8Array(32).fill(6)
const KEY = parseDidKey(createSessionKey(SEED).did)

/** From the vectors of did:key: a P-256 and a secp256k1 key. */
const P256 = 'zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv'
const SECP256K1 = 'zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'
/** X25519, which does not sign. */
const AGREEMENT = 'z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc'

const parse = (document: unknown, did = DID): ReturnType<typeof parseDidDocument> =>
  parseDidDocument(Buffer.from(JSON.stringify(document)), did)

const method = (fragment: string, change: Record<string, unknown> = {}) => ({
  id: `${DID}#${fragment}`,
  type: 'Multikey',
  controller: DID,
  publicKeyMultibase: multibaseOf(SEED),
  ...change,
})

const idsOf = (document: unknown): string[] => parse(document).map(({ id }) => id.slice(DID.length))

describe('where a document lies (DID-3)', () => {
  it.each([
    ['did:web:web.example', 'https://web.example/.well-known/did.json'],
    ['did:web:web.example%3A3000', 'https://web.example:3000/.well-known/did.json'],
    ['did:web:web.example%3a8443:u', 'https://web.example:8443/u/did.json'],
    ['did:web:web.example%3A443', 'https://web.example/.well-known/did.json'],
    ['did:web:web.example:user:alice', 'https://web.example/user/alice/did.json'],
    ['did:web:WEB.example', 'https://web.example/.well-known/did.json'],
    ['did:web:a-b.c.xn--p1ai:x', 'https://a-b.c.xn--p1ai/x/did.json'],
    ['did:web:web.example:a%20b:...', 'https://web.example/a%20b/.../did.json'],
  ])('%s: %s', (did, url) => {
    expect(isDidWeb(did)).toBe(true)
    expect(didDocumentUrl(did).href).toBe(url)
  })

  it.each([
    ['an IPv4 address', 'did:web:127.0.0.1'],
    ['an IPv4 address with a port', 'did:web:93.184.216.34%3A8443'],
    ['an IPv4 address of three parts', 'did:web:127.0.1'],
    ['an IPv4 address in hexadecimal', 'did:web:0x7f.1'],
    ['an IPv4 address in octal', 'did:web:0177.0.0.01'],
    ['a number', 'did:web:2130706433'],
    ['an IPv6 address', 'did:web:%5B%3A%3A1%5D'],
    ['a single label', 'did:web:localhost'],
    ['no host', 'did:web:'],
    ['an empty label', 'did:web:web..example'],
    ['a trailing dot', 'did:web:web.example.'],
    ['a name that ends in a number', 'did:web:web.1'],
    ['a user name', 'did:web:user%40web.example'],
    ['a slash', 'did:web:web.example%2Fx'],
    ['another escape in the host', 'did:web:web%2eexample'],
    ['port 0', 'did:web:web.example%3A0'],
    ['a port of mail', 'did:web:web.example%3A25'],
    ['the port of HTTP', 'did:web:web.example%3A80'],
    ['a port beyond all', 'did:web:web.example%3A65536'],
    ['an empty port', 'did:web:web.example%3A'],
    ['an empty segment', 'did:web:web.example::x'],
    ['a last empty segment', 'did:web:web.example:'],
    ['a dot', 'did:web:web.example:.'],
    ['two dots', 'did:web:web.example:a:..'],
    ['two escaped dots', 'did:web:web.example:%2e%2E:x'],
    ['a question', 'did:web:web.example:a?b'],
    ['a fragment in the path', 'did:web:web.example:a#b:c'],
    ['a slash in the path', 'did:web:web.example:a/../b'],
    ['a backslash', 'did:web:web.example:a\\..\\b'],
    ['half an escape', 'did:web:web.example:a%2'],
    ['another alphabet', 'did:web:web.example:é'],
  ])('nowhere for %s', (_, did) => {
    expect(codeOf(() => didDocumentUrl(did))).toBe('SIGNATURE_INVALID')
  })
})

describe('the keys of a document (DID-3)', () => {
  it('are found by their fragment, and without one if there is only one', () => {
    const keys = parse(documentOf(DID, SEED))
    expect(findWebKey(keys, `${DID}#key-1`)).toEqual(KEY)
    expect(findWebKey(keys, DID)).toEqual(KEY)
    expect(findWebKey(keys, `${DID}#key-2`)).toBeUndefined()
    expect(findWebKey(keys, `${DID}#`)).toBeUndefined()
    const two = parse({ id: DID, verificationMethod: [method('a'), method('b')] })
    expect(findWebKey(two, DID)).toBeUndefined()
    expect(findWebKey(two, `${DID}#b`)).toEqual(KEY)
    expect(findWebKey(parse({ id: DID }), DID)).toBeUndefined()
  })

  it.each([
    ['Ed25519', { publicKeyMultibase: multibaseOf(SEED) }],
    ['P-256', { publicKeyMultibase: P256 }],
    ['secp256k1', { publicKeyMultibase: SECP256K1 }],
    ['Ed25519', { publicKeyMultibase: undefined, publicKeyJwk: createSessionKey(SEED).jwk }],
  ])('are of type %s', (type, key) => {
    const keys = parse({ id: DID, verificationMethod: [method('a', key)] })
    expect(keys.map((found) => found.key.type)).toEqual([type])
  })

  it('may be embedded in a relationship, and have relative names', () => {
    expect(idsOf({ id: DID, authentication: [method('a', { id: '#a' })] })).toEqual(['#a'])
    expect(
      idsOf({
        id: DID,
        verificationMethod: [method('b')],
        keyAgreement: ['#b'],
        assertionMethod: ['#b'],
      }),
    ).toEqual(['#b'])
  })

  it.each([
    ['for key agreement only', { keyAgreement: [`${DID}#a`] }],
    ['for key agreement only, by its relative name', { keyAgreement: ['#a'] }],
    ['of another controller', {}, { controller: 'did:web:other.example' }],
    ['of another DID', {}, { id: 'did:web:other.example#a' }],
    ['of a DID that begins alike', {}, { id: `${DID}.evil#a` }],
    ['without a name', {}, { id: undefined }],
    ['whose name is no text', {}, { id: 1 }],
    ['that does not sign', {}, { publicKeyMultibase: AGREEMENT }],
    ['without a key', {}, { publicKeyMultibase: undefined }],
    ['with two keys', {}, { publicKeyJwk: createSessionKey(OTHER_SEED).jwk }],
    [
      'whose key is in base64url',
      {},
      { publicKeyMultibase: 'u7QHEOmpWd_ev8HCPNX5R7SZMK6-YVi5WC9_RVBmM4jgCtw' },
    ],
    [
      'that is only for another use',
      {},
      {
        publicKeyMultibase: undefined,
        publicKeyJwk: { ...createSessionKey(SEED).jwk, use: 'enc' },
      },
    ],
  ])('do not include one %s', (_, document, change: Record<string, unknown> = {}) => {
    const verificationMethod = [method('a', change), method('good')]
    expect(idsOf({ id: DID, verificationMethod, ...document })).toEqual(['#good'])
  })

  it('do not include what stands only under key agreement', () => {
    expect(idsOf({ id: DID, keyAgreement: [method('a')] })).toEqual([])
  })
})

describe('a document that is refused (DID-3)', () => {
  it.each([
    ['of another DID', documentOf('did:web:other.example', SEED)],
    ['of the DID in another spelling', { ...documentOf(DID, SEED), id: 'did:web:WEB.example' }],
    ['of the DID with a fragment', { ...documentOf(DID, SEED), id: `${DID}#key-1` }],
    ['without id', { ...documentOf(DID, SEED), id: undefined }],
    ['with a list of ids', { ...documentOf(DID, SEED), id: [DID] }],
    ['with a method twice', { id: DID, verificationMethod: [method('a'), method('a')] }],
    [
      'with a method twice, once embedded',
      {
        id: DID,
        verificationMethod: [method('a')],
        authentication: [method('a', { publicKeyMultibase: P256 })],
      },
    ],
    [
      'with more than 64 methods',
      { id: DID, verificationMethod: Array.from({ length: 65 }, (_x, no) => method(`m${no}`)) },
    ],
  ])('%s', (_, document) => {
    expect(codeOf(() => parse(document))).toBe('SIGNATURE_INVALID')
  })

  it.each([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['an array', '[]'],
    ['null', 'null'],
    ['a member twice', `{"id":"${DID}","id":"${DID}"}`],
    ['nested 17 deep', `{"id":"${DID}","x":${'['.repeat(17)}${']'.repeat(17)}}`],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('%s', (_, text) => {
    expect(codeOf(() => parseDidDocument(Buffer.from(text), DID))).toBe('TOKEN_MALFORMED')
  })

  it('has no keys in __proto__', () => {
    const keys = `{"id":"${DID}","__proto__":{"verificationMethod":[${JSON.stringify(method('a'))}]}}`
    expect(parseDidDocument(Buffer.from(keys), DID)).toEqual([])
  })
})
