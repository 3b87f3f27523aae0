/** Vectors for ReCaps and CACAOs: what a wallet's message grants, and the bytes that may carry it. */
import { decode, encode } from '@ipld/dag-cbor'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { signSessionDelegation } from '../../../src/protocol/client/wallet-tokens.ts'
import { formatSiwe, type SiweMessage } from '../../../src/protocol/siwe.ts'
import { GUEST, NOW_S, OWNER, SESSION, SPACE, STRANGER } from '../credentials.ts'
import { CACAO_SPELLINGS } from '../respell.ts'
import { cidOf, statementIdOf, type TokenExpect, type TokenOutcome } from './token-form.ts'
import { casesOf, MALFORMED, type Refused, type VectorSuite } from './vector-suite.ts'

const KV = `${SPACE}/kv`
const PROOF = 'bafkr4ihkr4ld3m4gqkjf4reryxsy2s5tkbxprqkow6fin2iiyvreuzzab4'
const PROOF_58 = CID.parse(PROOF).toString(base58btc)
const SENTENCE = 'I further authorize the stated URI to perform the following actions on my behalf:'

const recapOf = (json: string): string => `urn:recap:${Buffer.from(json).toString('base64url')}`
const recap = (att: unknown, prf: unknown = []): string => recapOf(JSON.stringify({ att, prf }))

interface RecapExpect {
  readonly abilities: Readonly<Record<string, readonly string[]>>
  readonly proofs: readonly string[]
  /** With which the statement must end. */
  readonly sentence: string
}
type RecapOutcome = RecapExpect | Refused

export const RECAPS: VectorSuite<string, RecapOutcome> = {
  suite: 'recaps',
  about: 'input: the last resource of a message; expect: what it grants, and how it is said',
  cases: [
    ...casesOf<string, RecapOutcome>('RECAP-2', 'R 2.3', {
      'two abilities, sorted': [
        recap({ [KV]: { 'tinycloud.kv/put': [{}], 'tinycloud.kv/get': [{}] } }),
        {
          abilities: { [KV]: ['tinycloud.kv/get', 'tinycloud.kv/put'] },
          proofs: [],
          sentence: `${SENTENCE} (1) 'tinycloud.kv': 'get', 'put' for '${KV}'.`,
        },
      ],
      'two namespaces, two resources': [
        recap({ 'urn:b': { 'x/a': [{}], 'B/a': [{}] }, 'urn:a': { 'x/a': [{}] } }, [PROOF_58]),
        {
          abilities: { 'urn:b': ['B/a', 'x/a'], 'urn:a': ['x/a'] },
          proofs: [PROOF_58],
          sentence: `${SENTENCE} (1) 'x': 'a' for 'urn:a'. (2) 'B': 'a' for 'urn:b'. (3) 'x': 'a' for 'urn:b'.`,
        },
      ],
      nothing: [recap({}), { abilities: {}, proofs: [], sentence: SENTENCE }],
      'two empty conditions': [
        recap({ 'urn:a': { 'x/a': [{}, {}] } }),
        {
          abilities: { 'urn:a': ['x/a'] },
          proofs: [],
          sentence: `${SENTENCE} (1) 'x': 'a' for 'urn:a'.`,
        },
      ],
    }),
    ...casesOf<string, RecapOutcome>('RECAP-3', 'R 2.3', {
      'a condition': [recap({ 'urn:a': { 'x/a': [{ a: 1 }] } }), MALFORMED],
      'no conditions': [recap({ 'urn:a': { 'x/a': [] } }), MALFORMED],
      'a condition that is null': [recap({ 'urn:a': { 'x/a': [null] } }), MALFORMED],
      'a proof in base32': [recap({}, [PROOF]), MALFORMED],
      'no prf': [recapOf('{"att":{}}'), MALFORMED],
    }),
    ...casesOf<string, RecapOutcome>('RECAP-1', 'R 2.3', {
      'no att': [recapOf('{"prf":[]}'), MALFORMED],
      padding: [`${recapOf('{"att":{},"prf":[]}')}=`, MALFORMED],
      'no JSON': [recapOf('att'), MALFORMED],
      'a name twice': [recapOf('{"att":{},"prf":[],"prf":[]}'), MALFORMED],
      'another scheme': [recap({}).replace('urn:recap', 'urn:recaps'), MALFORMED],
    }),
  ],
}

const ABILITIES = { [KV]: ['tinycloud.kv/get', 'tinycloud.kv/put'] }
const GRANT = recap({ [KV]: { 'tinycloud.kv/get': [{}], 'tinycloud.kv/put': [{}] } })
const GRANT_SENTENCE = `${SENTENCE} (1) 'tinycloud.kv': 'get', 'put' for '${KV}'.`
const CAPABILITIES: TokenExpect['capabilities'] = [
  [KV, 'tinycloud.kv/get', {}],
  [KV, 'tinycloud.kv/put', {}],
]
const ISSUED_AT = '2027-01-15T08:00:00.000Z'

const MESSAGE: SiweMessage = {
  domain: 'app.example',
  address: OWNER.address,
  statement: GRANT_SENTENCE,
  uri: SESSION.didUrl,
  chainId: '1',
  nonce: 'nonce0000',
  issuedAt: ISSUED_AT,
  resources: [GRANT],
}

type Members = Readonly<Record<string, unknown>>

const payloadOf = (message: SiweMessage): Members => ({
  aud: message.uri,
  domain: message.domain,
  exp: message.expirationTime,
  iat: message.issuedAt,
  iss: `did:pkh:eip155:${message.chainId}:${message.address}`,
  nbf: message.notBefore,
  nonce: message.nonce,
  request_id: message.requestId,
  resources: message.resources,
  scheme: message.scheme,
  statement: message.statement,
  version: 1,
})

interface Change {
  /** Of the message before it is signed. */
  readonly message?: Partial<SiweMessage>
  readonly signer?: typeof OWNER
  /** Of the map, after it was signed. */
  readonly payload?: Members
  readonly signature?: (signature: Uint8Array) => Uint8Array
  readonly map?: (map: Members) => unknown
  readonly text?: (text: string) => string
}

const padded = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString('base64url')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function cacao(change: Change): { text: string; signed: string } {
  const { signer = OWNER, signature = (same) => same, map = (same) => same } = change
  const message = { ...MESSAGE, ...change.message }
  const signed = formatSiwe(message)
  const members = Object.entries({ ...payloadOf(message), ...change.payload })
  const bytes = encode(
    map({
      h: { t: 'eip4361' },
      p: Object.fromEntries(members.filter(([, value]) => value !== undefined)),
      s: { t: 'eip191', s: signature(signer.signMessage(signed)) },
    }),
  )
  const text = padded(bytes)
  return { text: change.text ? change.text(text) : text, signed }
}

function valid(change: Change, said: Partial<TokenExpect> = {}): readonly [string, TokenExpect] {
  const { text, signed } = cacao(change)
  const issuer = said.issuer ?? OWNER.did
  return [
    text,
    {
      cid: cidOf(Buffer.from(text, 'base64url')),
      statementId: statementIdOf('cacao', issuer, Buffer.from(signed)),
      issuer,
      audience: SESSION.did,
      notBeforeS: null,
      expiresAtS: null,
      capabilities: CAPABILITIES,
      proofs: [],
      signature: 'valid',
      ...said,
    },
  ]
}

/** Fields that say something else than what was signed: another statement, which nobody signed. */
function unsigned(change: Change, rebuilt: Partial<SiweMessage>): readonly [string, TokenExpect] {
  const [text, expect] = valid(change)
  const signed = formatSiwe({ ...MESSAGE, ...rebuilt })
  const statementId = statementIdOf('cacao', expect.issuer, Buffer.from(signed))
  return [text, { ...expect, statementId, signature: 'SIGNATURE_INVALID' }]
}

const invalid = (change: Change, said: Partial<TokenExpect> = {}): readonly [string, TokenExpect] =>
  valid(change, { ...said, signature: 'SIGNATURE_INVALID' })
const refused = (change: Change, code = 'TOKEN_MALFORMED'): readonly [string, TokenOutcome] => [
  cacao(change).text,
  { refused: code },
]
const withV =
  (v: number) =>
  (signature: Uint8Array): Uint8Array =>
    signature.with(64, v)

/** Of a length that needs some. */
const PADDED =
  ['r', 'rr', 'rrr']
    .map((requestId) => cacao({ message: { requestId } }).text)
    .find((text) => text.endsWith('=')) ?? ''

const withoutRecap: Partial<SiweMessage> = { resources: undefined, statement: 'Hello.' }

export const CACAOS: VectorSuite<string, TokenOutcome> = {
  suite: 'cacaos',
  about: 'input: an Authorization value; expect: what it says, and whether its issuer signed it',
  cases: [
    ...casesOf<string, TokenOutcome>('TOKEN-5', 'R 2.4', { 'a token and its names': valid({}) }),
    ...casesOf<string, TokenOutcome>('CACAO-1', 'R 2.3', {
      'every field': valid(
        {
          message: {
            scheme: 'https',
            statement: `Welcome. ${GRANT_SENTENCE}`,
            expirationTime: '2027-01-15T09:00:00.5Z',
            notBefore: '2027-01-15T08:00:00+00:30',
            requestId: 'r-1',
            resources: ['https://app.example/terms', GRANT],
          },
        },
        { expiresAtS: NOW_S + 3600.5, notBeforeS: NOW_S - 1800 },
      ),
      'members that nobody knows': valid({ map: (map) => ({ ...map, x: [1] }) }),
      'fields that are null': valid({ payload: { exp: null, nbf: null, request_id: null } }),
      'an address in small letters': valid({ payload: { iss: OWNER.did.toLowerCase() } }),
      'another type of header': refused({ map: (map) => ({ ...map, h: { t: 'caip122' } }) }),
      'no header': refused({ map: ({ p, s }) => ({ p, s }) }),
      'version 2': refused({ payload: { version: 2 } }),
      'a version that is a text': refused({ payload: { version: '1' } }),
      'no domain': refused({ payload: { domain: undefined } }),
      'a resource that is a number': refused({ payload: { resources: [1, GRANT] } }),
      'an issuer that is a key': refused({ payload: { iss: SESSION.did } }),
      'an issuer with fragment': refused({ payload: { iss: `${OWNER.did}#x` } }),
      'a signature of 64 bytes': refused({ signature: (bytes) => bytes.subarray(0, 64) }),
      'a list': refused({ map: (map) => [map] }),
    }),
    ...casesOf<string, TokenOutcome>('CACAO-2', 'R 2.3', {
      'v of 0 or 1': valid({ signature: (bytes) => bytes.with(64, (bytes[64] ?? 0) - 27) }),
      'v of 54 or 55': valid({ signature: (bytes) => bytes.with(64, (bytes[64] ?? 0) + 27) }),
      'v of 29': invalid({ signature: withV(29) }),
      'v of 2': invalid({ signature: withV(2) }),
      'the other v': invalid({ signature: (bytes) => bytes.with(64, 55 - (bytes[64] ?? 0)) }),
      'another wallet': invalid({ signer: STRANGER }),
      'another nonce than signed': unsigned(
        { payload: { nonce: 'nonce0001' } },
        { nonce: 'nonce0001' },
      ),
      'an end that was not signed': [
        cacao({ payload: { exp: '2099-01-01T00:00:00Z' } }).text,
        {
          ...unsigned(
            { payload: { exp: '2099-01-01T00:00:00Z' } },
            { expirationTime: '2099-01-01T00:00:00Z' },
          )[1],
          expiresAtS: 4_070_908_800,
        },
      ],
      'a line break in a field': refused({ payload: { nonce: 'nonce0000\nVersion: 1' } }),
      'a line break in the statement': refused({ payload: { statement: `a\n${GRANT_SENTENCE}` } }),
      'an empty statement': refused({ message: withoutRecap, payload: { statement: '' } }),
    }),
    ...casesOf<string, TokenOutcome>('RECAP-1', 'R 2.3', {
      'no resources': valid({ message: withoutRecap }, { capabilities: [] }),
      'a ReCap that is not the last resource': valid(
        { message: { resources: [GRANT, 'https://app.example/'] } },
        { capabilities: [] },
      ),
    }),
    ...casesOf<string, TokenOutcome>('RECAP-2', 'R 2.3', {
      'a statement before it': valid({ message: { statement: `Hello. ${GRANT_SENTENCE}` } }),
      'a statement that says less': refused(
        { message: { statement: GRANT_SENTENCE.replace(", 'put'", '') } },
        'SIWE_STATEMENT_INVALID',
      ),
      'words after it': refused(
        { message: { statement: `${GRANT_SENTENCE} Not.` } },
        'SIWE_STATEMENT_INVALID',
      ),
      'no statement': refused({ message: { statement: undefined } }, 'SIWE_STATEMENT_INVALID'),
    }),
    ...casesOf<string, TokenOutcome>('TOKEN-3', 'R 2.1', {
      'no padding': [PADDED.replace(/=+$/, ''), MALFORMED],
      'padding too much': refused({ text: (text) => `${text}====` }),
      'the other alphabet': refused({ text: (text) => `${text.slice(0, 40)}+${text.slice(41)}` }),
    }),
    ...casesOf<string, TokenOutcome>('TOKEN-4', 'D', {
      'bytes after the map': refused({
        text: (text) => padded(Buffer.concat([Buffer.from(text, 'base64url'), Buffer.of(0)])),
      }),
      'a name twice': refused({ text: twiceNamed }),
    }),
    ...casesOf<string, TokenOutcome>('REVOKE-1', 'R 2.12', {
      'an audience that is no DID': valid(
        { message: { ...withoutRecap, uri: `ucan:${PROOF}` } },
        { capabilities: [], audience: `ucan:${PROOF}` },
      ),
    }),
  ],
}

/** The map with one more `h`, in front of the others. */
function twiceNamed(text: string): string {
  const bytes = Buffer.from(text, 'base64url')
  const extra = Buffer.concat([encode('h'), encode({ t: 'eip4361' })])
  return padded(Buffer.concat([Buffer.of((bytes[0] ?? 0) + 1), extra, bytes.subarray(1)]))
}

interface SpellingExpect {
  readonly statementId: string
  readonly cids: readonly string[]
}

const SESSION_TEXT = signSessionDelegation(OWNER, {
  domain: 'app.example',
  nonce: 'nonce0000',
  issuedAtS: NOW_S,
  audience: GUEST.didUrl,
  abilities: ABILITIES,
}).authorization

function spelling(text: string): readonly [string[], SpellingExpect] {
  const texts = [SESSION_TEXT, text]
  const bytes = texts.map((one) => Buffer.from(one, 'base64url'))
  const { p } = decode<{ p: Record<string, string & string[]> }>(bytes[0] ?? new Uint8Array(0))
  const signed = formatSiwe({
    domain: String(p['domain']),
    address: OWNER.address,
    statement: p['statement'],
    uri: String(p['aud']),
    chainId: '1',
    nonce: String(p['nonce']),
    issuedAt: String(p['iat']),
    resources: p['resources'],
  })
  return [
    texts,
    {
      statementId: statementIdOf('cacao', OWNER.did, Buffer.from(signed)),
      cids: bytes.map(cidOf),
    },
  ]
}

export const SPELLINGS: VectorSuite<readonly string[], SpellingExpect> = {
  suite: 'spellings',
  about:
    'input: tokens; expect: the one id of their statement, and the CID of each. All are valid.',
  cases: casesOf<readonly string[], SpellingExpect>(
    'TOKEN-6',
    'D',
    Object.fromEntries(
      Object.entries(CACAO_SPELLINGS).map(([name, respell]) => [
        name,
        spelling(respell(SESSION_TEXT).authorization),
      ]),
    ),
  ),
}
