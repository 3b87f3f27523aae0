/** Vectors for chains: requests to a fresh node, one after the other, and what it answers to each. */
import {
  type Grants,
  type KeySigning,
  signInvocation,
  signKeyDelegation,
  signKeyRevocation,
} from '../../../src/protocol/client/key-tokens.ts'
import { createSessionKey, type SessionKey } from '../../../src/protocol/client/session-key.ts'
import {
  signHostDelegation,
  signSessionDelegation,
  signWalletRevocation,
} from '../../../src/protocol/client/wallet-tokens.ts'
import { type IssuedToken } from '../../../src/protocol/client/issued-token.ts'
import { hostDid } from '../../../src/protocol/host-key.ts'
import { NODE_SECRET } from '../compute-and-storage.ts'
import { GUEST, NOW_S, OWNER, SESSION, SIGNING, SPACE, STRANGER } from '../credentials.ts'
import { withBareRecovery, withOtherScalar } from '../respell.ts'
import { casesOf, type VectorSuite } from './vector-suite.ts'

export interface ChainStep {
  /** The node's clock. Unix seconds. */
  readonly atS: number
  readonly route: 'delegate' | 'invoke' | 'revoke'
  readonly authorization: string
}

export interface ChainAnswer {
  readonly status: number
  /** The whole body, where the status is no 200 and the rule gives a text. */
  readonly text?: string
}

const KV = `${SPACE}/kv`
const HOUR_S = 3600
const THIRD = createSessionKey(Buffer.alloc(32, 0x55))

const OK: ChainAnswer = { status: 200 }
const refusal = (text: string, status = 401): ChainAnswer => ({ status, text })
const NO_PARENT = refusal('Cannot find parent delegation')
const DELEGATION_TIME = refusal('Delegation expired or not yet valid')
const INVOCATION_TIME = refusal('Invocation expired or not yet valid')
const NO_REVOKER = refusal('Unauthorized Revoker', 403)

type Turn = readonly [
  route: ChainStep['route'],
  token: IssuedToken,
  answer: ChainAnswer,
  atS?: number,
]

const allOf = (...names: string[]): string[] => names.map((name) => `tinycloud.kv/${name}`)

const HOSTING = signHostDelegation(OWNER, {
  ...SIGNING,
  space: SPACE,
  hostDid: hostDid(NODE_SECRET, SPACE),
})
const sessionOf = (signing: { readonly expiresAtS?: number } = {}): IssuedToken =>
  signSessionDelegation(OWNER, {
    ...SIGNING,
    ...signing,
    audience: SESSION.didUrl,
    abilities: { [KV]: allOf('del', 'get', 'list', 'put') },
  })
const SESSION_TOKEN = sessionOf()

let nonces = 0
const nonce = (): string => `urn:uuid:${++nonces}`

type Passing = Partial<KeySigning> & { readonly to?: SessionKey; readonly grants?: Grants }

const pass = (from: SessionKey, { to = GUEST, grants, ...signing }: Passing): IssuedToken =>
  signKeyDelegation(from, {
    audience: to.did,
    grants: grants ?? { [`${KV}/a`]: allOf('list') },
    nonce: nonce(),
    expiresAtS: NOW_S + HOUR_S,
    proofs: [SESSION_TOKEN.cid],
    ...signing,
  })

type Asking = Partial<KeySigning> & { readonly grants?: Grants }

const ask = (by: SessionKey, { grants, ...signing }: Asking = {}): IssuedToken =>
  signInvocation(by, {
    grants: grants ?? { [`${KV}/a`]: allOf('list') },
    nonce: nonce(),
    expiresAtS: NOW_S + 60,
    proofs: [SESSION_TOKEN.cid],
    ...signing,
  })

const revoke = (by: SessionKey, cid: string, proofs: readonly string[] = []): IssuedToken =>
  signKeyRevocation(by, { cid, nonce: nonce(), expiresAtS: NOW_S + 60, proofs })
const revokeByWallet = (wallet: typeof OWNER, cid: string): IssuedToken =>
  signWalletRevocation(wallet, { ...SIGNING, cid })

const spelled = (authorization: IssuedToken, respell: (text: string) => IssuedToken): IssuedToken =>
  respell(authorization.authorization)

const HOST: Turn = ['delegate', HOSTING, OK]
const OPEN: Turn = ['delegate', SESSION_TOKEN, OK]

/** The steps and answers of one story, which begins with a hosted space and a session. */
function story(...turns: readonly Turn[]): readonly [ChainStep[], ChainAnswer[]] {
  const all = [HOST, OPEN, ...turns]
  return [
    all.map(([route, { authorization }, , atS = NOW_S]) => ({ atS, route, authorization })),
    all.map(([, , answer]) => answer),
  ]
}

const unauthorizedAction = (resource: string, ability: string): ChainAnswer =>
  refusal(`Unauthorized Action: ${resource} / ${ability}`)
const LIST_A = unauthorizedAction(`${KV}/a`, 'tinycloud.kv/list')

/** A chain of delegations below the session's, the last one being the `count`th delegation of all. */
function longChain(count: number): { turns: Turn[]; last: IssuedToken } {
  const turns: Turn[] = []
  let last = SESSION_TOKEN
  for (let length = 2; length <= count; length++) {
    last = pass(SESSION, { to: SESSION, proofs: [last.cid] })
    turns.push(['delegate', last, OK])
  }
  return { turns, last }
}

const CHAIN_MAX = 64
const LONGEST = longChain(CHAIN_MAX)

const A_GUEST = pass(GUEST, { to: THIRD })
const SHARE = pass(SESSION, {})
const SHARE_OF_SHARE = pass(GUEST, { to: THIRD, proofs: [SHARE.cid] })
const OPEN_SHARE: Turn = ['delegate', SHARE, OK]
const DELETING = pass(SESSION, { grants: { [`${KV}/a`]: allOf('del') } })
const TERMINAL = pass(SESSION, {
  facts: [{ 'xyz.tinycloud.policy/delegationMode': 'terminal' }],
})
const BRIEF = pass(SESSION, { expiresAtS: NOW_S + 100 })
const BOUND = pass(SESSION, {
  grants: { [`${KV}/a`]: { 'tinycloud.kv/list': [{ only: 'here' }] } },
})
const REPEATED = ask(SESSION, { grants: { [`${KV}/a`]: allOf('put') } })
const TWICE = ask(SESSION, { proofs: [SESSION_TOKEN.cid, SESSION_TOKEN.cid] })
const UNKNOWN = sessionOf({ expiresAtS: NOW_S + 1 }).cid

type Chain = readonly [ChainStep[], ChainAnswer[]]
const chain = (rule: string, source: string, stories: Readonly<Record<string, Chain>>) =>
  casesOf<ChainStep[], ChainAnswer[]>(rule, source, stories)

const DELEGATIONS = [
  ...chain('CHAIN-1', 'R 2.8', {
    'an owner needs no parent': story(),
    'a key without proof': story(['delegate', pass(SESSION, { proofs: [] }), NO_PARENT]),
  }),
  ...chain('CHAIN-2', 'R 2.8', {
    'a session passes on': story(OPEN_SHARE, ['delegate', SHARE_OF_SHARE, OK]),
    'a proof that is not stored': story([
      'delegate',
      pass(SESSION, { proofs: [UNKNOWN] }),
      NO_PARENT,
    ]),
    'a proof of somebody else': story([
      'delegate',
      A_GUEST,
      refusal(`Unauthorized Delegator: ${GUEST.did}`),
    ]),
  }),
  ...chain('CHAIN-3', 'R 2.8', {
    'a child that ends with its parent': story(
      ['delegate', BRIEF, OK],
      ['delegate', pass(GUEST, { to: THIRD, proofs: [BRIEF.cid], expiresAtS: NOW_S + 100 }), OK],
    ),
    'a child that ends later': story(
      ['delegate', BRIEF, OK],
      [
        'delegate',
        pass(GUEST, { to: THIRD, proofs: [BRIEF.cid], expiresAtS: NOW_S + 100.5 }),
        refusal('Child delegation expiry exceeds parent expiry'),
      ],
    ),
  }),
  ...chain('CHAIN-4', 'R 2.8', {
    'another ability': story([
      'delegate',
      pass(SESSION, { grants: { [KV]: ['tinycloud.kv/metadata'] } }),
      refusal(`Unauthorized Capability: ${KV}, tinycloud.kv/metadata`),
    ]),
    'a longer name': story(OPEN_SHARE, [
      'delegate',
      pass(GUEST, { to: THIRD, proofs: [SHARE.cid], grants: { [`${KV}/ab`]: allOf('list') } }),
      refusal(`Unauthorized Capability: ${KV}/ab, tinycloud.kv/list`),
    ]),
    'another service': story([
      'delegate',
      pass(SESSION, { grants: { [`${SPACE}/sql`]: allOf('list') } }),
      refusal(`Unauthorized Capability: ${SPACE}/sql, tinycloud.kv/list`),
    ]),
  }),
  ...chain('CHAIN-5', 'R 2.8', {
    '64 delegations, and no more': story(...LONGEST.turns, [
      'delegate',
      pass(SESSION, { to: SESSION, proofs: [LONGEST.last.cid] }),
      refusal('delegation-chain-traversal-limit-exceeded'),
    ]),
  }),
  ...chain('CHAIN-6', 'R 2.8', {
    'a terminal delegation is used': story(
      ['delegate', TERMINAL, OK],
      ['invoke', ask(GUEST, { proofs: [TERMINAL.cid] }), OK],
    ),
    'and not passed on': story(
      ['delegate', TERMINAL, OK],
      [
        'delegate',
        pass(GUEST, { to: THIRD, proofs: [TERMINAL.cid] }),
        refusal('terminal-parent-cannot-redelegate'),
      ],
    ),
  }),
  ...chain('CHAIN-7', 'R 2.8', {
    'a revoked parent': story(
      ['revoke', revokeByWallet(OWNER, SESSION_TOKEN.cid), OK],
      ['delegate', pass(SESSION, {}), refusal(`delegation-parent-revoked: ${SESSION_TOKEN.cid}`)],
    ),
    'a revoked ancestor': story(
      OPEN_SHARE,
      ['revoke', revokeByWallet(OWNER, SESSION_TOKEN.cid), OK],
      [
        'delegate',
        SHARE_OF_SHARE,
        refusal(`delegation-ancestor-revoked: ancestor=${SESSION_TOKEN.cid} parent=${SHARE.cid}`),
      ],
    ),
  }),
  ...chain('CHAIN-8', 'R 2.8', {
    'the last moment': story(['delegate', BRIEF, OK, NOW_S + 100]),
    'half a second later': story(['delegate', BRIEF, DELEGATION_TIME, NOW_S + 100.5]),
    'before its time': story([
      'delegate',
      pass(SESSION, { notBeforeS: NOW_S + 0.5 }),
      DELEGATION_TIME,
    ]),
    'at its time': story(['delegate', pass(SESSION, { notBeforeS: NOW_S }), OK]),
  }),
  ...chain('CHAIN-9', 'S 7.8, D', {
    'the same again, when it is over': story(
      ['delegate', BRIEF, OK],
      ['delegate', BRIEF, OK, NOW_S + 200],
    ),
    'in another spelling': story(['delegate', spelled(SESSION_TOKEN, withOtherScalar), OK]),
    'cited by its other name': story(
      ['delegate', spelled(SESSION_TOKEN, withBareRecovery), OK],
      ['invoke', ask(SESSION, { proofs: [spelled(SESSION_TOKEN, withBareRecovery).cid] }), OK],
    ),
  }),
  ...chain('CAVEAT-1', 'R 2.10', {
    'a child without the condition': story(
      ['delegate', BOUND, OK],
      [
        'delegate',
        pass(GUEST, { to: THIRD, proofs: [BOUND.cid] }),
        refusal('child-caveats-not-subset-of-parent: child-caveats-not-subset-of-parent'),
      ],
    ),
    'an invocation without the condition': story(
      ['delegate', BOUND, OK],
      [
        'invoke',
        ask(GUEST, { proofs: [BOUND.cid] }),
        refusal('invocation-caveats-not-subset-of-chain: invocation-caveats-not-subset-of-chain'),
      ],
    ),
    'an invocation with the condition': story(
      ['delegate', BOUND, OK],
      [
        'invoke',
        ask(GUEST, {
          proofs: [BOUND.cid],
          grants: { [`${KV}/a`]: { 'tinycloud.kv/list': [{ only: 'here' }] } },
        }),
        OK,
      ],
    ),
  }),
]

const INVOCATIONS = [
  ...chain('INV-1', 'R 2.9', {
    'the last moment': story(['invoke', ask(SESSION), OK, NOW_S + 60]),
    'half a second later': story(['invoke', ask(SESSION), INVOCATION_TIME, NOW_S + 60.5]),
  }),
  ...chain('INV-2', 'R 2.9', {
    '300 seconds': story(['invoke', ask(SESSION, { expiresAtS: NOW_S + 300 }), OK]),
    '301 seconds': story([
      'invoke',
      ask(SESSION, { expiresAtS: NOW_S + 301 }),
      refusal('Invocation lifetime exceeds server maximum'),
    ]),
  }),
  ...chain('INV-3', 'R 2.9', {
    'a proof that is not stored': story(['invoke', ask(SESSION, { proofs: [UNKNOWN] }), NO_PARENT]),
    'one too many': story([
      'invoke',
      ask(SESSION, { proofs: [SESSION_TOKEN.cid, UNKNOWN] }),
      NO_PARENT,
    ]),
    'one twice': story(['invoke', TWICE, NO_PARENT]),
    'no proof': story(['invoke', ask(SESSION, { proofs: [] }), NO_PARENT]),
  }),
  ...chain('INV-4', 'R 2.9', {
    'a proof of somebody else': story(['invoke', ask(GUEST), refusal('Unauthorized Invoker')]),
  }),
  ...chain('INV-5', 'R 2.9', {
    'a revoked delegation': story(
      ['revoke', revokeByWallet(OWNER, SESSION_TOKEN.cid), OK],
      ['invoke', ask(SESSION), refusal(`delegation-revoked: ${SESSION_TOKEN.cid}`)],
    ),
    'a revoked ancestor': story(
      OPEN_SHARE,
      ['revoke', revokeByWallet(OWNER, SESSION_TOKEN.cid), OK],
      [
        'invoke',
        ask(GUEST, { proofs: [SHARE.cid] }),
        refusal(`delegation-ancestor-revoked: ancestor=${SESSION_TOKEN.cid} invoked=${SHARE.cid}`),
      ],
    ),
  }),
  ...chain('INV-6', 'R 2.9', {
    'just before the delegation ends': story(
      ['delegate', BRIEF, OK],
      ['invoke', ask(GUEST, { proofs: [BRIEF.cid], expiresAtS: NOW_S + 200 }), OK, NOW_S + 99.5],
    ),
    'when it ends': story(
      ['delegate', BRIEF, OK],
      ['invoke', ask(GUEST, { proofs: [BRIEF.cid], expiresAtS: NOW_S + 200 }), LIST_A, NOW_S + 100],
    ),
  }),
  ...chain('INV-7', 'R 2.9', {
    'one right of two': story(
      ['delegate', DELETING, OK],
      [
        'invoke',
        ask(GUEST, {
          proofs: [DELETING.cid],
          grants: { [`${KV}/a`]: allOf('del'), [`${KV}/b`]: allOf('del') },
        }),
        unauthorizedAction(`${KV}/b`, 'tinycloud.kv/del'),
      ],
    ),
    'a longer name': story(OPEN_SHARE, [
      'invoke',
      ask(GUEST, { proofs: [SHARE.cid], grants: { [`${KV}/ab`]: allOf('list') } }),
      unauthorizedAction(`${KV}/ab`, 'tinycloud.kv/list'),
    ]),
  }),
  ...chain('INV-8', 'R 2.9', {
    'a space that nobody hosts': story(
      [
        'delegate',
        signSessionDelegation(OWNER, {
          ...SIGNING,
          audience: GUEST.didUrl,
          abilities: { [`${OWNER.spaceId('other')}/kv`]: allOf('list') },
        }),
        OK,
      ],
      [
        'invoke',
        ask(GUEST, {
          proofs: [
            signSessionDelegation(OWNER, {
              ...SIGNING,
              audience: GUEST.didUrl,
              abilities: { [`${OWNER.spaceId('other')}/kv`]: allOf('list') },
            }).cid,
          ],
          grants: { [`${OWNER.spaceId('other')}/kv/a`]: allOf('list') },
        }),
        refusal('Space not found', 404),
      ],
    ),
  }),
  ...chain('INV-9', 'R 2.9, D', {
    'a change twice': story(
      ['invoke', REPEATED, OK],
      ['invoke', REPEATED, refusal('duplicate invocation', 409)],
    ),
  }),
]

const revokeTwo = signInvocation(SESSION, {
  grants: {
    [`urn:cid:${SHARE.cid}`]: ['tinycloud.delegation/revoke'],
    [`urn:cid:${SESSION_TOKEN.cid}`]: ['tinycloud.delegation/revoke'],
  },
  nonce: 'urn:uuid:two',
  expiresAtS: NOW_S + 60,
})

const REVOCATIONS = [
  ...chain('REVOKE-1', 'R 2.12, D', {
    'two targets': story(OPEN_SHARE, [
      'revoke',
      revokeTwo,
      refusal('A revocation must name exactly one delegation', 403),
    ]),
    'no target': story([
      'revoke',
      ask(SESSION),
      refusal('A revocation must name exactly one delegation', 403),
    ]),
  }),
  ...chain('REVOKE-2', 'R 2.12, D', {
    'the delegator': story(OPEN_SHARE, ['revoke', revoke(SESSION, SHARE.cid), OK]),
    'the delegator, who cites its session': story(OPEN_SHARE, [
      'revoke',
      revoke(SESSION, SHARE.cid, [SESSION_TOKEN.cid]),
      OK,
    ]),
    'the delegatee': story(OPEN_SHARE, ['revoke', revoke(GUEST, SHARE.cid), OK]),
    'the owner of the space': story(OPEN_SHARE, ['revoke', revokeByWallet(OWNER, SHARE.cid), OK]),
    'another key': story(OPEN_SHARE, ['revoke', revoke(THIRD, SHARE.cid), NO_REVOKER]),
    'another wallet': story(OPEN_SHARE, [
      'revoke',
      revokeByWallet(STRANGER, SHARE.cid),
      NO_REVOKER,
    ]),
  }),
  ...chain('REVOKE-3', 'R 1.6', {
    'what is not stored': story([
      'revoke',
      revoke(SESSION, UNKNOWN),
      refusal('Cannot find parent delegation', 403),
    ]),
    'what is revoked already': story(
      OPEN_SHARE,
      ['revoke', revoke(SESSION, SHARE.cid), OK],
      ['revoke', revoke(GUEST, SHARE.cid), OK],
    ),
  }),
  ...chain('REVOKE-4', 'D', {
    'another spelling that comes later': story(
      ['revoke', revokeByWallet(OWNER, SESSION_TOKEN.cid), OK],
      ['delegate', spelled(SESSION_TOKEN, withOtherScalar), OK],
      [
        'invoke',
        ask(SESSION, { proofs: [spelled(SESSION_TOKEN, withOtherScalar).cid] }),
        refusal(`delegation-revoked: ${SESSION_TOKEN.cid}`),
      ],
    ),
  }),
]

export const CHAINS: VectorSuite<ChainStep[], ChainAnswer[]> = {
  suite: 'chains',
  about:
    'input: requests to a fresh node whose secret is 32 bytes 09 and whose clock shows `atS`; expect: its answers. ' +
    'A body of an invocation is empty.',
  cases: [...DELEGATIONS, ...INVOCATIONS, ...REVOCATIONS],
}
