/** CACAOs that are malformed or forged, sent as delegations that would hand over the victim's space. */
import { formatBase64url, parseBase64url } from '../../src/protocol/base64url.ts'
import { concatBytes, utf8 } from '../../src/protocol/bytes.ts'
import { type ClaimsObject } from '../../src/protocol/claims.ts'
import {
  type SessionOptions,
  signSessionDelegation,
} from '../../src/protocol/client/wallet-tokens.ts'
import { encodeDagCbor } from '../../src/protocol/dag-cbor.ts'
import { type ErrorCode } from '../../src/protocol/error.ts'
import { TOKEN_DEPTH_MAX } from '../../src/protocol/limits.ts'
import { type BadCase, type Stage, tokenCase } from './bad-input.ts'
import { newKey, newWallet, nowS } from './client.ts'
import { textsOf } from './narrow.ts'
import { readCacao, signatureOf } from './respell.ts'

let noncesUsed = 0

/** The victim gives all of its kv service to a new key. */
function sessionOf(
  { victim }: Pick<Stage, 'victim'>,
  change: Partial<SessionOptions> = {},
): string {
  noncesUsed += 1
  return signSessionDelegation(victim.wallet, {
    domain: 'tests.example',
    nonce: `nonce${String(noncesUsed).padStart(8, '0')}`,
    issuedAtS: nowS(),
    expiresAtS: nowS() + 3600,
    audience: newKey().did,
    abilities: { [`${victim.space}/kv`]: ['tinycloud.kv/get', 'tinycloud.kv/put'] },
    ...change,
  }).authorization
}

type TextRow = readonly [name: string, code: ErrorCode, spoil: (authorization: string) => string]

const padded = (bytes: Uint8Array): string => formatBase64url(bytes, { padding: 'required' })

/** Spoils the bytes inside the encoding. */
const bytesRow = (name: string, spoil: (bytes: Uint8Array) => Uint8Array): TextRow => [
  name,
  'TOKEN_MALFORMED',
  (text) => padded(spoil(parseBase64url(text, { padding: 'required' }))),
]

const constant = (name: string, ...bytes: number[]): TextRow =>
  bytesRow(name, () => Uint8Array.from(bytes))

/** Without padding nothing tells how long the bytes are, so a text is lengthened until padding is needed. */
const endingInPadding = (text: string): string => {
  const bytes = parseBase64url(text, { padding: 'required' })
  const count = bytes.length % 3 === 0 ? 1 : 0
  const cacao = readCacao(text)
  return padded(encodeDagCbor({ ...cacao, x: 'y'.repeat(count) }))
}

const encodingRows: readonly TextRow[] = [
  [
    'malformed CACAO: without its padding',
    'TOKEN_MALFORMED',
    (text) => endingInPadding(text).replace(/=+$/, ''),
  ],
  ['malformed CACAO: with more padding', 'TOKEN_MALFORMED', (text) => `${text}====`],
  [
    'malformed CACAO: in the standard alphabet of base64',
    'TOKEN_MALFORMED',
    (text) => `${text.slice(0, 40)}+/+/${text.slice(44)}`,
  ],
  [
    'malformed CACAO: with a blank',
    'TOKEN_MALFORMED',
    (text) => `${text.slice(0, 40)} ${text.slice(41)}`,
  ],
  ['malformed CACAO: with a scheme before it', 'TOKEN_MALFORMED', (text) => `Bearer ${text}`],
  ['malformed CACAO: cut in half', 'TOKEN_MALFORMED', (text) => text.slice(0, 400)],
  ['malformed CACAO: without its last character', 'TOKEN_MALFORMED', (text) => text.slice(0, -1)],
  bytesRow('malformed CACAO: with a byte after it', (bytes) =>
    concatBytes([bytes, Uint8Array.of(0)]),
  ),
  bytesRow('malformed CACAO: without its last byte', (bytes) => bytes.subarray(0, -1)),
  bytesRow('malformed CACAO: of random bytes', () => Buffer.alloc(300, 0xa5)),
  constant('malformed CACAO: CBOR null', 0xf6),
  constant('malformed CACAO: CBOR undefined', 0xf7),
  constant('malformed CACAO: an empty CBOR map', 0xa0),
  constant('malformed CACAO: an empty CBOR array', 0x80),
  constant('malformed CACAO: a CBOR text', 0x61, 0x61),
  constant('malformed CACAO: CBOR map of indefinite length', 0xbf, 0xff),
  constant(
    'malformed CACAO: CBOR text of 2^63 bytes',
    0x7b,
    0x7f,
    255,
    255,
    255,
    255,
    255,
    255,
    255,
  ),
  constant('malformed CACAO: CBOR bytes of 2^32 − 1 bytes', 0x5a, 255, 255, 255, 255),
  constant('malformed CACAO: CBOR array of 2^32 − 1 items', 0x9a, 255, 255, 255, 255),
  constant('malformed CACAO: CBOR map of 2^32 − 1 members', 0xba, 255, 255, 255, 255),
  constant('malformed CACAO: CBOR map with a number as name', 0xa1, 0x01, 0x01),
  constant('malformed CACAO: CBOR with a tag of its own', 0xc1, 0x01),
  constant('malformed CACAO: CBOR with a link that is none', 0xd8, 0x2a, 0x41, 0x00),
  bytesRow('malformed CACAO: CBOR nested 100,000 deep', () =>
    concatBytes([Buffer.alloc(100_000, 0x81), Uint8Array.of(0)]),
  ),
  bytesRow(`malformed CACAO: nested ${TOKEN_DEPTH_MAX + 1} deep`, (bytes) =>
    withMember(bytes, 'x', nested(TOKEN_DEPTH_MAX)),
  ),
  bytesRow('malformed CACAO: with the member `p` twice', (bytes) =>
    withMember(bytes, 'p', encodeDagCbor(readCacao(padded(bytes)).p)),
  ),
  bytesRow('malformed CACAO: with invalid UTF-8', (bytes) =>
    withMember(bytes, 'x', Uint8Array.of(0x61, 0xff)),
  ),
  bytesRow('malformed CACAO: with a float of 16 bits', (bytes) =>
    withMember(bytes, 'x', Uint8Array.of(0xf9, 0x3c, 0)),
  ),
]

const nested = (depth: number): Uint8Array =>
  concatBytes([Buffer.alloc(depth, 0x81), Uint8Array.of(0)])

/** Adds an encoded member to a CBOR map of less than 23 members, whether or not its name is new. */
const withMember = (map: Uint8Array, name: string, value: Uint8Array): Uint8Array =>
  concatBytes([Uint8Array.of((map[0] ?? 0) + 1), map.subarray(1), encodeDagCbor(name), value])

/** Changes what was decoded and encodes it again. */
function rebuilt(
  change: (cacao: ReturnType<typeof readCacao>) => unknown,
): (text: string) => string {
  return (text) => padded(encodeDagCbor(change(readCacao(text))))
}

const without = (object: ClaimsObject, name: string): ClaimsObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))

const withClaims =
  (claims: ClaimsObject): ((text: string) => string) =>
  (text) =>
    rebuilt(({ h, p, s }) => ({ h, p: { ...p, ...claims }, s }))(text)

const WRONG_CLAIMS: Readonly<Record<string, readonly unknown[]>> = {
  domain: [null, 7, '', 'a b', 'a/b', 'evil.example\nhost.example'],
  iss: [
    null,
    7,
    'did:key:z6Mk',
    'did:pkh:solana:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B',
    'did:pkh:eip155:1:0x6a12',
    'did:pkh:eip155:x:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B',
  ],
  aud: [null, 7, '', 'not a uri', 'did:'],
  version: [null, '1', 2, 1.5],
  nonce: [null, 7, '', 'short', 'with a blank in it'],
  iat: [null, 7, '', 'yesterday', '2026-02-30T00:00:00Z', '2026-01-01T00:00:00', '2026-01-01'],
  exp: [7, 'never', '2026-13-01T00:00:00Z', '2026-01-01T24:00:00Z'],
  nbf: [7, 'soon', '2026-01-01T00:00:60Z'],
  statement: [7, {}],
  request_id: [7, 'a b'],
  scheme: [7, '1x', 'a b'],
  resources: ['x', {}, [7], ['no uri'], [null]],
}

const claimRows: readonly TextRow[] = [
  ...Object.entries(WRONG_CLAIMS).flatMap(([name, values]) =>
    values.map((value): TextRow => [
      `CACAO with ${name}: ${JSON.stringify(value)}`,
      'TOKEN_MALFORMED',
      withClaims({ [name]: value }),
    ]),
  ),
  ...['domain', 'iss', 'aud', 'version', 'nonce', 'iat'].map((name): TextRow => [
    `CACAO without: ${name}`,
    'TOKEN_MALFORMED',
    rebuilt(({ h, p, s }) => ({ h, p: without(p, name), s })),
  ]),
  ...(['h', 'p', 's'] as const).flatMap((part): TextRow[] => [
    [`CACAO without: ${part}`, 'TOKEN_MALFORMED', rebuilt((cacao) => without({ ...cacao }, part))],
    [`CACAO with ${part}: 7`, 'TOKEN_MALFORMED', rebuilt((cacao) => ({ ...cacao, [part]: 7 }))],
  ]),
  [
    'CACAO with another type: of the header',
    'TOKEN_MALFORMED',
    rebuilt((cacao) => ({ ...cacao, h: { t: 'caip122' } })),
  ],
  [
    'CACAO with another type: of the signature',
    'TOKEN_MALFORMED',
    rebuilt(({ h, p, s }) => ({ h, p, s: { ...s, t: 'eip1271' } })),
  ],
  [
    'CACAO with claims only in `__proto__`',
    'TOKEN_MALFORMED',
    rebuilt(({ h, p, s }) => ({ h, s, p: Object.fromEntries([['__proto__', p]]) })),
  ],
]

/** The ReCap is the last resource; the statement stays that of the good one. */
const withRecap = (content: string | Uint8Array): ((text: string) => string) =>
  rebuilt(({ h, p, s }) => {
    const bytes = typeof content === 'string' ? utf8(content) : content
    return {
      h,
      s,
      p: { ...p, resources: [`urn:recap:${formatBase64url(bytes, { padding: 'none' })}`] },
    }
  })

const recapRow = (name: string, content: string | Uint8Array): TextRow => [
  `ReCap: ${name}`,
  'TOKEN_MALFORMED',
  withRecap(content),
]

const recapRows: readonly TextRow[] = [
  ['ReCap: with padding', 'TOKEN_MALFORMED', withClaims({ resources: ['urn:recap:e30='] })],
  ['ReCap: that is empty', 'TOKEN_MALFORMED', withClaims({ resources: ['urn:recap:'] })],
  recapRow('that is no JSON', 'x'),
  recapRow('of invalid UTF-8', Uint8Array.of(0x22, 0xff, 0x22)),
  recapRow('that is an array', '[]'),
  recapRow('without att', '{"prf":[]}'),
  recapRow('without prf', '{"att":{}}'),
  recapRow('with att twice', '{"att":{},"att":{},"prf":[]}'),
  recapRow('with a proof in base32', '{"att":{},"prf":["bafkr4i"]}'),
  recapRow('with a proof that is a number', '{"att":{},"prf":[7]}'),
  recapRow('with an array of abilities', '{"att":{"urn:a":["a/b"]},"prf":[]}'),
  recapRow('with a condition', '{"att":{"urn:a":{"a/b":[{"c":1}]}},"prf":[]}'),
  recapRow('with no entry of conditions', '{"att":{"urn:a":{"a/b":[]}},"prf":[]}'),
  recapRow('with a null of conditions', '{"att":{"urn:a":{"a/b":[null]}},"prf":[]}'),
  recapRow(
    'nested 100,000 deep',
    `{"att":{},"prf":[],"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
  ),
  [
    'ReCap that says more than the statement',
    'SIWE_STATEMENT_INVALID',
    withRecap('{"att":{"urn:a":{"a/b":[{}]}},"prf":[]}'),
  ],
  [
    'CACAO with a ReCap and without statement',
    'SIWE_STATEMENT_INVALID',
    rebuilt(({ h, p, s }) => ({ h, s, p: without(p, 'statement') })),
  ],
  [
    'CACAO with a line feed in its statement',
    'TOKEN_MALFORMED',
    rebuilt(({ h, p, s }) => ({ h, s, p: { ...p, statement: `a\n${String(p['statement'])}` } })),
  ],
  [
    'CACAO with text after the sentence of its ReCap',
    'SIWE_STATEMENT_INVALID',
    rebuilt(({ h, p, s }) => ({ h, s, p: { ...p, statement: `${String(p['statement'])} Not.` } })),
  ],
]

const withSignature = (spoil: (signature: Buffer) => Uint8Array): ((text: string) => string) =>
  rebuilt((cacao) => ({ ...cacao, s: { ...cacao.s, s: spoil(signatureOf(cacao)) } }))

const filled = (signature: Buffer, byte: number, start: number, end: number): Buffer =>
  signature.fill(byte, start, end)

const forgedRow = (name: string, spoil: (signature: Buffer) => Uint8Array): TextRow => [
  `CACAO with a forged signature: ${name}`,
  'SIGNATURE_INVALID',
  withSignature(spoil),
]

const signatureRows: readonly TextRow[] = [
  [
    'CACAO with a malformed signature: 64 bytes',
    'TOKEN_MALFORMED',
    withSignature((bytes) => bytes.subarray(1)),
  ],
  [
    'CACAO with a malformed signature: 66 bytes',
    'TOKEN_MALFORMED',
    withSignature((bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
  ],
  [
    'CACAO with a malformed signature: a text',
    'TOKEN_MALFORMED',
    rebuilt(({ h, p, s }) => ({ h, p, s: { ...s, s: 'x'.repeat(65) } })),
  ],
  forgedRow('zeros', (bytes) => filled(bytes, 0, 0, 65)),
  forgedRow('r = 0', (bytes) => filled(bytes, 0, 0, 32)),
  forgedRow('s = 0', (bytes) => filled(bytes, 0, 32, 64)),
  forgedRow('r beyond the order', (bytes) => filled(bytes, 0xff, 0, 32)),
  forgedRow('s beyond the order', (bytes) => filled(bytes, 0xff, 32, 64)),
  forgedRow('the other recovery id', (bytes) => filled(bytes, 27 + 28 - Number(bytes[64]), 64, 65)),
  forgedRow('the recovery id 29', (bytes) => filled(bytes, 29, 64, 65)),
  forgedRow('a flipped bit', (bytes) => filled(bytes, Number(bytes[40]) ^ 1, 40, 41)),
  ['CACAO changed after signing: audience', 'SIGNATURE_INVALID', withClaims({ aud: newKey().did })],
  [
    'CACAO changed after signing: expiry removed',
    'SIGNATURE_INVALID',
    rebuilt(({ h, p, s }) => ({ h, s, p: without(p, 'exp') })),
  ],
  [
    'CACAO changed after signing: a resource more',
    'SIGNATURE_INVALID',
    rebuilt(({ h, p, s }) => ({
      h,
      s,
      p: { ...p, resources: ['urn:a', ...textsOf(p['resources'])] },
    })),
  ],
  ['CACAO of another wallet in the victim’s name', 'SIGNATURE_INVALID', (text) => forge(text)],
]

/** Another wallet signs, then the name of the signer is exchanged. */
function forge(authorization: string): string {
  const { p } = readCacao(authorization)
  const forger = newWallet()
  const forged = signSessionDelegation(forger, {
    domain: 'tests.example',
    nonce: 'nonce0000',
    issuedAtS: nowS(),
    audience: newKey().did,
    abilities: { [`${forger.spaceId('x')}/kv`]: ['tinycloud.kv/get'] },
  })
  return rebuilt((cacao) => ({ ...cacao, p: { ...cacao.p, iss: p['iss'] } }))(forged.authorization)
}

/** Truly signed. */
const signedRows: readonly [
  name: string,
  code: ErrorCode,
  change: () => Partial<SessionOptions>,
][] = [
  ['CACAO out of its time: expired', 'DELEGATION_TIME', () => ({ expiresAtS: nowS() - 1 })],
  ['CACAO out of its time: begins in 10 s', 'DELEGATION_TIME', () => ({ notBeforeS: nowS() + 10 })],
  ['CACAO to a web page', 'TOKEN_MALFORMED', () => ({ audience: 'https://example.org' })],
]

export const BAD_WALLET_TOKENS: readonly BadCase[] = [
  ...[...encodingRows, ...claimRows, ...recapRows, ...signatureRows].map(([name, code, spoil]) =>
    tokenCase('/delegate', name, { code }, (stage) => ({ authorization: spoil(sessionOf(stage)) })),
  ),
  ...signedRows.map(([name, code, change]) =>
    tokenCase('/delegate', name, { code }, (stage) => ({
      authorization: sessionOf(stage, change()),
    })),
  ),
]
