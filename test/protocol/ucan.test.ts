import { beforeAll, describe, expect, it } from 'vitest'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { utf8 } from '../../src/protocol/bytes.ts'
import { formatCid, RAW_CODEC } from '../../src/protocol/cid.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { formatUcan, parseUcan } from '../../src/protocol/ucan.ts'
import { codeOf, GUEST, OWNER, SESSION, SPACE } from '../_util/credentials.ts'

type Members = Record<string, unknown>

const DIGEST = blake3(utf8('a proof'))
const PROOF = formatCid(RAW_CODEC, DIGEST, 'base32')
const RESOURCE = `${SPACE}/kv/a`

const HEADER: Members = { alg: 'EdDSA', jwk: SESSION.jwk, typ: 'JWT', ucv: '0.10.0' }
const PAYLOAD: Members = {
  iss: SESSION.didUrl,
  aud: SESSION.did,
  exp: 1_800_000_060.25,
  nnc: 'urn:uuid:00000000-0000-4000-8000-000000000001',
  prf: [PROOF],
  att: { [RESOURCE]: { 'tinycloud.kv/get': [{}] } },
}

const sign = (signingInput: Uint8Array): Uint8Array => SESSION.sign(signingInput)
const tokenOf = (payload: Members, header: Members = HEADER): string =>
  formatUcan({ header, payload, sign })
const without = (members: Members, name: string): Members =>
  Object.fromEntries(Object.entries(members).filter(([other]) => other !== name))
const segment = (text: string): string => formatBase64url(utf8(text), { padding: 'none' })
const rawToken = (header: string, payload: string): string =>
  `${segment(header)}.${segment(payload)}.${segment('signature')}`

const spaced = (members: Members): string =>
  JSON.stringify(Object.fromEntries(Object.entries(members).toReversed()), null, 2)

describe('parseUcan', () => {
  it('gives all parts of a token', () => {
    const text = tokenOf(PAYLOAD)
    const token = parseUcan(text)
    expect(token).toMatchObject({
      encoding: 'ucan',
      text,
      issuer: SESSION.did,
      issuerUrl: SESSION.didUrl,
      audience: SESSION.did,
      audienceUrl: SESSION.did,
      notBeforeS: undefined,
      expiresAtS: 1_800_000_060.25,
      issuedAtS: undefined,
      facts: [],
      algorithm: 'EdDSA',
      headerJwk: SESSION.jwk,
    })
    expect(token.capabilities).toMatchObject([
      { resource: { text: RESOURCE }, ability: 'tinycloud.kv/get', caveats: {} },
    ])
    expect(token.proofs.map((proof) => Buffer.from(proof))).toEqual([Buffer.from(DIGEST)])
    expect(Buffer.from(token.bytes).toString()).toBe(text)
    expect(Buffer.from(token.digest)).toEqual(Buffer.from(blake3(utf8(text))))
    expect(Buffer.from(token.signingInput).toString()).toBe(text.slice(0, text.lastIndexOf('.')))
    expect(token.signature).toHaveLength(64)
  })

  it('takes any order of members, white space and unknown claims', () => {
    const token = parseUcan(rawToken(spaced(HEADER), spaced({ ...PAYLOAD, note: 'x', iat: 1 })))
    expect(token.capabilities).toHaveLength(1)
  })

  it('normalises the audience and drops its fragment', () => {
    const lower = OWNER.did.replace(OWNER.address, OWNER.address.toLowerCase())
    expect(parseUcan(tokenOf({ ...PAYLOAD, aud: GUEST.didUrl })).audience).toBe(GUEST.did)
    expect(parseUcan(tokenOf({ ...PAYLOAD, aud: lower }))).toMatchObject({
      audience: OWNER.did,
      audienceUrl: lower,
    })
    expect(parseUcan(tokenOf({ ...PAYLOAD, aud: 'did:web:node.example' })).audience).toBe(
      'did:web:node.example',
    )
  })

  it('takes null for optional claims, and no nonce', () => {
    const token = parseUcan(tokenOf({ ...PAYLOAD, nbf: null, nnc: null, fct: null }))
    expect(token).toMatchObject({ notBeforeS: undefined, facts: [] })
    expect(parseUcan(tokenOf({ ...without(PAYLOAD, 'nnc'), nbf: -1.5 })).notBeforeS).toBe(-1.5)
  })

  it.each([0, -5, 1e3, 1.5, 1e11, 8.64e12, -8.64e12])('takes exp %d', (exp) => {
    expect(parseUcan(tokenOf({ ...PAYLOAD, exp })).expiresAtS).toBe(exp)
  })

  it('keeps facts and their order', () => {
    expect(parseUcan(tokenOf({ ...PAYLOAD, fct: [{ a: 1 }, 'text', null] })).facts).toEqual([
      { a: 1 },
      'text',
      null,
    ])
  })

  it('sorts capabilities by resource and ability, in the order of bytes', () => {
    const att = {
      [`${SPACE}/kv/b`]: { 'tinycloud.kv/put': [{}], 'tinycloud.kv/get': [{}] },
      [`${SPACE}/kv/Z`]: { 'tinycloud.kv/get': [{}] },
      'urn:a:b': { 'x/y': [{}] },
      [`${SPACE}/kv/a/b`]: { 'tinycloud.kv/get': [{}] },
      [`${SPACE}/kv/a.b`]: { 'tinycloud.kv/get': [{}] },
    }
    const { capabilities } = parseUcan(tokenOf({ ...PAYLOAD, att }))
    expect(capabilities.map(({ resource, ability }) => [resource.text, ability])).toEqual([
      [`${SPACE}/kv/Z`, 'tinycloud.kv/get'],
      [`${SPACE}/kv/a.b`, 'tinycloud.kv/get'],
      [`${SPACE}/kv/a/b`, 'tinycloud.kv/get'],
      [`${SPACE}/kv/b`, 'tinycloud.kv/get'],
      [`${SPACE}/kv/b`, 'tinycloud.kv/put'],
      ['urn:a:b', 'x/y'],
    ])
  })

  it('finds a proof by its hash, whatever its codec and base', () => {
    const cids = [formatCid(0x71, DIGEST, 'base32'), formatCid(RAW_CODEC, DIGEST, 'base58btc')]
    for (const cid of cids) {
      const [proof] = parseUcan(tokenOf({ ...PAYLOAD, prf: [cid] })).proofs
      expect(Buffer.from(proof ?? [])).toEqual(Buffer.from(DIGEST))
    }
  })

  it('takes a proof of another hash for one that nothing is stored under', () => {
    const prf = ['bafkreie3bfwr2pxtzphzpspb3plvdrh3obq5yiyibfuuiqj2m3kcrrexpu']
    const [proof] = parseUcan(tokenOf({ ...PAYLOAD, prf })).proofs
    expect(Buffer.from(proof ?? [])).toEqual(Buffer.alloc(32))
  })
})

describe('hostile tokens (UCAN-1, UCAN-4, UCAN-5)', () => {
  const ATT = PAYLOAD['att']
  it.each<[string, Members]>([
    ['no iss', without(PAYLOAD, 'iss')],
    ['no aud', without(PAYLOAD, 'aud')],
    ['no exp', without(PAYLOAD, 'exp')],
    ['no prf', without(PAYLOAD, 'prf')],
    ['no att', without(PAYLOAD, 'att')],
    ['exp null', { ...PAYLOAD, exp: null }],
    ['exp as text', { ...PAYLOAD, exp: '1800000060' }],
    ['exp beyond any calendar', { ...PAYLOAD, exp: 8.64e12 + 1 }],
    ['nbf before any calendar', { ...PAYLOAD, nbf: -1e300 }],
    ['exp as boolean', { ...PAYLOAD, exp: true }],
    ['exp as array', { ...PAYLOAD, exp: [1] }],
    ['nbf as text', { ...PAYLOAD, nbf: '1' }],
    ['nnc as number', { ...PAYLOAD, nnc: 1 }],
    ['fct as object', { ...PAYLOAD, fct: { a: 1 } }],
    ['prf as text', { ...PAYLOAD, prf: PROOF }],
    ['prf null', { ...PAYLOAD, prf: null }],
    ['prf as objects', { ...PAYLOAD, prf: [{ '/': PROOF }] }],
    ['prf no CID', { ...PAYLOAD, prf: ['parent'] }],
    ['prf with an empty text', { ...PAYLOAD, prf: [''] }],
    ['too many proofs', { ...PAYLOAD, prf: Array.from({ length: 65 }, () => PROOF) }],
    ['iss no DID', { ...PAYLOAD, iss: 'key' }],
    ['empty iss', { ...PAYLOAD, iss: '' }],
    ['iss too long', { ...PAYLOAD, iss: `did:key:${'z'.repeat(5000)}` }],
    ['iss with a line feed', { ...PAYLOAD, iss: `${SESSION.did}\n` }],
    ['aud no DID', { ...PAYLOAD, aud: 'https://example.com' }],
    ['att as array', { ...PAYLOAD, att: [ATT] }],
    ['att null', { ...PAYLOAD, att: null }],
    ['abilities as array', { ...PAYLOAD, att: { [RESOURCE]: ['tinycloud.kv/get'] } }],
    ['no caveat entry', { ...PAYLOAD, att: { [RESOURCE]: { 'tinycloud.kv/get': [] } } }],
    ['caveat null', { ...PAYLOAD, att: { [RESOURCE]: { 'tinycloud.kv/get': [null] } } }],
    ['caveats as object', { ...PAYLOAD, att: { [RESOURCE]: { 'tinycloud.kv/get': {} } } }],
    ['ability without slash', { ...PAYLOAD, att: { [RESOURCE]: { get: [{}] } } }],
    ['resource that is no URI', { ...PAYLOAD, att: { 'a b': { 'x/y': [{}] } } }],
    [
      'too many capabilities',
      {
        ...PAYLOAD,
        att: {
          'x:a': Object.fromEntries(Array.from({ length: 4097 }, (_, i) => [`a/${i}`, [{}]])),
        },
      },
    ],
    [
      'too many resources',
      {
        ...PAYLOAD,
        att: Object.fromEntries(Array.from({ length: 4097 }, (_, i) => [`x:${i}`, {}])),
      },
    ],
    [
      'too many spaces',
      {
        ...PAYLOAD,
        att: Object.fromEntries(
          Array.from({ length: 257 }, (_, i) => [`${SPACE}${i}/kv`, { 'a/b': [{}] }]),
        ),
      },
    ],
    [
      'deep nesting',
      { ...PAYLOAD, fct: [JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown] },
    ],
  ])('%s', (_, payload) => {
    expect(codeOf(() => parseUcan(tokenOf(payload)))).toBe('TOKEN_MALFORMED')
  })

  it.each<[string, Members]>([
    ['no typ', without(HEADER, 'typ')],
    ['another typ', { ...HEADER, typ: 'at+jwt' }],
    ['typ in lower case', { ...HEADER, typ: 'jwt' }],
    ['no ucv', without(HEADER, 'ucv')],
    ['another ucv', { ...HEADER, ucv: '0.9.0' }],
    ['no alg', without(HEADER, 'alg')],
    ['alg null', { ...HEADER, alg: null }],
    ['alg as number', { ...HEADER, alg: 1 }],
    ['crit', { ...HEADER, crit: ['exp'] }],
    ['empty crit', { ...HEADER, crit: [] }],
    ['crit null', { ...HEADER, crit: null }],
    ['jwk as text', { ...HEADER, jwk: 'x' }],
  ])('header with %s', (_, header) => {
    expect(codeOf(() => parseUcan(tokenOf(PAYLOAD, header)))).toBe('TOKEN_MALFORMED')
  })

  it.each<[string, string, string]>([
    ['payload an array', JSON.stringify(HEADER), '[]'],
    ['payload no JSON', JSON.stringify(HEADER), 'x'],
    ['header null', 'null', JSON.stringify(PAYLOAD)],
    [
      'a claim twice',
      JSON.stringify(HEADER),
      JSON.stringify(PAYLOAD).replace('"exp":', '"exp":1,"exp":'),
    ],
    [
      'a claim twice, once escaped',
      JSON.stringify(HEADER),
      JSON.stringify(PAYLOAD).replace('"exp":', '"\\u0065xp":1,"exp":'),
    ],
    [
      'exp beyond a double',
      JSON.stringify(HEADER),
      JSON.stringify(PAYLOAD).replace('1800000060.25', '1e400'),
    ],
    ['a name from the prototype', JSON.stringify(HEADER), '{"__proto__":{"iss":"did:key:z"}}'],
  ])('%s', (_, header, payload) => {
    expect(codeOf(() => parseUcan(rawToken(header, payload)))).toBe('TOKEN_MALFORMED')
  })

  let text = ''
  beforeAll(() => {
    text = tokenOf(PAYLOAD)
  })

  it.each<[string, (token: string) => string]>([
    ['padding behind the signature', (token) => `${token}==`],
    ['padding behind the header', (token) => token.replace('.', '=.')],
    ['four segments', (token) => `${token}.e30`],
    ['two segments', (token) => token.slice(0, token.lastIndexOf('.'))],
    ['a trailing dot', (token) => `${token}.`],
    ['a leading dot', (token) => `.${token}`],
    ['only dots', () => '..'],
    ['a dot', () => '.'],
    ['nothing', () => ''],
    ['a blank inside', (token) => token.replace('.', ' .')],
    ['a line feed at the end', (token) => `${token}\n`],
    ['a scheme', (token) => `Bearer ${token}`],
    ['other characters', (token) => `${token}é`],
    ['loose bits at the end', (token) => `${token.slice(0, -1)}${nextLetter(token)}`],
  ])('%s', (_, spoil) => {
    expect(codeOf(() => parseUcan(spoil(text)))).toBe('TOKEN_MALFORMED')
  })

  it('never throws anything but a refusal for cut or changed tokens', () => {
    const codes = new Set<string | undefined>()
    for (let index = 0; index < text.length; index += 3) {
      codes.add(codeOf(() => parseUcan(text.slice(0, index))))
      codes.add(codeOf(() => parseUcan(`${text.slice(0, index)}~${text.slice(index + 1)}`)))
      codes.add(codeOf(() => parseUcan(`${text.slice(0, index)}A${text.slice(index + 1)}`)))
    }
    // A changed signature or nonce still decodes.
    expect(codes).toEqual(new Set([undefined, 'TOKEN_MALFORMED']))
  })
})

/** The last character with another lowest bit: 64 bytes leave four unused bits in it. */
function nextLetter(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(token.slice(-1)) ^ 1)
}
