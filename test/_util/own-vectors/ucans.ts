/** Vectors for UCANs: what a token says, whether its issuer signed it, and what is no token at all. */
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { addressOf } from '../../../src/protocol/signature.ts'
import { formatDidKey, formatDidPkh } from '../../../src/protocol/did.ts'
import { formatJcs } from '../../../src/protocol/json.ts'
import { GUEST, NOW_S, OWNER, SESSION, SPACE } from '../credentials.ts'
import { cidOf, statementIdOf, type TokenExpect, type TokenOutcome } from './token-form.ts'
import { casesOf, MALFORMED, type VectorSuite } from './vector-suite.ts'

type Members = Readonly<Record<string, unknown>>

interface Signer {
  readonly did: string
  readonly algorithm: string
  readonly jwk?: Members
  readonly sign: (input: Uint8Array) => Uint8Array
}

const SECRET = Buffer.alloc(32, 0x44)
const base64url = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url')
const ecJwk = (crv: string, point: Uint8Array): Members => ({
  crv,
  kty: 'EC',
  x: base64url(point.subarray(1, 33)),
  y: base64url(point.subarray(33)),
})
const signEcdsa =
  (curve: typeof p256) =>
  (input: Uint8Array): Uint8Array =>
    curve.sign(sha256(input), SECRET, { prehash: false, format: 'compact' })

const P256_POINT = p256.getPublicKey(SECRET, false)
const K256_POINT = secp256k1.getPublicKey(SECRET, false)

const KEY: Signer = { did: SESSION.did, algorithm: 'EdDSA', sign: (input) => SESSION.sign(input) }
const JWK_KEY: Signer = { ...KEY, did: `did:jwk:${base64url(formatJcs(SESSION.jwk))}` }
const P256_KEY: Signer = {
  did: formatDidKey('P-256', p256.getPublicKey(SECRET, true)),
  algorithm: 'ES256',
  sign: signEcdsa(p256),
}
const P256_JWK: Signer = {
  ...P256_KEY,
  did: `did:jwk:${base64url(formatJcs(ecJwk('P-256', P256_POINT)))}`,
}
const K256_KEY: Signer = {
  did: formatDidKey('secp256k1', secp256k1.getPublicKey(SECRET, true)),
  algorithm: 'ES256K',
  sign: signEcdsa(secp256k1),
}
const ACCOUNT: Signer = {
  ...K256_KEY,
  did: formatDidPkh('1', addressOf(K256_POINT)),
  jwk: ecJwk('secp256k1', K256_POINT),
}

const RESOURCE = `${SPACE}/kv/a`
const EXPIRES_AT_S = NOW_S + 60
const PROOF = 'bafkr4ihkr4ld3m4gqkjf4reryxsy2s5tkbxprqkow6fin2iiyvreuzzab4'

interface Change {
  readonly signer?: Signer
  readonly header?: Members
  readonly payload?: Members
  /** Of the text that was signed. */
  readonly text?: (text: string) => string
}

/** A token of good members, changed; undefined removes a member. */
function ucan({ signer = KEY, header = {}, payload = {}, text = (same) => same }: Change): string {
  const { did, algorithm, jwk } = signer
  const signed = [
    { alg: algorithm, typ: 'JWT', ucv: '0.10.0', jwk, ...header },
    {
      iss: did,
      aud: GUEST.did,
      exp: EXPIRES_AT_S,
      nnc: 'urn:uuid:1',
      prf: [],
      att: { [RESOURCE]: { 'tinycloud.kv/get': [{}] } },
      ...payload,
    },
  ]
    .map((value) => base64url(JSON.stringify(value)))
    .join('.')
  return text(`${signed}.${base64url(signer.sign(Buffer.from(signed)))}`)
}

const GET: TokenExpect['capabilities'][number] = [RESOURCE, 'tinycloud.kv/get', {}]

/** A token and what is expected of it. `said`: what differs from a token of good members. */
function valid(change: Change, said: Partial<TokenExpect> = {}): readonly [string, TokenExpect] {
  const text = ucan(change)
  const issuer = said.issuer ?? (change.signer ?? KEY).did
  const signed = Buffer.from(text.slice(0, text.lastIndexOf('.')))
  return [
    text,
    {
      cid: cidOf(Buffer.from(text)),
      statementId: statementIdOf('ucan', issuer, signed),
      issuer,
      audience: GUEST.did,
      notBeforeS: null,
      expiresAtS: EXPIRES_AT_S,
      capabilities: [GET],
      proofs: [],
      signature: 'valid',
      ...said,
    },
  ]
}

const invalid = (change: Change, said: Partial<TokenExpect> = {}): readonly [string, TokenExpect] =>
  valid(change, { signature: 'SIGNATURE_INVALID', ...said })
const refused = (change: Change): readonly [string, TokenOutcome] => [ucan(change), MALFORMED]

/** The signature with other bytes. */
const withSignature =
  (edit: (signature: Buffer) => Uint8Array) =>
  (text: string): string => {
    const end = text.lastIndexOf('.') + 1
    return text.slice(0, end) + base64url(edit(Buffer.from(text.slice(end), 'base64url')))
  }

const ED_ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n
/** S + L: the same residue, another text. */
function withOtherS(signature: Buffer): Uint8Array {
  const s =
    BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString('hex')}`) + ED_ORDER
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').toReversed()
  return Buffer.concat([signature.subarray(0, 32), bytes])
}
const flipped = (signature: Buffer): Uint8Array =>
  signature.map((byte, at) => (at === 40 ? byte ^ 1 : byte))

const att = (value: unknown): Change => ({ payload: { att: value } })
const withCaveats = (list: unknown): Change => att({ [RESOURCE]: { 'tinycloud.kv/get': list } })

export const UCANS: VectorSuite<string, TokenOutcome> = {
  suite: 'ucans',
  about: 'input: an Authorization value; expect: what it says, and whether its issuer signed it',
  cases: [
    ...casesOf<string, TokenOutcome>('TOKEN-5', 'R 2.4', { 'a token and its names': valid({}) }),
    ...casesOf<string, TokenOutcome>('DID-2', 'R 2.2', {
      'did:jwk with Ed25519': valid({ signer: JWK_KEY }),
      'did:key with P-256': valid({ signer: P256_KEY }),
      'did:jwk with P-256': valid({ signer: P256_JWK }),
      'did:key with secp256k1': valid({ signer: K256_KEY }),
      'a method that nobody resolves': invalid({ signer: { ...KEY, did: 'did:web:example.com' } }),
      'a did:key of no key': invalid({ signer: { ...KEY, did: `${SESSION.did.slice(0, -1)}1` } }),
    }),
    ...casesOf<string, TokenOutcome>('UCAN-8', 'R 2.2', {
      'an account with its key': valid({ signer: ACCOUNT }),
      'an account without key': invalid(
        { signer: K256_KEY, payload: { iss: ACCOUNT.did } },
        { issuer: ACCOUNT.did },
      ),
      'an account with another key': invalid({ signer: { ...ACCOUNT, did: OWNER.did } }),
    }),
    ...casesOf<string, TokenOutcome>('UCAN-6', 'R 2.2', {
      'the fragment of the key': valid(
        { payload: { iss: SESSION.didUrl } },
        { issuer: SESSION.did },
      ),
      'another fragment': invalid(
        { payload: { iss: `${SESSION.did}#x` } },
        { issuer: SESSION.did },
      ),
      'a fragment of the audience': valid({ payload: { aud: GUEST.didUrl } }),
    }),
    ...casesOf<string, TokenOutcome>('UCAN-2', 'D', {
      'no algorithm, true signature': invalid({ header: { alg: 'none' } }),
      'the algorithm of another key': invalid({ header: { alg: 'ES256' } }),
      'an unknown algorithm': invalid({ header: { alg: 'x' } }),
      'no alg': refused({ header: { alg: undefined } }),
      'alg as a number': refused({ header: { alg: 1 } }),
    }),
    ...casesOf<string, TokenOutcome>('UCAN-3', 'R 2.2', {
      'a key of somebody else in the header': valid({ header: { jwk: GUEST.jwk } }),
      'signed by that key': invalid({
        header: { jwk: GUEST.jwk },
        signer: { ...KEY, sign: (input) => GUEST.sign(input) },
      }),
      'a key that is no object': refused({ header: { jwk: 'x' } }),
    }),
    ...casesOf<string, TokenOutcome>('UCAN-7', 'D', {
      'a flipped bit': invalid({ text: withSignature(flipped) }),
      'S + L': invalid({ text: withSignature(withOtherS) }),
      'no signature': invalid({ text: withSignature(() => new Uint8Array(0)) }),
      'a byte too few': invalid({ text: withSignature((signature) => signature.subarray(1)) }),
      zeros: invalid({ text: withSignature(() => new Uint8Array(64)) }),
    }),
    ...casesOf<string, TokenOutcome>('UCAN-1', 'R 2.2', {
      'another typ': refused({ header: { typ: 'jwt' } }),
      'no typ': refused({ header: { typ: undefined } }),
      'another version': refused({ header: { ucv: '0.9.1' } }),
      'an extension that is critical': refused({ header: { crit: ['x'], x: 1 } }),
      'an unknown member': valid({ header: { kid: '1' } }),
    }),
    ...casesOf<string, TokenOutcome>('UCAN-4', 'R 2.2', {
      'a fraction': valid({ payload: { exp: NOW_S + 0.5 } }, { expiresAtS: NOW_S + 0.5 }),
      'a beginning': valid({ payload: { nbf: NOW_S } }, { notBeforeS: NOW_S }),
      'a beginning that is null': valid({ payload: { nbf: null } }),
      'a time before 1970': valid({ payload: { exp: -1 } }, { expiresAtS: -1 }),
      'no end': refused({ payload: { exp: undefined } }),
      'an end that is null': refused({ payload: { exp: null } }),
      'an end that is a text': refused({ payload: { exp: String(EXPIRES_AT_S) } }),
      'a beginning that is a text': refused({ payload: { nbf: '0' } }),
    }),
    ...casesOf<string, TokenOutcome>('UCAN-5', 'R 2.2', {
      'two abilities, sorted': valid(
        att({ [RESOURCE]: { 'tinycloud.kv/put': [{}], 'tinycloud.kv/get': [{}] } }),
        { capabilities: [GET, [RESOURCE, 'tinycloud.kv/put', {}]] },
      ),
      'a condition': valid(withCaveats([{ a: 1 }]), {
        capabilities: [[RESOURCE, 'tinycloud.kv/get', { '0': { a: 1 } }]],
      }),
      'two conditions that are empty': valid(withCaveats([{}, {}]), {
        capabilities: [[RESOURCE, 'tinycloud.kv/get', { '0': {}, '1': {} }]],
      }),
      'two spellings of one space': valid(
        att({
          [RESOURCE]: { 'tinycloud.kv/get': [{}] },
          [RESOURCE.replace(OWNER.address, OWNER.address.toLowerCase())]: {
            'tinycloud.kv/get': [{}],
          },
        }),
      ),
      'a proof': valid({ payload: { prf: [PROOF] } }, { proofs: [PROOF] }),
      'no capabilities': valid(att({}), { capabilities: [] }),
      'an unknown claim': valid({ payload: { x: { y: 1 } } }),
      'no conditions at all': refused(withCaveats([])),
      'conditions that are null': refused(withCaveats(null)),
      'a condition that is null': refused(withCaveats([null])),
      'a condition that is a list': refused(withCaveats([[]])),
      'att as a list': refused(att([])),
      'no att': refused(att(undefined)),
      'an ability without slash': refused(att({ [RESOURCE]: { get: [{}] } })),
      'an ability with two slashes': refused(att({ [RESOURCE]: { 'a/b/c': [{}] } })),
      'a resource that is no URI': refused(att({ 'a b': { 'a/b': [{}] } })),
      'no prf': refused({ payload: { prf: undefined } }),
      'a proof that is no CID': refused({ payload: { prf: ['x'] } }),
      'a fact that stands alone': refused({ payload: { fct: {} } }),
    }),
    ...casesOf<string, TokenOutcome>('TOKEN-1', 'R 2.1', {
      'a scheme before it': refused({ text: (text) => `Bearer ${text}` }),
      'a fourth segment': refused({ text: (text) => `${text}.` }),
      'two segments': refused({ text: (text) => text.slice(0, text.lastIndexOf('.')) }),
      'a blank after it': refused({ text: (text) => `${text} ` }),
    }),
    ...casesOf<string, TokenOutcome>('TOKEN-3', 'R 2.1', {
      'padding after the signature': refused({ text: (text) => `${text}==` }),
    }),
  ],
}
