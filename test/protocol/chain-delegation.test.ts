/** Goal: a stored delegation never grants more than its parents, and the refusal names the rule that was broken. */
import { describe, expect, it } from 'vitest'
import { type DelegationFacts, type SignedToken } from '../../src/protocol/authority.ts'
import { hostedSpaces, proveDelegation } from '../../src/protocol/chain.ts'
import { type Grants, signKeyDelegation } from '../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
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
const kv = (path?: string): string => (path === undefined ? `${SPACE}/kv` : `${SPACE}/kv/${path}`)

interface ChildOptions {
  readonly expiresAtS?: number
  readonly notBeforeS?: number
  readonly facts?: readonly unknown[]
}

let nonce = 0

/** A delegation by the session key to the guest key. */
function childOf(grants: Grants, options: ChildOptions = {}): SignedToken {
  const { authorization } = signKeyDelegation(SESSION, {
    audience: GUEST.did,
    nonce: `urn:uuid:${++nonce}`,
    expiresAtS: NOW_S + 100,
    grants,
    ...options,
  })
  return parseToken(authorization)
}

function sessionToken(
  abilities: Record<string, string[]>,
  options: { expiresAtS?: number; notBeforeS?: number; proofs?: string[]; audience?: string } = {},
): SignedToken {
  const { authorization } = signSessionDelegation(OWNER, {
    ...SIGNING,
    audience: SESSION.didUrl,
    abilities,
    ...options,
  })
  return parseToken(authorization)
}

const session = (...parameters: Parameters<typeof sessionToken>): DelegationFacts =>
  factsOf(sessionToken(...parameters))

const prove = (token: SignedToken, parents: readonly (DelegationFacts | undefined)[]) =>
  proveDelegation(token, parents)
const refusal = (token: SignedToken, parents: readonly (DelegationFacts | undefined)[]) =>
  refusalOf(() => proveDelegation(token, parents))

const unauthorized = (uri: string, ability: string) => ({
  code: 'UNAUTHORIZED_CAPABILITY',
  detail: `${uri}, ${ability}`,
})
const withCode = (code: string) => expect.objectContaining({ code }) as unknown

describe('root authority (CHAIN-1)', () => {
  it('needs no parent for the owner of a space', () => {
    const proof = prove(sessionToken({ [kv()]: GET }), [])
    expect(proof).toEqual({
      relies: [],
      parents: [],
      effectiveNotBeforeS: undefined,
      effectiveExpiresAtS: undefined,
      isTerminal: false,
    })
  })

  it('needs no parent for the owner of an encryption network', () => {
    const network = `urn:tinycloud:encryption:${OWNER.did}:default`
    expect(prove(sessionToken({ [network]: ['tinycloud.encryption/decrypt'] }), []).relies).toEqual(
      [],
    )
    const foreign = `urn:tinycloud:encryption:${STRANGER.did}:default`
    expect(refusal(sessionToken({ [foreign]: ['tinycloud.encryption/decrypt'] }), [])).toEqual(
      withCode('PARENT_NOT_FOUND'),
    )
  })

  it('does not look at proofs, but lists those that are stored', () => {
    const toGuest = factsOf(childOf({ [kv()]: GET }))
    const proof = prove(sessionToken({ [kv()]: GET }), [toGuest, undefined])
    expect(proof.relies).toEqual([])
    expect(proof.parents).toEqual([toGuest.digest])
  })

  it('does not reach other spaces, services of other owners, other chains or other URIs', () => {
    const other = OWNER.spaceId('default').replace(':1:', ':137:')
    for (const uri of [
      `${STRANGER.spaceId('default')}/kv`,
      `${other}/kv`,
      'urn:cid:bafk',
      kv('a/../b'),
    ])
      expect([uri, refusal(sessionToken({ [uri]: GET }), [])]).toEqual([
        uri,
        withCode('PARENT_NOT_FOUND'),
      ])
  })

  it('is stored without rights when it names none', () => {
    expect(prove(sessionToken({}), []).relies).toEqual([])
  })
})

describe('parents (CHAIN-2)', () => {
  it('every one must be stored, and there must be one', () => {
    const child = childOf({ [kv('a')]: GET })
    const parent = session({ [kv()]: GET })
    for (const parents of [[], [undefined], [parent, undefined]])
      expect(refusal(child, parents)).toEqual(withCode('PARENT_NOT_FOUND'))
    expect(refusal(child, [parent])).toBeUndefined()
  })

  it('every one must be addressed to the delegator', () => {
    const child = childOf({ [kv('a')]: GET })
    const other = session({ [kv()]: GET }, { audience: GUEST.did })
    for (const parents of [[other], [session({ [kv()]: GET }), other]])
      expect(refusal(child, parents)).toEqual({
        code: 'UNAUTHORIZED_DELEGATOR',
        detail: SESSION.did,
      })
  })

  it('a terminal one is not passed on (CHAIN-6)', () => {
    const parent = factsOf(sessionToken({ [kv()]: GET }), [], { isTerminal: true })
    expect(refusal(childOf({ [kv('a')]: GET }), [parent])).toEqual(withCode('TERMINAL_PARENT'))
  })

  it('each capability may come from another parent; only those that cover something are relied on', () => {
    const [read, write, idle] = [
      session({ [kv('a')]: GET }),
      session({ [kv('b')]: ['tinycloud.kv/put'] }),
      session({ [kv('c')]: GET }),
    ]
    const child = childOf({ [kv('a')]: GET, [kv('b')]: ['tinycloud.kv/put'] })
    const proof = prove(child, [read, idle, write])
    expect(proof.relies).toEqual([read, write])
    expect(proof.parents).toEqual([read.digest, idle.digest, write.digest])
    expect(refusal(child, [read, idle])).toEqual(unauthorized(kv('b'), 'tinycloud.kv/put'))
  })

  it('one cited by two of its CIDs counts once', () => {
    const parent = session({ [kv()]: GET })
    const proof = prove(childOf({ [kv('a')]: GET }), [parent, { ...parent }])
    expect(proof.parents).toHaveLength(1)
    expect(proof.relies).toEqual([parent])
  })

  it('rights of two parents do not add up to one capability', () => {
    const [service, ability] = [
      session({ [kv('a')]: ['tinycloud.kv/put'] }),
      session({ [kv('b')]: GET }),
    ]
    expect(refusal(childOf({ [kv('a')]: GET }), [service, ability])).toEqual(
      unauthorized(kv('a'), 'tinycloud.kv/get'),
    )
  })
})

describe('attenuation (CHAIN-4)', () => {
  it('names the first capability that is not covered, in sorted order', () => {
    const parent = session({ [kv('foo')]: GET })
    const child = childOf({ [kv('foobar')]: GET, [kv('foo/a')]: ['tinycloud.kv/put', ...GET] })
    expect(refusal(child, [parent])).toEqual(unauthorized(kv('foo/a'), 'tinycloud.kv/put'))
  })

  it.each([
    ['foo', 'foobar'],
    ['foo', 'fo'],
    ['foo/', 'foo'],
    ['foo', undefined],
    ['', 'a'],
  ])('a parent on %s refuses %s', (base, path) => {
    expect(refusal(childOf({ [kv(path)]: GET }), [session({ [kv(base)]: GET })])).toEqual(
      unauthorized(kv(path), 'tinycloud.kv/get'),
    )
  })

  it('names a resource as it was written when it is not normalised', () => {
    const uri = kv('foo/../bar')
    expect(refusal(childOf({ [uri]: GET }), [session({ [kv()]: GET })])).toEqual(
      unauthorized(uri, 'tinycloud.kv/get'),
    )
  })

  it('knows aliases and implications', () => {
    const parent = session({
      [kv()]: ['tinycloud.kv/delete'],
      [`${SPACE}/sql`]: ['tinycloud.sql/*'],
    })
    const child = childOf({
      [kv('a')]: ['tinycloud.kv/del'],
      [`${SPACE}/sql/x`]: ['tinycloud.sql/select'],
    })
    expect(refusal(child, [parent])).toBeUndefined()
    expect(
      refusal(childOf({ [kv('a')]: GET }), [session({ [kv()]: ['tinycloud.kv/*', '*/*'] })]),
    ).toEqual(unauthorized(kv('a'), 'tinycloud.kv/get'))
  })

  it('a condition of the parent is repeated by the child', () => {
    const only = [{ 'example.app/only': 'sundays' }]
    const bound = (caveats: readonly Record<string, string>[]): Grants => ({
      [kv('a')]: { 'tinycloud.kv/get': caveats },
    })
    const parent = factsOf(childOf(bound(only)), [], { delegatee: SESSION.did })
    expect(refusal(childOf(bound(only)), [parent])).toBeUndefined()
    for (const caveats of [[{}], [{ 'example.app/only': 'mondays' }], [...only, {}]])
      expect(refusal(childOf(bound(caveats)), [parent])).toEqual({
        code: 'CHILD_CAVEATS',
        detail: 'child-caveats-not-subset-of-parent',
      })
    // Beside a parent without condition the other one does not matter.
    const free = session({ [kv()]: GET })
    expect(prove(childOf(bound([{}])), [parent, free]).relies).toEqual([free])
  })
})

describe('time (CHAIN-3)', () => {
  const grants: Grants = { [kv('a')]: GET }
  const parentUntil = (expiresAtS?: number, notBeforeS?: number): DelegationFacts =>
    session(
      { [kv()]: GET },
      {
        ...(expiresAtS !== undefined && { expiresAtS }),
        ...(notBeforeS !== undefined && { notBeforeS }),
      },
    )

  it('a child ends no later than its parent', () => {
    const parent = parentUntil(NOW_S + 100)
    expect(refusal(childOf(grants, { expiresAtS: NOW_S + 100 }), [parent])).toBeUndefined()
    expect(refusal(childOf(grants, { expiresAtS: NOW_S + 99.5 }), [parent])).toBeUndefined()
    expect(refusal(childOf(grants, { expiresAtS: NOW_S + 100.5 }), [parent])).toEqual(
      withCode('CHILD_EXPIRY'),
    )
    const endless = { ...childOf(grants), expiresAtS: undefined }
    expect(refusal(endless, [parent])).toEqual(withCode('CHILD_EXPIRY'))
    expect(refusal(childOf(grants, { expiresAtS: 1e11 }), [parentUntil()])).toBeUndefined()
  })

  it('a child begins no earlier than its parent', () => {
    const parent = parentUntil(undefined, NOW_S - 100)
    expect(refusal(childOf(grants, { notBeforeS: NOW_S - 100 }), [parent])).toBeUndefined()
    expect(refusal(childOf(grants, { notBeforeS: NOW_S }), [parent])).toBeUndefined()
    expect(refusal(childOf(grants, { notBeforeS: NOW_S - 101 }), [parent])).toEqual(
      withCode('CHILD_NOT_BEFORE'),
    )
    expect(refusal(childOf(grants), [parent])).toEqual(withCode('CHILD_NOT_BEFORE'))
  })

  it('parents around which the child does not fit are left aside', () => {
    const [short, long] = [parentUntil(NOW_S + 10), parentUntil(NOW_S + 1000)]
    const child = childOf(grants, { expiresAtS: NOW_S + 500 })
    expect(prove(child, [short, long])).toMatchObject({
      relies: [long],
      effectiveExpiresAtS: NOW_S + 500,
    })
    // What is left must cover all: the short one would have.
    const elsewhere = session({ [kv('b')]: GET }, { expiresAtS: NOW_S + 1000 })
    expect(refusal(child, [short, elsewhere])).toEqual(unauthorized(kv('a'), 'tinycloud.kv/get'))
  })

  it('the expiry of a parent is not compared with now', () => {
    expect(refusal(childOf(grants, { expiresAtS: 5 }), [parentUntil(10)])).toBeUndefined()
  })

  it('the effective window is that of the whole chain', () => {
    const parent = factsOf(sessionToken({ [kv()]: GET }), [], {
      effectiveExpiresAtS: NOW_S + 50,
      effectiveNotBeforeS: NOW_S - 50,
    })
    expect(prove(childOf(grants, { notBeforeS: NOW_S - 60 }), [parent])).toMatchObject({
      effectiveNotBeforeS: NOW_S - 50,
      effectiveExpiresAtS: NOW_S + 50,
    })
  })
})

const link = (index: number) => ({
  statementId: Buffer.alloc(32, index),
  digest: Buffer.alloc(32, index),
})

const terminal = (facts: unknown[]): boolean =>
  prove(childOf({ [kv('a')]: GET }, { facts }), [session({ [kv()]: GET })]).isTerminal

const parentWith = (links: number, from = 0) =>
  factsOf(sessionToken({ [kv()]: GET }), [], {
    closure: Array.from({ length: links }, (_, index) => link(index + from)),
  })

describe('chains', () => {
  it('are limited to 64 delegations, the child included (CHAIN-5)', () => {
    const child = childOf({ [kv('a')]: GET })
    expect(refusal(child, [parentWith(63)])).toBeUndefined()
    expect(refusal(child, [parentWith(64)])).toEqual(withCode('CHAIN_LIMIT'))
    // Shared ancestors count once.
    expect(refusal(child, [parentWith(63), parentWith(63)])).toBeUndefined()
    expect(refusal(child, [parentWith(32), parentWith(31, 32)])).toBeUndefined()
    expect(refusal(child, [parentWith(32), parentWith(32, 32)])).toEqual(withCode('CHAIN_LIMIT'))
  })

  it('end where a fact says so', () => {
    expect(terminal([{ 'xyz.tinycloud.policy/delegationMode': 'terminal' }])).toBe(true)
    expect(terminal(['x', null, { a: 1, 'xyz.tinycloud.policy/delegationMode': 'terminal' }])).toBe(
      true,
    )
    expect(terminal([])).toBe(false)
    expect(terminal([{ 'xyz.tinycloud.policy/delegationMode': 'open' }, 'terminal'])).toBe(false)
    expect(terminal([['xyz.tinycloud.policy/delegationMode']])).toBe(false)
  })

  it('need a principal as audience', () => {
    for (const audience of ['ucan:bafkr4i', 'https://example.com/'])
      expect(refusal(sessionToken({ [kv()]: GET }, { audience }), [])).toEqual(
        withCode('TOKEN_MALFORMED'),
      )
  })
})

describe('hostedSpaces', () => {
  const HOST = ['tinycloud.space/host']
  it('names the spaces with the host right on exactly their space resource', () => {
    const [one, two] = [OWNER.spaceId('one'), OWNER.spaceId('two')]
    const token = sessionToken({
      [`${one}/space`]: HOST,
      [`${two}/space`]: HOST,
      [`${SPACE}/kv`]: GET,
    })
    expect(hostedSpaces(token)).toEqual([one, two])
  })

  it.each(['space/', 'space/x', 'space?q', 'space#f', 'kv', 'spaces'])(
    'leaves %s alone',
    (rest) => {
      expect(hostedSpaces(sessionToken({ [`${SPACE}/${rest}`]: HOST }))).toEqual([])
    },
  )

  it('leaves other abilities and other URIs alone', () => {
    expect(
      hostedSpaces(sessionToken({ [`${SPACE}/space`]: ['tinycloud.space/info', 'x.space/host'] })),
    ).toEqual([])
    expect(hostedSpaces(sessionToken({ [`${SPACE}/./space`]: HOST, 'urn:x:space': HOST }))).toEqual(
      [],
    )
  })
})
