/** Goal: nobody acts beyond what a cited delegation to them grants now. */
import { describe, expect, it } from 'vitest'
import { type DelegationFacts, type SignedToken } from '../../src/protocol/authority.ts'
import { isInForce, proveInvocation } from '../../src/protocol/chain.ts'
import {
  type Grants,
  signInvocation,
  signKeyDelegation,
} from '../../src/protocol/client/key-tokens.ts'
import { type SessionKey } from '../../src/protocol/client/session-key.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { formatSpaceId } from '../../src/protocol/resource.ts'
import { parseToken } from '../../src/protocol/token.ts'
import {
  factsOf,
  GUEST,
  NOW_S,
  OWNER,
  refusalOf,
  SESSION,
  SIGNING,
  SPACE,
  STRANGER,
} from '../_util/credentials.ts'

const GET = ['tinycloud.kv/get']
const kv = (path: string): string => `${SPACE}/kv/${path}`

let nonce = 0

function invocationBy(key: SessionKey, grants: Grants): SignedToken {
  const signing = { nonce: `urn:uuid:${++nonce}`, expiresAtS: NOW_S + 60.5 }
  return parseToken(signInvocation(key, { ...signing, grants }).authorization)
}

function session(
  abilities: Record<string, string[]>,
  change: Partial<DelegationFacts> = {},
): DelegationFacts {
  const options = {
    ...SIGNING,
    nonce: `nonce${100_000 + ++nonce}`,
    audience: SESSION.didUrl,
    abilities,
  }
  return factsOf(parseToken(signSessionDelegation(OWNER, options).authorization), [], change)
}

const WHOLE_KV = session({ [`${SPACE}/kv`]: [...GET, 'tinycloud.kv/put'] })

const refusal = (
  token: SignedToken,
  proofs: readonly (DelegationFacts | undefined)[],
  nowS = NOW_S,
) => refusalOf(() => proveInvocation(token, proofs, nowS))
const withCode = (code: string) => expect.objectContaining({ code }) as unknown
const unauthorized = (uri: string, ability = 'tinycloud.kv/get') => ({
  code: 'UNAUTHORIZED_ACTION',
  detail: `${uri} / ${ability}`,
})

const link = (index: number) => ({
  statementId: Buffer.alloc(32, index),
  digest: Buffer.alloc(32, index),
})

const proofWith = (links: number, from: number) =>
  session(
    { [`${SPACE}/kv`]: GET },
    { closure: Array.from({ length: links }, (_, index) => link(index + from)) },
  )

describe('proofs', () => {
  const token = invocationBy(SESSION, { [kv('a')]: GET })

  it('must be stored, each once (INV-3)', () => {
    expect(refusal(token, [WHOLE_KV])).toBeUndefined()
    for (const proofs of [[], [undefined], [WHOLE_KV, undefined], [WHOLE_KV, WHOLE_KV]])
      expect(refusal(token, proofs)).toEqual(withCode('PARENT_NOT_FOUND'))
    // The same delegation by another of its CIDs.
    expect(refusal(token, [WHOLE_KV, { ...WHOLE_KV, digest: Buffer.alloc(32, 9) }])).toEqual(
      withCode('PARENT_NOT_FOUND'),
    )
  })

  it('must be addressed to the invoker, whole and not by prefix (INV-4)', () => {
    const other = session({ [`${SPACE}/kv`]: GET }, { delegatee: GUEST.did })
    const prefix = session({ [`${SPACE}/kv`]: GET }, { delegatee: SESSION.did.slice(0, 16) })
    for (const proofs of [[other], [WHOLE_KV, other], [prefix]])
      expect(refusal(token, proofs)).toEqual(withCode('UNAUTHORIZED_INVOKER'))
  })

  it('are checked even where the invoker owns the space', () => {
    const space = formatSpaceId(GUEST.did, 'home')
    const own = invocationBy(GUEST, { [`${space}/kv/a`]: GET })
    expect(refusal(own, [])).toBeUndefined()
    expect(refusal(own, [undefined])).toEqual(withCode('PARENT_NOT_FOUND'))
    expect(refusal(own, [WHOLE_KV])).toEqual(withCode('UNAUTHORIZED_INVOKER'))
  })

  it('of two, each capability needs one', () => {
    const [one, two] = [session({ [kv('one')]: GET }), session({ [kv('two')]: GET })]
    const both = invocationBy(SESSION, { [kv('one')]: GET, [kv('two')]: GET })
    expect(proveInvocation(both, [one, two], NOW_S).relies).toEqual([one, two])
    expect(refusal(invocationBy(SESSION, { [kv('three')]: GET }), [one, two])).toEqual(
      unauthorized(kv('three')),
    )
  })

  it('together have at most 64 links', () => {
    expect(refusal(token, [proofWith(64, 0)])).toBeUndefined()
    expect(refusal(token, [proofWith(32, 0), proofWith(32, 32)])).toBeUndefined()
    expect(refusal(token, [proofWith(33, 0), proofWith(32, 33)])).toEqual(withCode('CHAIN_LIMIT'))
  })
})

describe('capabilities (INV-7)', () => {
  it('are covered by resource and ability', () => {
    const reader = session({ [kv('foo')]: GET })
    for (const path of ['foo', 'foo/bar'])
      expect(refusal(invocationBy(SESSION, { [kv(path)]: GET }), [reader])).toBeUndefined()
    for (const path of ['foobar', 'fo', 'Foo', 'foo/../secret', 'foo/%2E%2E/secret'])
      expect(refusal(invocationBy(SESSION, { [kv(path)]: GET }), [reader])).toEqual(
        unauthorized(kv(path)),
      )
    for (const ability of ['tinycloud.kv/put', 'tinycloud.kv/list', 'tinycloud.kv/*'])
      expect(refusal(invocationBy(SESSION, { [kv('foo')]: [ability] }), [reader])).toEqual(
        unauthorized(kv('foo'), ability),
      )
  })

  it('fail together', () => {
    const reader = session({ [kv('a')]: GET })
    expect(refusal(invocationBy(SESSION, { [kv('a')]: GET, [kv('b')]: GET }), [reader])).toEqual(
      unauthorized(kv('b')),
    )
  })

  it('of other spaces are not covered', () => {
    for (const space of [STRANGER.spaceId('default'), OWNER.spaceId('other')])
      expect(refusal(invocationBy(SESSION, { [`${space}/kv/a`]: GET }), [WHOLE_KV])).toEqual(
        unauthorized(`${space}/kv/a`),
      )
  })

  it('come from the cited delegation only, not from what is above it', () => {
    const child = factsOf(
      parseToken(
        signKeyDelegation(SESSION, {
          audience: GUEST.did,
          nonce: 'urn:uuid:x',
          expiresAtS: NOW_S + 100,
          grants: { [kv('shared')]: GET },
        }).authorization,
      ),
      [WHOLE_KV],
    )
    expect(refusal(invocationBy(GUEST, { [kv('shared/a')]: GET }), [child])).toBeUndefined()
    expect(
      refusal(invocationBy(GUEST, { [kv('shared/a')]: ['tinycloud.kv/put'] }), [child]),
    ).toEqual(unauthorized(kv('shared/a'), 'tinycloud.kv/put'))
  })

  it('without any are nothing to refuse', () => {
    expect(proveInvocation(invocationBy(SESSION, {}), [], NOW_S).grants.size).toBe(0)
  })

  it('are told what grants them; those of an owner have no entry', () => {
    const wide = session({ [`${SPACE}/kv`]: GET, [kv('a/')]: GET })
    const token = invocationBy(SESSION, {
      [kv('a/b')]: GET,
      [`${formatSpaceId(SESSION.did, 'own')}/kv/x`]: GET,
    })
    const { grants } = proveInvocation(token, [wide], NOW_S)
    const [own, shared] = [...token.capabilities].toSorted(({ resource }) =>
      resource.text.includes(SESSION.did.slice(4)) ? -1 : 1,
    )
    if (!own || !shared) throw new Error('two capabilities')
    expect(grants.get(own)).toBeUndefined()
    expect(grants.get(shared)?.map(({ text }) => text)).toEqual([`${SPACE}/kv`, kv('a/')])
  })
})

describe('caveats', () => {
  const only = { [kv('a')]: { 'tinycloud.kv/get': [{ 'example.app/only': 'sundays' }] } }
  const bound = factsOf(
    parseToken(
      signKeyDelegation(SESSION, {
        audience: SESSION.did,
        nonce: 'urn:uuid:c',
        expiresAtS: NOW_S + 100,
        grants: only,
      }).authorization,
    ),
  )

  it('of the delegation are repeated', () => {
    expect(refusal(invocationBy(SESSION, only), [bound])).toBeUndefined()
    expect(refusal(invocationBy(SESSION, { [kv('a')]: GET }), [bound])).toEqual({
      code: 'INVOCATION_CAVEATS',
      detail: 'invocation-caveats-not-subset-of-chain',
    })
  })

  it('may be stated by an unrestricted holder', () => {
    expect(refusal(invocationBy(SESSION, only), [WHOLE_KV])).toBeUndefined()
    expect(refusal(invocationBy(SESSION, { [kv('a')]: GET }), [bound, WHOLE_KV])).toBeUndefined()
  })
})

describe('time (INV-6)', () => {
  const token = invocationBy(SESSION, { [kv('a')]: GET })
  const inWindow = (effectiveNotBeforeS?: number, effectiveExpiresAtS?: number) =>
    session({ [`${SPACE}/kv`]: GET }, { effectiveNotBeforeS, effectiveExpiresAtS })

  it('of the whole chain counts; its end is exclusive', () => {
    expect(refusal(token, [inWindow(NOW_S, NOW_S + 0.1)])).toBeUndefined()
    expect(refusal(token, [inWindow(undefined, NOW_S)])).toEqual(unauthorized(kv('a')))
    expect(refusal(token, [inWindow(NOW_S + 0.1)])).toEqual(unauthorized(kv('a')))
  })

  it('of every cited proof counts', () => {
    expect(refusal(token, [WHOLE_KV, inWindow(undefined, NOW_S)])).toEqual(unauthorized(kv('a')))
  })

  it('isInForce says the same', () => {
    expect(isInForce({ effectiveNotBeforeS: 1, effectiveExpiresAtS: 2 }, 1)).toBe(true)
    expect(isInForce({ effectiveNotBeforeS: 1, effectiveExpiresAtS: 2 }, 2)).toBe(false)
    expect(isInForce({ effectiveNotBeforeS: 1, effectiveExpiresAtS: 2 }, 0.9)).toBe(false)
    expect(
      isInForce({ effectiveNotBeforeS: undefined, effectiveExpiresAtS: undefined }, 1e12),
    ).toBe(true)
  })
})
