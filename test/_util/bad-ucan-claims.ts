/** UCANs of good form that name what nobody may have: forged, out of time, without rights, or beyond a limit. */
import { createHmac } from 'node:crypto'
import { type ClaimsObject } from '../../src/protocol/claims.ts'
import {
  DID_BYTES_MAX,
  TOKEN_CAPABILITIES_MAX,
  TOKEN_PROOFS_MAX,
  TOKEN_SPACES_MAX,
} from '../../src/protocol/limits.ts'
import { type BadCase } from './bad-input.ts'
import { issueShare, newKey, nowS } from './client.ts'
import { present } from './narrow.ts'
import {
  formatSegment,
  putOn,
  ucanCases,
  type UcanRow,
  withAtt,
  withClaim,
} from './spoiled-ucan.ts'

const NOT_CIDS = ['', 'x', 'bafkr4i', 'f00', 'Qm', '__proto__']

const capabilityRows: readonly UcanRow[] = [
  ...[[], null, {}, 'x', [null], [7], [[]]].map((caveats): UcanRow => [
    `UCAN with conditions: ${JSON.stringify(caveats)}`,
    'TOKEN_MALFORMED',
    {
      payload: withAtt(({ victim }) => ({
        [`${victim.space}/kv/bad`]: { 'tinycloud.kv/put': caveats },
      })),
    },
  ]),
  ...['put', 'kv/', '/put', 'a/b/c', 'a b/c', '*', 'é/x', '__proto__', ''].map(
    (ability): UcanRow => [
      `UCAN with the ability: \`${ability}\``,
      'TOKEN_MALFORMED',
      {
        payloadText: (json) => json.replace('"tinycloud.kv/put"', JSON.stringify(ability)),
      },
    ],
  ),
  ...[
    'a b',
    'a\u0000b',
    'a\u0007b',
    'a\nb',
    'aéb',
    'a"b',
    'a<b',
    'a\\b',
    'a{b',
    'a%b',
    'a%0b%g0',
  ].map((path): UcanRow => [
    `UCAN on the path: ${JSON.stringify(path)}`,
    'TOKEN_MALFORMED',
    { payload: withAtt(putOn(`/kv/${path}`)) },
  ]),
  ...['', 'tinycloud', '__proto__', 'constructor', ':a', '1:a'].map((resource): UcanRow => [
    `UCAN on the resource: \`${resource}\``,
    'TOKEN_MALFORMED',
    {
      payloadText: (json, { victim }) =>
        json.replace(new RegExp(`"${victim.space}/kv/bad/\\d+"`), JSON.stringify(resource)),
    },
  ]),
  ...['/kv/../kv/a', '/kv/./a', '/kv/a/..', '/kv/a%2fb', '/kv/%61', '/kv/a#b'].map(
    (suffix): UcanRow => [
      `UCAN on a resource that is not normal, or has a fragment: \`‹space›${suffix}\``,
      'UNAUTHORIZED_ACTION',
      { payload: withAtt(putOn(suffix)) },
    ],
  ),
  [
    'UCAN with 10^5 capabilities',
    { bareStatus: 431 },
    { payload: withAtt(() => manyResources(100_000)) },
  ],
  [
    `UCAN with ${TOKEN_CAPABILITIES_MAX + 1} capabilities`,
    'TOKEN_MALFORMED',
    { payload: withAtt(() => ({ 'urn:a': manyAbilities(TOKEN_CAPABILITIES_MAX + 1) })) },
  ],
  [
    `UCAN with ${TOKEN_SPACES_MAX + 1} spaces`,
    'TOKEN_MALFORMED',
    { payload: withAtt(({ victim }) => manySpaces(victim.space, TOKEN_SPACES_MAX + 1)) },
  ],
  [
    'UCAN on a resource of 300,000 characters that is no URI',
    'TOKEN_MALFORMED',
    { payload: withAtt(() => ({ [`urn:${'a'.repeat(300_000)} `]: { 'a/b': [{}] } })) },
  ],
  [
    'UCAN on a resource of 100,000 escapes that is no URI',
    'TOKEN_MALFORMED',
    { payload: withAtt(() => ({ [`urn:${'%20'.repeat(100_000)}%`]: { 'a/b': [{}] } })) },
  ],
  [
    'UCAN on a key of 2,049 bytes',
    { code: 'KEY_TOO_LONG', detail: '2048' },
    { payload: withAtt(putOn(`/kv/${'k'.repeat(2049)}`)) },
  ],
  [
    'UCAN on a key of 300,000 bytes',
    { code: 'KEY_TOO_LONG', detail: '2048' },
    { payload: withAtt(putOn(`/kv/${'k'.repeat(300_000)}`)) },
  ],
  [
    'UCAN with claims only in `__proto__`',
    'TOKEN_MALFORMED',
    { payloadText: (json) => `{"__proto__":${json}}` },
  ],
  [
    'UCAN with claims only in `constructor.prototype`',
    'TOKEN_MALFORMED',
    { payloadText: (json) => `{"constructor":{"prototype":${json}}}` },
  ],
]

const manyAbilities = (count: number): ClaimsObject =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`a/${index}`, [{}]]))

const manyResources = (count: number): ClaimsObject =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`urn:${index}`, { 'a/b': [{}] }]))

const manySpaces = (space: string, count: number): ClaimsObject =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${space}${index}/kv`, { 'a/b': [{}] }]),
  )

const proofRows: readonly UcanRow[] = [
  ...NOT_CIDS.map((cid): UcanRow => [
    `UCAN with the proof: \`${cid}\``,
    'TOKEN_MALFORMED',
    { payload: withClaim('prf', [cid]) },
  ]),
  [
    'UCAN with a proof of 100,000 characters',
    'TOKEN_MALFORMED',
    { payload: withClaim('prf', [`z${'1'.repeat(100_000)}`]) },
  ],
  [
    `UCAN with ${TOKEN_PROOFS_MAX + 1} proofs`,
    'TOKEN_MALFORMED',
    {
      payload: (payload, { victim }) =>
        withClaim(
          'prf',
          Array.from({ length: TOKEN_PROOFS_MAX + 1 }, () => victim.cid),
        )(payload),
    },
  ],
  [
    'UCAN with a proof that is not stored',
    'PARENT_NOT_FOUND',
    { payload: (payload, { victim }) => withClaim('prf', [issueShare(victim).cid])(payload) },
  ],
  [
    'UCAN with a proof of another hash function',
    'PARENT_NOT_FOUND',
    {
      payload: withClaim('prf', ['bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy']),
    },
  ],
  [
    'UCAN with one proof twice',
    'PARENT_NOT_FOUND',
    { payload: (payload, { victim }) => withClaim('prf', [victim.cid, victim.cid])(payload) },
  ],
  ['UCAN without the proof that it needs', 'PARENT_NOT_FOUND', { payload: withClaim('prf', []) }],
  [
    'UCAN with the proof of somebody else',
    'UNAUTHORIZED_INVOKER',
    { payload: (payload, { share }) => withClaim('prf', [share.cid])(payload) },
  ],
  [
    'UCAN with one proof more, of somebody else',
    'UNAUTHORIZED_INVOKER',
    { payload: (payload, { victim, share }) => withClaim('prf', [victim.cid, share.cid])(payload) },
  ],
  [
    'UCAN on the space of somebody else',
    'UNAUTHORIZED_ACTION',
    { payload: withAtt(({ stranger }) => putOn('/kv/a')({ victim: stranger })) },
  ],
]

/** The order of Ed25519's group: s and s + L satisfy one equation. */
const GROUP_ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n

function addGroupOrder(signature: Uint8Array): Uint8Array {
  const scalar = Buffer.from(signature.subarray(32).toReversed())
  const s = BigInt(`0x${scalar.toString('hex')}`) + GROUP_ORDER
  const sum = Buffer.from(s.toString(16).padStart(64, '0'), 'hex')
  return Buffer.concat([signature.subarray(0, 32), sum.toReversed()])
}

const flipBit = (signature: Uint8Array): Uint8Array =>
  signature.map((byte, index) => (index === 3 ? byte ^ 4 : byte))

const signatureRows: readonly UcanRow[] = [
  [
    'UCAN with a forged signature: a flipped bit',
    'SIGNATURE_INVALID',
    { sign: (input, key) => flipBit(key.sign(input)) },
  ],
  [
    'UCAN with a forged signature: of another key',
    'SIGNATURE_INVALID',
    { sign: (input) => newKey().sign(input) },
  ],
  [
    'UCAN with a forged signature: of other text',
    'SIGNATURE_INVALID',
    { sign: (input, key) => key.sign(input.subarray(1)) },
  ],
  ['UCAN with a forged signature: empty', 'SIGNATURE_INVALID', { sign: () => new Uint8Array(0) }],
  ['UCAN with a forged signature: zeros', 'SIGNATURE_INVALID', { sign: () => new Uint8Array(64) }],
  [
    'UCAN with a forged signature: 63 bytes',
    'SIGNATURE_INVALID',
    { sign: (input, key) => key.sign(input).subarray(1) },
  ],
  [
    'UCAN with a forged signature: 65 bytes',
    'SIGNATURE_INVALID',
    { sign: (input, key) => Buffer.concat([key.sign(input), Buffer.alloc(1)]) },
  ],
  [
    'UCAN with a forged signature: S + L instead of S',
    'SIGNATURE_INVALID',
    { sign: (input, key) => addGroupOrder(key.sign(input)) },
  ],
  ...['none', 'None', 'HS256', 'ES256', 'ES256K', 'RS256', 'EdDsa', ''].map((alg): UcanRow => [
    `UCAN with a true signature and the alg: \`${alg}\``,
    'SIGNATURE_INVALID',
    { header: withClaim('alg', alg) },
  ]),
  [
    'UCAN with alg `none` and no signature',
    'SIGNATURE_INVALID',
    { header: withClaim('alg', 'none'), sign: () => new Uint8Array(0) },
  ],
  [
    'UCAN with alg `HS256`, keyed with the public key',
    'SIGNATURE_INVALID',
    {
      header: withClaim('alg', 'HS256'),
      sign: (input, key) =>
        createHmac('sha256', Buffer.from(present(key.jwk['x']), 'base64url'))
          .update(input)
          .digest(),
    },
  ],
  [
    'UCAN signed by the key of its jwk, which is not the issuer’s',
    'SIGNATURE_INVALID',
    {
      header: (header) => withClaim('jwk', JWK_THIEF.jwk)(header),
      sign: (input) => JWK_THIEF.sign(input),
    },
  ],
  [
    'UCAN whose payload was changed after signing',
    'SIGNATURE_INVALID',
    { token: (text) => text.replace(/\.[^.]+\./, (payload) => raiseExpiry(payload)) },
  ],
  [
    'UCAN with a fragment that is not of the issuer’s key',
    'SIGNATURE_INVALID',
    { payload: (payload, { victim }) => withClaim('iss', `${victim.key.did}#other`)(payload) },
  ],
  [
    'UCAN of an issuer without a key: did:web',
    'SIGNATURE_INVALID',
    { payload: withClaim('iss', 'did:web:localhost%3A1') },
  ],
  [
    'UCAN of an issuer without a key: did:plc',
    'SIGNATURE_INVALID',
    { payload: withClaim('iss', 'did:plc:abc') },
  ],
  [
    'UCAN of an issuer without a key: a did:key that is none',
    'SIGNATURE_INVALID',
    { payload: withClaim('iss', 'did:key:z6Mk') },
  ],
  [
    'UCAN of an issuer without a key: a did:jwk that is none',
    'SIGNATURE_INVALID',
    { payload: withClaim('iss', 'did:jwk:e30') },
  ],
  [
    'UCAN of a wallet, with a jwk that is not its key',
    'SIGNATURE_INVALID',
    { payload: (payload, { victim }) => withClaim('iss', victim.wallet.did)(payload) },
  ],
  [
    `UCAN of a DID of ${DID_BYTES_MAX + 1} bytes`,
    'TOKEN_MALFORMED',
    { payload: withClaim('iss', 'did:key:z'.padEnd(DID_BYTES_MAX + 1, 'a')) },
  ],
]

const JWK_THIEF = newKey()

function raiseExpiry(payload: string): string {
  const json = Buffer.from(payload.slice(1, -1), 'base64url').toString()
  const raised = json.replace(/"exp":(\d+)/, (_, expiry: string) => `"exp":${Number(expiry) + 9}`)
  return `.${formatSegment(raised)}.`
}

const timeRows: readonly UcanRow[] = [
  ...[0, -1, -8e12, 1.5].map((exp): UcanRow => [
    `UCAN with exp: ${exp}`,
    'INVOCATION_TIME',
    { payload: withClaim('exp', exp) },
  ]),
  [
    'UCAN that has just expired',
    'INVOCATION_TIME',
    { payload: (payload) => withClaim('exp', nowS() - 0.05)(payload) },
  ],
  [
    'UCAN that begins in 10 s',
    'INVOCATION_TIME',
    { payload: (payload) => withClaim('nbf', nowS() + 10)(payload) },
  ],
  ['UCAN with nbf: 8e12', 'INVOCATION_TIME', { payload: withClaim('nbf', 8e12) }],
  ['UCAN with exp: 8e12', 'INVOCATION_LIFETIME', { payload: withClaim('exp', 8e12) }],
  [
    'UCAN that lives for 302 s',
    'INVOCATION_LIFETIME',
    { payload: (payload) => withClaim('exp', nowS() + 302)(payload) },
  ],
]

export const BAD_UCAN_CLAIMS: readonly BadCase[] = ucanCases([
  ...capabilityRows,
  ...proofRows,
  ...signatureRows,
  ...timeRows,
])
