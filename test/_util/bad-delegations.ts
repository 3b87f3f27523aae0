/** Delegations and revocations of good form by people without the right, and option headers that cannot be meant. */
import {
  type KeyDelegationOptions,
  signKeyDelegation,
  signKeyRevocation,
} from '../../src/protocol/client/key-tokens.ts'
import { type SessionKey } from '../../src/protocol/client/session-key.ts'
import { signWalletRevocation } from '../../src/protocol/client/wallet-tokens.ts'
import { type ErrorCode } from '../../src/protocol/error.ts'
import { METADATA_BYTES_MAX } from '../../src/protocol/limits.ts'
import { type BadCase, type Expected, type Stage, tokenCase } from './bad-input.ts'
import { issueKv, issueShare, kvResource, newKey, newNonce, nowS } from './client.ts'
import { spoilUcan } from './spoiled-ucan.ts'

/** A delegation of a key to a new one. */
const passOn = (
  key: SessionKey,
  options: Pick<KeyDelegationOptions, 'grants'> & Partial<KeyDelegationOptions>,
): string =>
  signKeyDelegation(key, {
    audience: newKey().did,
    nonce: newNonce(),
    expiresAtS: Math.floor(nowS()) + 600,
    ...options,
  }).authorization

const GET = ['tinycloud.kv/get']

type DelegationRow = readonly [name: string, code: ErrorCode, make: (stage: Stage) => string]

const delegationRows: readonly DelegationRow[] = [
  [
    'delegation of nothing that the delegator has',
    'PARENT_NOT_FOUND',
    ({ victim }) => passOn(newKey(), { grants: { [kvResource(victim.space)]: GET } }),
  ],
  [
    'delegation with a proof that is not stored',
    'PARENT_NOT_FOUND',
    ({ victim }) =>
      passOn(victim.key, {
        grants: { [kvResource(victim.space)]: GET },
        proofs: [issueShare(victim).cid],
      }),
  ],
  [
    'delegation with one proof that is not stored beside a good one',
    'PARENT_NOT_FOUND',
    ({ victim }) =>
      passOn(victim.key, {
        grants: { [kvResource(victim.space)]: GET },
        proofs: [victim.cid, issueShare(victim).cid],
      }),
  ],
  [
    'delegation with the proof of somebody else',
    'UNAUTHORIZED_DELEGATOR',
    ({ victim, stranger }) =>
      passOn(stranger.key, {
        grants: { [kvResource(victim.space)]: GET },
        proofs: [victim.cid],
      }),
  ],
  [
    'delegation of a wider path',
    'UNAUTHORIZED_CAPABILITY',
    ({ share }) =>
      passOn(share.key, { grants: { [kvResource(share.space)]: GET }, proofs: [share.cid] }),
  ],
  [
    'delegation of a path that only begins alike',
    'UNAUTHORIZED_CAPABILITY',
    ({ share }) =>
      passOn(share.key, {
        grants: { [kvResource(share.space, 'shared-not')]: GET },
        proofs: [share.cid],
      }),
  ],
  [
    'delegation of another ability',
    'UNAUTHORIZED_CAPABILITY',
    ({ victim }) =>
      passOn(victim.key, {
        grants: { [kvResource(victim.space)]: ['tinycloud.kv/*'] },
        proofs: [victim.cid],
      }),
  ],
  [
    'delegation of somebody else’s space',
    'UNAUTHORIZED_CAPABILITY',
    ({ victim, stranger }) =>
      passOn(victim.key, {
        grants: { [kvResource(stranger.space)]: GET },
        proofs: [victim.cid],
      }),
  ],
  [
    'delegation that outlives its parent',
    'CHILD_EXPIRY',
    ({ share }) =>
      passOn(share.key, {
        grants: { [kvResource(share.space, 'shared')]: GET },
        proofs: [share.cid],
        expiresAtS: Math.floor(nowS()) + 1e6,
      }),
  ],
  [
    'delegation that has expired',
    'DELEGATION_TIME',
    ({ victim }) =>
      passOn(victim.key, {
        grants: { [kvResource(victim.space)]: GET },
        proofs: [victim.cid],
        expiresAtS: nowS() - 0.05,
      }),
  ],
  [
    'delegation that begins in 10 s',
    'DELEGATION_TIME',
    ({ victim }) =>
      passOn(victim.key, {
        grants: { [kvResource(victim.space)]: GET },
        proofs: [victim.cid],
        notBeforeS: nowS() + 10,
      }),
  ],
  [
    'delegation to a web page',
    'TOKEN_MALFORMED',
    ({ victim }) =>
      passOn(victim.key, {
        audience: 'https://example.org',
        grants: { [kvResource(victim.space)]: GET },
        proofs: [victim.cid],
      }),
  ],
  [
    'delegation with a false signature',
    'SIGNATURE_INVALID',
    (stage) => spoilUcan(stage, { sign: (input) => newKey().sign(input) }),
  ],
]

const revocation = (key: SessionKey, cid: string, expiresAtS: number): string =>
  signKeyRevocation(key, { cid, nonce: newNonce(), expiresAtS }).authorization

const revocationRows: readonly DelegationRow[] = [
  [
    'revocation of what is not stored',
    'REVOCATION_TARGET_NOT_FOUND',
    ({ victim }) => revocation(victim.key, issueShare(victim).cid, nowS() + 60),
  ],
  [
    'revocation of a CID of another hash function',
    'REVOCATION_TARGET_NOT_FOUND',
    ({ victim }) =>
      revocation(
        victim.key,
        'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
        nowS() + 60,
      ),
  ],
  [
    'revocation of what is no CID',
    'TOKEN_MALFORMED',
    ({ victim }) => revocation(victim.key, 'nothing', nowS() + 60),
  ],
  [
    'revocation by a stranger',
    'UNAUTHORIZED_REVOKER',
    ({ victim, stranger }) => revocation(stranger.key, victim.cid, nowS() + 60),
  ],
  [
    'revocation by the holder of a child',
    'UNAUTHORIZED_REVOKER',
    ({ victim, share }) => revocation(share.key, victim.cid, nowS() + 60),
  ],
  [
    'revocation that has expired',
    'REVOCATION_TIME',
    ({ victim }) => revocation(victim.key, victim.cid, nowS() - 1),
  ],
  [
    'revocation with a false signature',
    'REVOCATION_SIGNATURE',
    ({ victim }) => {
      const good = revocation(victim.key, victim.cid, nowS() + 60)
      return good.slice(0, good.lastIndexOf('.') + 1) + 'A'.repeat(86)
    },
  ],
  [
    'revocation of two delegations',
    'REVOCATION_TARGETS',
    ({ victim, share }) =>
      passOn(victim.key, {
        grants: {
          [`urn:cid:${victim.cid}`]: ['tinycloud.delegation/revoke'],
          [`urn:cid:${share.cid}`]: ['tinycloud.delegation/revoke'],
        },
      }),
  ],
  [
    'invocation in place of a revocation',
    'REVOCATION_TARGETS',
    ({ victim }) => issueKv(victim, 'get', 'a').authorization,
  ],
  ['session in place of a revocation', 'REVOCATION_TARGETS', ({ victim }) => victim.authorization],
  [
    'wallet’s revocation of what is no CID',
    'TOKEN_MALFORMED',
    ({ victim }) =>
      signWalletRevocation(victim.wallet, {
        domain: 'tests.example',
        nonce: 'nonce0000',
        issuedAtS: nowS(),
        cid: 'nothing',
      }).authorization,
  ],
]

const optionRow = (
  action: 'put' | 'get' | 'list' | 'del',
  headers: Record<string, string>,
  expected: Expected,
): BadCase =>
  tokenCase('/invoke', `${action} with: ${show(headers)}`, expected, ({ victim }) => ({
    authorization: issueKv(victim, action, 'bad/option').authorization,
    headers,
    body: 'stored',
  }))

const SHOWN_CHARS_MAX = 24

const show = (headers: Record<string, string>): string =>
  Object.entries(headers)
    .map(([name, value]) => `\`${name} = ${shorten(value)}\``)
    .join(' and ')

const shorten = (value: string): string =>
  value.length > SHOWN_CHARS_MAX ? `${value.slice(0, 12)}… (${value.length})` : value

const invalid = (detail: string): Expected => ({ code: 'OPTION_INVALID', detail })
const STRONG = invalid('If-Match must be a strong TinyCloud ETag: "blake3-<64 hex characters>"')
const ETAG = `"blake3-${'0'.repeat(64)}"`
const VERSION = invalid('x-tinycloud-version must be a version as this node names it, such as 12.0')
const CURSOR = invalid('Invalid KV list cursor')

const optionCases: readonly BadCase[] = [
  optionRow('put', { 'if-match': '*' }, STRONG),
  optionRow('put', { 'if-match': 'x' }, STRONG),
  optionRow('put', { 'if-match': `W/${ETAG}` }, STRONG),
  optionRow('put', { 'if-match': `${ETAG}, ${ETAG}` }, STRONG),
  optionRow(
    'put',
    { 'if-match': '"blake3-00"' },
    invalid('If-Match must contain a 32-byte BLAKE3 digest'),
  ),
  optionRow(
    'put',
    { 'if-match': `"blake3-${'g'.repeat(64)}"` },
    invalid('If-Match BLAKE3 digest must be hexadecimal'),
  ),
  optionRow('put', { 'if-match': ETAG }, { code: 'PRECONDITION_FAILED' }),
  optionRow(
    'get',
    { 'if-match': ETAG },
    invalid('If-Match requires exactly one non-multipart KV put or delete'),
  ),
  optionRow(
    'put',
    { 'if-match': ETAG, 'if-none-match': '*' },
    invalid('KV preconditions cannot be combined'),
  ),
  optionRow(
    'put',
    { 'if-none-match': ETAG },
    invalid('If-None-Match only supports * for KV create'),
  ),
  optionRow(
    'del',
    { 'if-none-match': '*' },
    invalid('If-None-Match: * requires exactly one non-multipart KV put'),
  ),
  optionRow(
    'put',
    { 'x-tinycloud-expected-version': '1' },
    invalid('x-tinycloud-expected-version is not a production precondition; use If-Match'),
  ),
  optionRow(
    'get',
    { 'x-tinycloud-max-response-bytes': '0' },
    invalid('x-tinycloud-max-response-bytes must be a positive integer'),
  ),
  optionRow(
    'get',
    { 'x-tinycloud-max-response-bytes': '1e3' },
    invalid('x-tinycloud-max-response-bytes must be a positive integer'),
  ),
  optionRow(
    'list',
    { 'x-tinycloud-limit': '0' },
    invalid('x-tinycloud-limit must be a positive integer'),
  ),
  optionRow(
    'list',
    { 'x-tinycloud-limit': '-1' },
    invalid('x-tinycloud-limit must be a positive integer'),
  ),
  optionRow(
    'list',
    { 'x-tinycloud-limit': '1001' },
    invalid('x-tinycloud-limit must be between 1 and 1000'),
  ),
  optionRow(
    'list',
    { 'x-tinycloud-limit': '9'.repeat(400) },
    invalid('x-tinycloud-limit must be between 1 and 1000'),
  ),
  optionRow('list', { 'x-tinycloud-cursor': 'AAAA' }, CURSOR),
  optionRow('list', { 'x-tinycloud-limit': '1', 'x-tinycloud-cursor': 'AAAA' }, CURSOR),
  optionRow('list', { 'x-tinycloud-limit': '1', 'x-tinycloud-cursor': 'A'.repeat(4097) }, CURSOR),
  ...['', '1', '1.', '.1', '01.0', '1.00', '-1.0', '1.0.0', '1e3.0', '1.0 x', '9'.repeat(400)].map(
    (version) => optionRow('get', { 'x-tinycloud-version': version }, VERSION),
  ),
  optionRow('get', { 'x-tinycloud-version': '7.0' }, { code: 'VERSION_NOT_FOUND', detail: 'none' }),
  optionRow(
    'put',
    { 'x-tinycloud-version': '7.0' },
    invalid('x-tinycloud-version requires exactly one KV get or metadata'),
  ),
  optionRow(
    'list',
    { 'x-tinycloud-versions': 'list' },
    invalid('x-tinycloud-versions requires exactly one KV get or metadata'),
  ),
  optionRow(
    'get',
    { 'x-tinycloud-versions': 'all' },
    invalid('x-tinycloud-versions only supports list'),
  ),
  optionRow(
    'get',
    { 'x-tinycloud-versions': 'list', 'x-tinycloud-version': '7.0' },
    invalid('x-tinycloud-version cannot be combined with x-tinycloud-versions'),
  ),
  optionRow(
    'get',
    { 'x-tinycloud-versions': 'list' },
    invalid('This node keeps no versions (storage.history: none)'),
  ),
  optionRow(
    'put',
    { 'x-tinycloud-meta-a': 'v'.repeat(METADATA_BYTES_MAX) },
    { code: 'METADATA_TOO_LARGE', detail: String(METADATA_BYTES_MAX) },
  ),
]

const fromRows = (route: '/delegate' | '/revoke', rows: readonly DelegationRow[]): BadCase[] =>
  rows.map(([name, code, make]) =>
    tokenCase(route, name, { code }, (stage) => ({ authorization: make(stage) })),
  )

export const BAD_DELEGATIONS: readonly BadCase[] = [
  ...fromRows('/delegate', delegationRows),
  ...fromRows('/revoke', revocationRows),
  ...optionCases,
]
