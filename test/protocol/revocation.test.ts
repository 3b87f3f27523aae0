/** Goal: a delegation is taken back by those whom it concerns and by nobody else, and only the one that is named. */
import { describe, expect, it } from 'vitest'
import { type DelegationFacts, type SignedToken } from '../../src/protocol/authority.ts'
import { formatCid, formatRawCid } from '../../src/protocol/cid.ts'
import {
  type Grants,
  signInvocation,
  signKeyDelegation,
  signKeyRevocation,
} from '../../src/protocol/client/key-tokens.ts'
import { createSessionKey, type SessionKey } from '../../src/protocol/client/session-key.ts'
import {
  signSessionDelegation,
  signWalletRevocation,
} from '../../src/protocol/client/wallet-tokens.ts'
import { type Wallet } from '../../src/protocol/client/wallet.ts'
import {
  findControl,
  isParty,
  proveRevocation,
  revocationTarget,
} from '../../src/protocol/revocation.ts'
import { parseToken } from '../../src/protocol/token.ts'
import {
  codeOf,
  factsOf,
  GUEST,
  NOW_S,
  OWNER,
  SESSION,
  SIGNING,
  SPACE,
  STRANGER,
} from '../_util/credentials.ts'

const REVOKE = 'tinycloud.delegation/revoke'
const SIGN = { nonce: 'urn:uuid:r', expiresAtS: NOW_S + 60 }
const CONTROLLER = createSessionKey(Buffer.alloc(32, 0x55))

let nonce = 100_000

function sessionOf(
  wallet: Wallet,
  abilities: Record<string, string[]>,
  audience: string = SESSION.didUrl,
): DelegationFacts {
  const signing = { ...SIGNING, nonce: `nonce${++nonce}` }
  return factsOf(
    parseToken(signSessionDelegation(wallet, { ...signing, audience, abilities }).authorization),
  )
}

const SESSION_FACTS = sessionOf(OWNER, { [`${SPACE}/kv`]: ['tinycloud.kv/get'] })

/** What the session passed on to the guest. */
const CHILD = factsOf(
  parseToken(
    signKeyDelegation(SESSION, {
      ...SIGN,
      audience: GUEST.did,
      grants: { [`${SPACE}/kv/a`]: ['tinycloud.kv/get'] },
    }).authorization,
  ),
  [SESSION_FACTS],
)
const CID = formatRawCid(CHILD.digest)

const byKey = (key: SessionKey, cid = CID): SignedToken =>
  parseToken(signKeyRevocation(key, { ...SIGN, cid }).authorization)
const byWallet = (wallet: Wallet, cid = CID): SignedToken =>
  parseToken(signWalletRevocation(wallet, { ...SIGNING, cid }).authorization)
const tokenOf = (grants: Grants): SignedToken =>
  parseToken(signInvocation(SESSION, { ...SIGN, grants }).authorization)

const isTarget = (token: SignedToken): boolean =>
  Buffer.from(revocationTarget(token).digest).equals(CHILD.digest)

describe('revocationTarget (REVOKE-1)', () => {
  it('is named by urn:cid in a UCAN, by ucan: in a SIWE message', () => {
    expect(isTarget(byKey(SESSION))).toBe(true)
    expect(isTarget(byWallet(OWNER))).toBe(true)
  })

  it('is named by the path of the delegation service, as older clients do', () => {
    expect(isTarget(tokenOf({ [`${SPACE}/delegation/${CID}`]: [REVOKE] }))).toBe(true)
  })

  it('keeps the codec of the request, in any base', () => {
    for (const codec of [0x55, 0x71]) {
      for (const base of ['base32', 'base58btc'] as const) {
        const cid = formatCid(codec, CHILD.digest, base)
        expect(revocationTarget(byKey(SESSION, cid))).toMatchObject({ codec })
        expect(revocationTarget(byWallet(OWNER, cid))).toMatchObject({ codec })
      }
    }
  })

  it.each<[string, Grants]>([
    [
      'two targets',
      { [`urn:cid:${CID}`]: [REVOKE], [`urn:cid:${formatRawCid(SESSION_FACTS.digest)}`]: [REVOKE] },
    ],
    ['two abilities', { [`urn:cid:${CID}`]: [REVOKE, 'tinycloud.delegation/status'] }],
    ['another ability', { [`urn:cid:${CID}`]: ['tinycloud.delegation/status'] }],
    ['a right beside it', { [`urn:cid:${CID}`]: [REVOKE], [`${SPACE}/kv`]: ['tinycloud.kv/get'] }],
    ['no capability', {}],
    ['another service', { [`${SPACE}/kv/${CID}`]: [REVOKE] }],
    ['no path', { [`${SPACE}/delegation`]: [REVOKE] }],
    ['another URN', { [`urn:uuid:${CID}`]: [REVOKE] }],
  ])('refuses a UCAN with %s', (_, grants) => {
    expect(codeOf(() => revocationTarget(tokenOf(grants)))).toBe('REVOCATION_TARGETS')
  })

  it('refuses a session token', () => {
    const { authorization } = signSessionDelegation(OWNER, {
      ...SIGNING,
      audience: SESSION.didUrl,
      abilities: { [`urn:cid:${CID}`]: [REVOKE] },
    })
    expect(codeOf(() => revocationTarget(parseToken(authorization)))).toBe('REVOCATION_TARGETS')
  })

  it('refuses what is no CID', () => {
    for (const cid of ['nonsense', '', 'bafk', `${CID}x`, `${CID}/x`]) {
      expect(codeOf(() => revocationTarget(byKey(SESSION, cid)))).toBe('TOKEN_MALFORMED')
      expect(codeOf(() => revocationTarget(byWallet(OWNER, cid)))).toBe('TOKEN_MALFORMED')
    }
    expect(codeOf(() => revocationTarget(tokenOf({ [`${SPACE}/delegation/`]: [REVOKE] })))).toBe(
      'TOKEN_MALFORMED',
    )
  })

  it('finds nothing under the hash of another function', () => {
    const cid = 'bafkreie3bfwr2pxtzphzpspb3plvdrh3obq5yiyibfuuiqj2m3kcrrexpu'
    expect(codeOf(() => revocationTarget(byKey(SESSION, cid)))).toBe('REVOCATION_TARGET_NOT_FOUND')
  })
})

const refusal = (
  token: SignedToken,
  proofs: readonly (DelegationFacts | undefined)[] = [],
  target: DelegationFacts | undefined = CHILD,
): string | undefined => codeOf(() => proveRevocation(token, target, proofs, NOW_S))

const control = (abilities: Record<string, string[]>): DelegationFacts =>
  sessionOf(OWNER, abilities, CONTROLLER.didUrl)

describe('proveRevocation (REVOKE-2)', () => {
  it('knows no target that is not stored, whoever asks', () => {
    for (const token of [byKey(SESSION), byKey(GUEST), byWallet(STRANGER)])
      expect(codeOf(() => proveRevocation(token, undefined, [], NOW_S))).toBe(
        'REVOCATION_TARGET_NOT_FOUND',
      )
  })

  it('lets delegator, delegatee and owner of the space', () => {
    for (const token of [byKey(SESSION), byKey(GUEST), byWallet(OWNER)])
      expect(proveRevocation(token, CHILD, [], NOW_S)).toEqual({ relies: [] })
  })

  it('lets them also when they cite a proof that gives nothing, or is not stored', () => {
    for (const proofs of [[SESSION_FACTS], [undefined], [SESSION_FACTS, CHILD]])
      expect(proveRevocation(byKey(SESSION), CHILD, proofs, NOW_S)).toEqual({ relies: [] })
  })

  it('refuses strangers, siblings and those below', () => {
    expect(refusal(byKey(CONTROLLER))).toBe('UNAUTHORIZED_REVOKER')
    expect(refusal(byWallet(STRANGER))).toBe('UNAUTHORIZED_REVOKER')
    expect(refusal(byKey(GUEST), [], SESSION_FACTS)).toBe('UNAUTHORIZED_REVOKER')
    expect(refusal(byKey(CONTROLLER), [SESSION_FACTS])).toBe('UNAUTHORIZED_REVOKER')
    // The same address on another chain.
    expect(refusal({ ...byWallet(OWNER), issuer: OWNER.did.replace(':1:', ':10:') })).toBe(
      'UNAUTHORIZED_REVOKER',
    )
  })

  describe('with a control proof', () => {
    const proof = control({ [`${SPACE}/delegation`]: [REVOKE] })

    it('lets its holder revoke whatever names a space of the account', () => {
      for (const target of [SESSION_FACTS, CHILD])
        expect(proveRevocation(byKey(CONTROLLER), target, [proof], NOW_S).relies).toEqual([proof])
      const elsewhere = control({ [`${OWNER.spaceId('account')}/delegation`]: [REVOKE] })
      expect(refusal(byKey(CONTROLLER), [elsewhere])).toBeUndefined()
    })

    it('lets its holder revoke the target that it names', () => {
      expect(
        refusal(byKey(CONTROLLER), [control({ [`urn:cid:${CID}`]: [REVOKE] })]),
      ).toBeUndefined()
      const other = formatRawCid(SESSION_FACTS.digest)
      for (const uri of [`urn:cid:${other}`, 'urn:cid:', 'urn:cid:nonsense', 'urn:x:y'])
        expect(refusal(byKey(CONTROLLER), [control({ [uri]: [REVOKE] })])).toBe(
          'UNAUTHORIZED_REVOKER',
        )
    })

    it.each<[string, Record<string, string[]>]>([
      [
        'another ability',
        { [`${SPACE}/delegation`]: ['tinycloud.delegation/status', 'tinycloud.delegation/*'] },
      ],
      ['another service', { [`${SPACE}/kv`]: [REVOKE] }],
      ['a path', { [`${SPACE}/delegation/x`]: [REVOKE] }],
      ['a fragment', { [`${SPACE}/delegation#x`]: [REVOKE] }],
      ['a space of somebody else', { [`${STRANGER.spaceId('default')}/delegation`]: [REVOKE] }],
    ])('refuses one with %s', (_, abilities) => {
      expect(refusal(byKey(CONTROLLER), [control(abilities)])).toBe('UNAUTHORIZED_REVOKER')
    })

    it('refuses one of another account', () => {
      const foreign = sessionOf(
        STRANGER,
        { [`${STRANGER.spaceId('x')}/delegation`]: [REVOKE] },
        CONTROLLER.didUrl,
      )
      expect(refusal(byKey(CONTROLLER), [foreign])).toBe('UNAUTHORIZED_REVOKER')
      // Given on by a key that owns no space.
      expect(refusal(byKey(CONTROLLER), [{ ...proof, delegator: SESSION.did }])).toBe(
        'UNAUTHORIZED_REVOKER',
      )
    })

    it('refuses one of somebody else, out of its time, bound by a condition, unknown, or two', () => {
      const broken: (DelegationFacts | undefined)[][] = [
        [{ ...proof, delegatee: GUEST.did }],
        [{ ...proof, effectiveExpiresAtS: NOW_S }],
        [{ ...proof, effectiveNotBeforeS: NOW_S + 1 }],
        [
          {
            ...proof,
            capabilities: proof.capabilities.map((item) => ({ ...item, caveats: { 0: { a: 1 } } })),
          },
        ],
        [undefined],
        [proof, proof],
        [],
      ]
      for (const proofs of broken)
        expect(refusal(byKey(CONTROLLER), proofs)).toBe('UNAUTHORIZED_REVOKER')
    })

    it('refuses one over a target that names no space of the account', () => {
      const foreign = sessionOf(STRANGER, { [`${STRANGER.spaceId('x')}/kv`]: ['tinycloud.kv/get'] })
      expect(refusal(byKey(CONTROLLER), [proof], foreign)).toBe('UNAUTHORIZED_REVOKER')
    })
  })
})

it('isParty and findControl serve questions about the status as well', () => {
  expect([OWNER, SESSION, GUEST].map(({ did }) => isParty(did, CHILD))).toEqual([true, true, true])
  expect([STRANGER, CONTROLLER].map(({ did }) => isParty(did, CHILD))).toEqual([false, false])
  const status = 'tinycloud.delegation/status'
  const proof = sessionOf(OWNER, { [`${SPACE}/delegation`]: [status] }, CONTROLLER.didUrl)
  const question = { holder: CONTROLLER.did, target: CHILD, proofs: [proof], nowS: NOW_S }
  expect(findControl({ ...question, ability: status })).toBe(proof)
  expect(findControl({ ...question, ability: REVOKE })).toBeUndefined()
})
