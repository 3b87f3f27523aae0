import { encode } from '@ipld/dag-cbor'
import { describe, expect, it } from 'vitest'
import { type SignedToken } from '../../src/protocol/authority.ts'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { formatCacao, parseCacao } from '../../src/protocol/cacao.ts'
import { formatCid, RAW_CODEC } from '../../src/protocol/cid.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { formatRecapStatement, formatRecapUri } from '../../src/protocol/recap.ts'
import { formatSiwe, type SiweMessage } from '../../src/protocol/siwe.ts'
import { codeOf, GUEST, OWNER, SESSION, SPACE } from '../_util/credentials.ts'

type Members = Record<string, unknown>

const ABILITIES = { [`${SPACE}/kv`]: ['tinycloud.kv/put', 'tinycloud.kv/get'] }
const DIGEST = blake3(Buffer.from('a proof'))
const PROOF = formatCid(RAW_CODEC, DIGEST, 'base58btc')
const SENTENCE = formatRecapStatement(ABILITIES)
const RECAP = formatRecapUri({ abilities: ABILITIES, proofs: [PROOF] })
const SIGNATURE = new Uint8Array(65).fill(7)

const MESSAGE: SiweMessage = {
  domain: 'app.example',
  address: OWNER.address,
  statement: SENTENCE,
  uri: SESSION.didUrl,
  chainId: '1',
  nonce: 'abcdefgh1',
  issuedAt: '2026-01-01T00:00:00.000Z',
  resources: [RECAP],
}

const PAYLOAD: Members = {
  domain: 'app.example',
  iss: OWNER.did,
  aud: SESSION.didUrl,
  version: 1,
  nonce: 'abcdefgh1',
  iat: '2026-01-01T00:00:00.000Z',
  statement: SENTENCE,
  resources: [RECAP],
}

const encodeText = (value: unknown): string =>
  formatBase64url(encode(value), { padding: 'required' })
const cacaoOf = (payload: Members, more: Members = {}): string =>
  encodeText({ h: { t: 'eip4361' }, p: payload, s: { t: 'eip191', s: SIGNATURE }, ...more })
const signedWith = (t: string, s: unknown): string => cacaoOf(PAYLOAD, { s: { t, s } })
const parseWithContracts = (text: string): SignedToken =>
  parseCacao(text, (chainId) => chainId === '1')
const without = (name: string): Members =>
  Object.fromEntries(Object.entries(PAYLOAD).filter(([other]) => other !== name))

describe('parseCacao', () => {
  it('gives all parts of a token', () => {
    const text = formatCacao(
      { ...MESSAGE, expirationTime: '2099-01-01T00:00:00.5Z', notBefore: '2026-01-01T00:00:00Z' },
      SIGNATURE,
    )
    const token = parseCacao(text)
    expect(token).toMatchObject({
      encoding: 'cacao',
      text,
      issuer: OWNER.did,
      issuerUrl: OWNER.did,
      audience: SESSION.did,
      audienceUrl: SESSION.didUrl,
      notBeforeS: 1_767_225_600,
      expiresAtS: 4_070_908_800.5,
      issuedAtS: 1_767_225_600,
      facts: [],
      algorithm: 'eip191',
    })
    expect(token.capabilities.map(({ resource, ability }) => [resource.text, ability])).toEqual([
      [`${SPACE}/kv`, 'tinycloud.kv/get'],
      [`${SPACE}/kv`, 'tinycloud.kv/put'],
    ])
    expect(token.capabilities.every(({ caveats }) => Object.keys(caveats).length === 0)).toBe(true)
    expect(token.proofs.map((proof) => Buffer.from(proof))).toEqual([Buffer.from(DIGEST)])
    expect(Buffer.from(token.bytes)).toEqual(Buffer.from(text, 'base64url'))
    expect(Buffer.from(token.digest)).toEqual(Buffer.from(blake3(token.bytes)))
    expect(Buffer.from(token.signature)).toEqual(Buffer.from(SIGNATURE))
  })

  it('rebuilds the text that was signed (CACAO-2)', () => {
    const message: SiweMessage = {
      ...MESSAGE,
      scheme: 'https',
      statement: `Welcome. ${SENTENCE}`,
      expirationTime: '2099-01-01T00:00:00+05:30',
      notBefore: '2020-01-01T00:00:00.123456Z',
      requestId: 'request-1',
      resources: ['https://example.com/terms', RECAP],
    }
    const { signingInput } = parseCacao(formatCacao(message, SIGNATURE))
    expect(Buffer.from(signingInput).toString()).toBe(formatSiwe(message))
  })

  it('takes an address in lower case: the text has its checksum', () => {
    const iss = OWNER.did.replace(OWNER.address, OWNER.address.toLowerCase())
    const token = parseCacao(cacaoOf({ ...PAYLOAD, iss }))
    expect(token.issuer).toBe(OWNER.did)
    expect(Buffer.from(token.signingInput).toString()).toContain(`\n${OWNER.address}\n`)
  })

  it('ignores what it does not know, takes null as absent', () => {
    const token = parseCacao(
      cacaoOf({ ...PAYLOAD, exp: null, note: 1, scheme: null }, { x: { y: [1] } }),
    )
    expect(token.expiresAtS).toBeUndefined()
    expect(token.capabilities).toHaveLength(2)
  })

  it('grants nothing without ReCap, and by a ReCap that is not last (RECAP-1)', () => {
    const granted = (resources: string[] | undefined, statement = 'Hello.') =>
      parseCacao(cacaoOf({ ...PAYLOAD, statement, ...(resources && { resources }) })).capabilities
    expect(parseCacao(cacaoOf(without('resources'))).capabilities).toEqual([])
    expect(granted([])).toEqual([])
    expect(granted([RECAP, 'https://example.com/after'], SENTENCE)).toEqual([])
    const first = formatRecapUri({
      abilities: { [`${SPACE}/kv`]: ['tinycloud.kv/del'] },
      proofs: [],
    })
    expect(granted([first, RECAP], SENTENCE)).toHaveLength(2)
  })

  it('keeps the URI of a revocation as audience', () => {
    const aud = `ucan:${formatCid(RAW_CODEC, DIGEST, 'base32')}`
    const token = parseCacao(
      cacaoOf({ ...without('resources'), aud, statement: 'Revoke this delegation.' }),
    )
    expect(token).toMatchObject({ audience: aud, audienceUrl: aud })
  })

  it.each<[string, unknown]>([
    ['no statement', undefined],
    ['another statement', 'Sign in.'],
    ['text after the sentence', `${SENTENCE} And more.`],
    ['other wording', SENTENCE.replace('stated URI', 'given URI')],
    ['fewer rights', formatRecapStatement({ [`${SPACE}/kv`]: ['tinycloud.kv/get'] })],
    ['another space', SENTENCE.replace(':default', ':elsewhere')],
  ])('refuses a statement that does not end with the sentence: %s', (_, statement) => {
    const payload = statement === undefined ? without('statement') : { ...PAYLOAD, statement }
    expect(codeOf(() => parseCacao(cacaoOf(payload)))).toBe('SIWE_STATEMENT_INVALID')
  })
})

describe('hostile CACAOs (CACAO-1)', () => {
  it.each<[string, Members]>([
    ['version as text', { ...PAYLOAD, version: '1' }],
    ['version 2', { ...PAYLOAD, version: 2 }],
    ['no version', without('version')],
    ['no domain', without('domain')],
    ['no iss', without('iss')],
    ['no aud', without('aud')],
    ['no nonce', without('nonce')],
    ['no iat', without('iat')],
    ['iat as number', { ...PAYLOAD, iat: 1 }],
    ['exp as number', { ...PAYLOAD, exp: 4_070_908_800 }],
    ['exp on 31 February', { ...PAYLOAD, exp: '2099-02-31T00:00:00Z' }],
    ['iss of a key', { ...PAYLOAD, iss: GUEST.did }],
    ['iss of another chain kind', { ...PAYLOAD, iss: 'did:pkh:solana:x:y' }],
    ['iss with fragment', { ...PAYLOAD, iss: `${OWNER.did}#blockchainAccountId` }],
    ['iss with a short address', { ...PAYLOAD, iss: OWNER.did.slice(0, -1) }],
    ['aud that is no URI', { ...PAYLOAD, aud: 'a b' }],
    ['aud that is no DID', { ...PAYLOAD, aud: 'did:KEY:x' }],
    ['statement with line feed', { ...PAYLOAD, statement: `x\n${SENTENCE}` }],
    ['statement as bytes', { ...PAYLOAD, statement: Buffer.from(SENTENCE) }],
    ['resources as text', { ...PAYLOAD, resources: RECAP }],
    ['resources of numbers', { ...PAYLOAD, resources: [1] }],
    ['domain with line feed', { ...PAYLOAD, domain: 'a\nb' }],
    ['a ReCap on what is no URI', { ...PAYLOAD, ...recapFor({ 'a b': ['x/y'] }) }],
    ['a ReCap of what is no ability', { ...PAYLOAD, ...recapFor({ 'x:a': ['x/y/z'] }) }],
    [
      'a proof that is no CID',
      { ...PAYLOAD, resources: [formatRecapUri({ abilities: ABILITIES, proofs: ['znonsense'] })] },
    ],
  ])('%s', (_, payload) => {
    expect(codeOf(() => parseCacao(cacaoOf(payload)))).toBe('TOKEN_MALFORMED')
  })

  it.each<[string, unknown]>([
    ['an empty map', {}],
    ['an array', []],
    ['a number', 1],
    ['no payload', { h: { t: 'eip4361' }, s: { t: 'eip191', s: SIGNATURE } }],
    ['no header', { p: PAYLOAD, s: { t: 'eip191', s: SIGNATURE } }],
    ['another header type', { h: { t: 'caip122' }, p: PAYLOAD, s: { t: 'eip191', s: SIGNATURE } }],
    [
      'another signature type',
      { h: { t: 'eip4361' }, p: PAYLOAD, s: { t: 'eip1271', s: SIGNATURE } },
    ],
    [
      'signature as array',
      { h: { t: 'eip4361' }, p: PAYLOAD, s: { t: 'eip191', s: [...SIGNATURE] } },
    ],
    ['signature as text', { h: { t: 'eip4361' }, p: PAYLOAD, s: { t: 'eip191', s: '0x' } }],
    [
      'signature of 64 bytes',
      { h: { t: 'eip4361' }, p: PAYLOAD, s: { t: 'eip191', s: SIGNATURE.slice(1) } },
    ],
    [
      'signature of 66 bytes',
      { h: { t: 'eip4361' }, p: PAYLOAD, s: { t: 'eip191', s: new Uint8Array(66) } },
    ],
  ])('%s', (_, value) => {
    expect(codeOf(() => parseCacao(encodeText(value)))).toBe('TOKEN_MALFORMED')
  })

  describe('of a chain whose contract wallets may sign (CACAO-4)', () => {
    it.each([
      ['eip191', 1],
      ['eip191', 65],
      ['eip1271', 65],
      ['eip1271', 130],
      ['eip1271', 8192],
    ])('takes a signature of type %s and %i bytes', (type, count) => {
      const signature = new Uint8Array(count).fill(3)
      const token = parseWithContracts(signedWith(type, signature))
      expect([token.algorithm, token.signature.length]).toEqual([type, count])
    })

    it.each([
      ['eip1271', new Uint8Array(0)],
      ['eip1271', new Uint8Array(8193)],
      ['eip6492', SIGNATURE],
      ['eip1271', [...SIGNATURE]],
      ['eip1271', '0x'],
    ])('refuses another form of type %s', (type, signature) => {
      expect(codeOf(() => parseWithContracts(signedWith(type, signature)))).toBe('TOKEN_MALFORMED')
    })

    it('refuses the same signatures on another chain', () => {
      const text = signedWith('eip1271', SIGNATURE)
      expect(codeOf(() => parseCacao(text, (chainId) => chainId === '10'))).toBe('TOKEN_MALFORMED')
    })
  })

  it('refuses other encodings of the same bytes', () => {
    // A nonce of the length at which the CBOR needs padding.
    const text = [8, 9, 10]
      .map((length) => cacaoOf({ ...PAYLOAD, nonce: 'n'.repeat(length) }))
      .find((candidate) => candidate.endsWith('='))
    if (text === undefined) throw new Error('no length needs padding')
    expect(codeOf(() => parseCacao(text))).toBeUndefined()
    for (const other of [text.replace(/=+$/, ''), `${text}=`, `u${text}`, ` ${text}`, `${text}\n`])
      expect(codeOf(() => parseCacao(other))).toBe('TOKEN_MALFORMED')
  })

  it('refuses the standard alphabet', () => {
    const text = cacaoOf(PAYLOAD, { s: { t: 'eip191', s: new Uint8Array(65).fill(0xff) } })
    expect(codeOf(() => parseCacao(text))).toBeUndefined()
    const standard = Buffer.from(text, 'base64url').toString('base64')
    expect(standard).toMatch(/[+/]/)
    expect(codeOf(() => parseCacao(standard))).toBe('TOKEN_MALFORMED')
  })

  it('refuses bytes after the map, and a map that gives a name twice', () => {
    const bytes = Buffer.from(cacaoOf(PAYLOAD), 'base64url')
    const trailing = formatBase64url(Buffer.concat([bytes, Buffer.from([0])]), {
      padding: 'required',
    })
    expect(codeOf(() => parseCacao(trailing))).toBe('TOKEN_MALFORMED')
    const head = Buffer.from(bytes)
    head[0] = 0xa4
    const twice = Buffer.concat([head, Buffer.from('6168a161746765697034333631', 'hex')])
    expect(codeOf(() => parseCacao(formatBase64url(twice, { padding: 'required' })))).toBe(
      'TOKEN_MALFORMED',
    )
  })

  it('never throws anything but a refusal for changed bytes', () => {
    const bytes = Buffer.from(cacaoOf(PAYLOAD), 'base64url')
    const codes = new Set<string | undefined>()
    for (let index = 0; index < bytes.length; index++) {
      for (const flip of [0x01, 0x20, 0x80]) {
        const changed = Buffer.from(bytes)
        changed[index] = (changed[index] ?? 0) ^ flip
        const text = formatBase64url(changed, { padding: 'required' })
        codes.add(codeOf(() => parseCacao(text)))
      }
    }
    // A changed signature still decodes.
    expect(codes).toEqual(new Set([undefined, 'TOKEN_MALFORMED', 'SIWE_STATEMENT_INVALID']))
  })
})

function recapFor(abilities: Record<string, string[]>): Members {
  return {
    statement: formatRecapStatement(abilities),
    resources: [formatRecapUri({ abilities, proofs: [] })],
  }
}
