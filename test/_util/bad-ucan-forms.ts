/** UCANs whose encoding, shape or size is wrong. */
import { TOKEN_BYTES_MAX, TOKEN_DEPTH_MAX } from '../../src/protocol/limits.ts'
import { type BadCase, tokenCase } from './bad-input.ts'
import { issueSession } from './client.ts'
import { present } from './narrow.ts'
import { ucanCases, type UcanRow, withClaim, without } from './spoiled-ucan.ts'

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Sets a bit that belongs to no byte. 64 bytes of signature leave four of them. */
const withStrayBit = (text: string): string =>
  text.slice(0, -1) + present(BASE64URL[BASE64URL.indexOf(text.slice(-1)) + 1])

const encodingRows: readonly UcanRow[] = [
  [
    'malformed UCAN: cut in half',
    'TOKEN_MALFORMED',
    { token: (text) => text.slice(0, text.length / 2) },
  ],
  [
    'malformed UCAN: without its last character',
    'TOKEN_MALFORMED',
    { token: (text) => text.slice(0, -1) },
  ],
  [
    'malformed UCAN: of two segments',
    'TOKEN_MALFORMED',
    { token: (text) => text.split('.').slice(0, 2).join('.') },
  ],
  ['malformed UCAN: of four segments', 'TOKEN_MALFORMED', { token: (text) => `${text}.e30` }],
  ['malformed UCAN: with a dot at its end', 'TOKEN_MALFORMED', { token: (text) => `${text}.` }],
  ['malformed UCAN: a dot', 'TOKEN_MALFORMED', { token: () => '.' }],
  ['malformed UCAN: two dots', 'TOKEN_MALFORMED', { token: () => '..' }],
  [
    'malformed UCAN: a scheme before the token',
    'TOKEN_MALFORMED',
    { token: (text) => `Bearer ${text}` },
  ],
  [
    'malformed UCAN: a blank inside the token',
    'TOKEN_MALFORMED',
    { token: (text) => text.replace('.', '. ') },
  ],
  ['malformed UCAN: with padding', 'TOKEN_MALFORMED', { token: (text) => `${text}==` }],
  [
    'malformed UCAN: with a padded header',
    'TOKEN_MALFORMED',
    { token: (text) => text.replace('.', '=.') },
  ],
  [
    'UCAN in the standard alphabet of base64',
    'TOKEN_MALFORMED',
    { payload: withClaim('nnc', '>>>???'), token: (text) => text.replaceAll('_', '/') },
  ],
  [
    'malformed UCAN: with a stray bit after its signature',
    'TOKEN_MALFORMED',
    { token: withStrayBit },
  ],
  [
    'malformed UCAN: with invalid UTF-8',
    'TOKEN_MALFORMED',
    { payloadText: (json) => Buffer.from(json.replace('urn:uuid', '\u00ff'), 'latin1') },
  ],
  [
    'malformed UCAN: with a byte order mark',
    'TOKEN_MALFORMED',
    { payloadText: (json) => `\ufeff${json}` },
  ],
  [
    'malformed UCAN: with random bytes as payload',
    'TOKEN_MALFORMED',
    { payloadText: () => Buffer.alloc(99, 0xa5) },
  ],
  ['malformed UCAN: with an empty payload', 'TOKEN_MALFORMED', { payloadText: () => '' }],
  ['malformed UCAN: with an empty header', 'TOKEN_MALFORMED', { headerText: () => '' }],
  [
    'malformed UCAN: whose payload is cut',
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.slice(0, -1) },
  ],
  [
    'malformed UCAN: with text after its payload',
    'TOKEN_MALFORMED',
    { payloadText: (json) => `${json}{}` },
  ],
  [
    'malformed UCAN: whose payload is an array',
    'TOKEN_MALFORMED',
    { payloadText: (json) => `[${json}]` },
  ],
  ['malformed UCAN: whose payload is null', 'TOKEN_MALFORMED', { payloadText: () => 'null' }],
  [
    'malformed UCAN: whose payload is a text',
    'TOKEN_MALFORMED',
    { payloadText: (json) => JSON.stringify(json) },
  ],
  ['malformed UCAN: whose payload is a number', 'TOKEN_MALFORMED', { payloadText: () => '7' }],
  [
    'malformed UCAN: with one claim twice',
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.replace('"exp":', '"exp":1,"exp":') },
  ],
  [
    'malformed UCAN: with one claim twice, once escaped',
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.replace('"exp":', String.raw`"\u0065xp":1,"exp":`) },
  ],
  [
    'malformed UCAN: with one resource twice',
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.replace('"att":{', '"att":{"urn:a":{"a/b":[{}]},"urn:a":{},') },
  ],
  [
    'malformed UCAN: with a name twice deep inside',
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.replace('{"att"', '{"fct":[[[{"a":[{"b":1,"b":2}]}]]],"att"') },
  ],
  [
    'malformed UCAN: header with one member twice',
    'TOKEN_MALFORMED',
    { headerText: (json) => json.replace('"alg":', '"alg":"none","alg":') },
  ],
  [
    'malformed UCAN: with a lone surrogate',
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.replace('urn:uuid', String.raw`\ud800`) },
  ],
  [
    `malformed UCAN: nested ${TOKEN_DEPTH_MAX + 1} deep`,
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.replace('{', `{"x":${nested(TOKEN_DEPTH_MAX)},`) },
  ],
  [
    'malformed UCAN: nested 100,000 deep',
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.replace('{', `{"x":${nested(100_000)},`) },
  ],
  [
    'malformed UCAN: with a number beyond a double',
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.replace('{', '{"x":1e400,') },
  ],
  [
    'malformed UCAN: with a number of 100,000 digits',
    'TOKEN_MALFORMED',
    { payloadText: (json) => json.replace('{', `{"x":${'9'.repeat(100_000)},`) },
  ],
]

const WRONG_TYPES: Readonly<Record<string, readonly unknown[]>> = {
  iss: [undefined, null, 7, '', 'key', 'did:', 'did:key', [], {}],
  aud: [undefined, null, 7, '', 'https://example.org', ['did:key:z6Mk']],
  exp: [undefined, null, '2000000000', true, [], {}, 1e13, -1e13, 1e300],
  nbf: ['1', false, [], {}, 1e13, -1e300],
  nnc: [7, {}, []],
  fct: [{}, 'x', 7],
  prf: [undefined, null, 'bafkr4i', {}, [7], [null], [{ '/': 'bafkr4i' }]],
  att: [undefined, null, [], 'x', 7, { 'urn:a': null }, { 'urn:a': [] }, { 'urn:a': 'a/b' }],
}

const typeRows = Object.entries(WRONG_TYPES).flatMap(([name, values]) =>
  values.map((value): UcanRow => {
    const shown = value === undefined ? 'absent' : JSON.stringify(value)
    return [`UCAN with ${name}: ${shown}`, 'TOKEN_MALFORMED', { payload: withClaim(name, value) }]
  }),
)

const headerRows: readonly UcanRow[] = [
  ...['typ', 'ucv', 'alg'].flatMap((name): UcanRow[] => [
    [
      `UCAN header without: ${name}`,
      'TOKEN_MALFORMED',
      { header: (header) => without(header, name) },
    ],
    [`UCAN header with: ${name} = 7`, 'TOKEN_MALFORMED', { header: withClaim(name, 7) }],
  ]),
  ['UCAN header with: typ JWE', 'TOKEN_MALFORMED', { header: withClaim('typ', 'JWE') }],
  ['UCAN header with: ucv 0.9.0', 'TOKEN_MALFORMED', { header: withClaim('ucv', '0.9.0') }],
  ['UCAN header with: a crit', 'TOKEN_MALFORMED', { header: withClaim('crit', ['exp']) }],
  ['UCAN header with: an empty crit', 'TOKEN_MALFORMED', { header: withClaim('crit', []) }],
  ['UCAN header with: a jwk that is a text', 'TOKEN_MALFORMED', { header: withClaim('jwk', 'x') }],
]

const sizeRows: readonly UcanRow[] = [
  [
    `token of ${TOKEN_BYTES_MAX + 1} bytes`,
    'TOKEN_TOO_LARGE',
    { token: (text) => text.padEnd(TOKEN_BYTES_MAX + 1, 'A') },
  ],
  [
    `token of ${TOKEN_BYTES_MAX} bytes, all dots`,
    'TOKEN_MALFORMED',
    { token: () => '.'.repeat(TOKEN_BYTES_MAX) },
  ],
  [
    `CACAO of ${TOKEN_BYTES_MAX} bytes`,
    'TOKEN_MALFORMED',
    { token: () => 'gYGB'.repeat(TOKEN_BYTES_MAX / 4) },
  ],
]

export const BAD_UCAN_FORMS: readonly BadCase[] = [
  ...ucanCases([...encodingRows, ...typeRows, ...headerRows, ...sizeRows]),
  tokenCase('/invoke', 'a wallet’s message', { code: 'TOKEN_MALFORMED' }, ({ victim }) => ({
    authorization: issueSession(victim.wallet, victim.space).token.authorization,
    body: 'stored',
  })),
]
