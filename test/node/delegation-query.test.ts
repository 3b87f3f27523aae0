/** POST /delegation/query on a running node: what an account gave and received, in pages, for those who may ask. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type IssuedToken } from '../../src/protocol/client/issued-token.ts'
import { type Grants, signKeyDelegation } from '../../src/protocol/client/key-tokens.ts'
import { type SessionKey } from '../../src/protocol/client/session-key.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { type Wallet } from '../../src/protocol/client/wallet.ts'
import {
  assertOk,
  type Holder,
  issueShare,
  newKey,
  newNonce,
  newWallet,
  nowS,
  postDelegation,
  type Reply,
  revokeByKey,
  revokeByWallet,
} from '../_util/client.ts'
import { membersOf } from '../_util/narrow.ts'
import { issueQuestion, postJson } from '../_util/questions.ts'
import { useRunningNode } from '../_util/running-node.ts'

const node = useRunningNode('delegation-query')

const PATH = '/delegation/query'
const GET = ['tinycloud.kv/get']
const LIST = ['tinycloud.delegation/list']
const DENIED = [403, 'Delegation query proof is not authorized']

interface Asker extends Holder {
  readonly wallet: Wallet
}

interface SessionOptions {
  readonly issuedAtS?: number
  readonly audience?: string
  readonly abilities?: Readonly<Record<string, readonly string[]>>
  readonly proofs?: readonly string[]
  readonly lifetimeS?: number
}

/** A delegation by a wallet on its space `default`, posted. */
async function grant(
  wallet: Wallet,
  {
    issuedAtS = nowS(),
    audience = newKey().did,
    lifetimeS = 3600,
    ...options
  }: SessionOptions = {},
): Promise<IssuedToken> {
  const abilities = options.abilities ?? { [`${wallet.spaceId('default')}/kv`]: GET }
  const token = signSessionDelegation(wallet, {
    domain: 'tests.example',
    nonce: newNonce().replaceAll(/[^a-z0-9]/g, ''),
    issuedAtS,
    expiresAtS: nowS() + lifetimeS,
    audience,
    abilities,
    ...(options.proofs !== undefined && { proofs: options.proofs }),
  })
  assertOk(await postDelegation(node.connections, token), 'grant')
  return token
}

/** A wallet with a session that may read its space, and list the delegations of its account. Nothing is hosted. */
async function open(wallet: Wallet = newWallet()): Promise<Asker> {
  const space = wallet.spaceId('default')
  const key = newKey()
  const abilities = { [`${space}/kv`]: GET, [`${space}/delegation`]: LIST }
  const token = await grant(wallet, { audience: key.didUrl, abilities })
  return { ...token, key, space, wallet }
}

async function share(from: Holder, lifetimeS = 600): Promise<Holder> {
  const token = issueShare(from, { path: 'a', abilities: GET, lifetimeS })
  assertOk(await postDelegation(node.connections, token), 'share')
  return token
}

interface Query {
  readonly key?: SessionKey
  readonly proofs?: readonly string[]
  readonly grants?: Grants
  readonly lifetimeS?: number
}

function query(asker: Asker, json: unknown = {}, options: Query = {}): Promise<Reply> {
  const authorization = issueQuestion({
    key: asker.key,
    proofs: [asker.cid],
    grants: { [`${asker.space}/delegation/`]: LIST },
    ...options,
  })
  return postJson(node.connections, PATH, { authorization, json })
}

type Item = Readonly<Record<string, unknown>>

function pageOf(reply: Reply): { items: Item[]; page: Item } {
  const page = membersOf(JSON.parse(assertOk(reply, 'query').text()))
  const { items } = page
  if (!Array.isArray(items)) throw new Error('no items')
  return { items: items.map(membersOf), page }
}

const items = async (asker: Asker, json: unknown = {}): Promise<Item[]> =>
  pageOf(await query(asker, json)).items

const cids = async (asker: Asker, json: unknown = {}): Promise<unknown[]> =>
  (await items(asker, json)).map(({ cid }) => cid)

const cursorOf = (cid: unknown): string => Buffer.from(String(cid)).toString('base64url')

const refusalOf = (reply: Reply): unknown => [reply.status, reply.text()]

describe('what an account granted (QUERY-2)', () => {
  it('is what its wallet gave and what its keys pass on, at any depth', async () => {
    const asker = await open()
    const child = await share(asker)
    const grandchild = await share(child)
    const found = await cids(asker, { direction: 'granted' })
    expect(found).toEqual(
      expect.arrayContaining([asker.cid, child.cid, grandchild.cid] satisfies unknown[]),
    )
    expect(found).toHaveLength(3)
    expect(await cids(asker, { direction: 'received' })).toEqual([])
  })

  it('ends where another account passes on what it received', async () => {
    const [alice, bob] = [await open(), await open()]
    const toBob = await grant(alice.wallet, { audience: bob.wallet.did })
    const capabilities = { [`${alice.space}/kv/a`]: GET }
    const toKey = await grant(bob.wallet, {
      abilities: capabilities,
      proofs: [toBob.cid],
      lifetimeS: 600,
    })
    expect(await cids(alice)).toEqual(expect.not.arrayContaining([toKey.cid]))
    expect(await cids(alice, { direction: 'granted' })).toContain(toBob.cid)
    expect(await cids(bob, { direction: 'received' })).toEqual([toBob.cid])
    expect(await cids(bob, { direction: 'granted' })).toContain(toKey.cid)
    const all = await items(bob)
    expect(all.map(({ cid, direction }) => [cid, direction])).toEqual(
      expect.arrayContaining([
        [toBob.cid, 'received'],
        [toKey.cid, 'granted'],
        [bob.cid, 'granted'],
      ]),
    )
    expect(all).toHaveLength(3)
  })

  it('is shown to both accounts whose rights a key passes on in one token', async () => {
    const [alice, bob] = [await open(), await open()]
    const key = newKey()
    const [fromAlice, fromBob] = [
      await grant(alice.wallet, { audience: key.did }),
      await grant(bob.wallet, { audience: key.did }),
    ]
    const both = signKeyDelegation(key, {
      audience: newKey().did,
      grants: { [`${alice.space}/kv/a`]: GET, [`${bob.space}/kv/a`]: GET },
      nonce: newNonce(),
      expiresAtS: Math.floor(nowS() + 600),
      proofs: [fromAlice.cid, fromBob.cid],
    })
    assertOk(await postDelegation(node.connections, both), 'both')
    for (const account of [alice, bob])
      expect(await cids(account, { direction: 'granted' })).toContain(both.cid)
  })
})

describe('an item (QUERY-5)', () => {
  it('has exactly ten members, its own times, and its rights by resource and condition', async () => {
    const asker = await open()
    const audience = newKey()
    const expiresAtS = Math.floor(nowS() + 600)
    const notBeforeS = Math.floor(nowS() - 60)
    const uri = `${asker.space}/kv/a`
    const token = signKeyDelegation(asker.key, {
      audience: audience.didUrl,
      grants: { [uri]: { 'tinycloud.kv/get': [{ only: 'mornings' }, {}] } },
      nonce: newNonce(),
      expiresAtS,
      notBeforeS,
      proofs: [asker.cid],
    })
    assertOk(await postDelegation(node.connections, token), 'share')
    const found = (await items(asker)).find(({ cid }) => cid === token.cid)
    expect(found).toEqual({
      cid: token.cid,
      direction: 'granted',
      delegatorDid: asker.key.did,
      delegateDid: audience.did,
      resources: [
        { resource: uri, actions: ['tinycloud.kv/get'], caveats: [{ only: 'mornings' }, {}] },
      ],
      parents: [asker.cid],
      issuedAt: null,
      notBefore: new Date(notBeforeS * 1000).toISOString(),
      expiresAt: new Date(expiresAtS * 1000).toISOString(),
      status: 'active',
    })
  })

  it('tells the abilities on one resource together', async () => {
    const asker = await open()
    const kv = `${asker.space}/kv`
    const token = await grant(asker.wallet, {
      abilities: { [kv]: ['tinycloud.kv/get', 'tinycloud.kv/put'], [`${kv}/a`]: GET },
    })
    const found = (await items(asker)).find(({ cid }) => cid === token.cid)
    expect(found?.['resources']).toEqual([
      { resource: kv, actions: ['tinycloud.kv/get', 'tinycloud.kv/put'], caveats: [] },
      { resource: `${kv}/a`, actions: GET, caveats: [] },
    ])
  })

  it('says when and by whom it, or an ancestor, was revoked', async () => {
    const asker = await open()
    const [child, other] = [await share(asker), await share(asker)]
    const below = await share(child)
    assertOk(await revokeByKey(node.connections, asker, child.cid), 'revoke')
    assertOk(await revokeByWallet(node.connections, asker.wallet, other.cid), 'revoke')
    const byCid = new Map((await items(asker)).map((item) => [item['cid'], item]))
    expect(byCid.get(child.cid)).toMatchObject({ status: 'revoked', revokedBy: asker.key.did })
    expect(byCid.get(child.cid)).not.toHaveProperty('revokedAncestorCid')
    expect(byCid.get(other.cid)).toMatchObject({ revokedBy: asker.wallet.did })
    expect(byCid.get(below.cid)).toMatchObject({
      status: 'ancestor_revoked',
      revokedBy: asker.key.did,
      revokedAncestorCid: child.cid,
    })
    const revokedAtMs = Date.parse(String(byCid.get(below.cid)?.['revokedAt']))
    expect(Math.abs(revokedAtMs / 1000 - nowS())).toBeLessThan(30)
    expect(await cids(asker, { status: 'revoked' })).toHaveLength(2)
    expect(await cids(asker, { status: 'ancestor_revoked' })).toEqual([below.cid])
  })

  it('is expired at the end of its chain', async () => {
    const asker = await open()
    const brief = await share(asker, 2)
    const below = await share(brief, 1)
    await sleep(2100)
    const expired = await cids(asker, { status: 'expired' })
    expect(new Set(expired)).toEqual(new Set([brief.cid, below.cid]))
    expect(await cids(asker, { status: 'active' })).toEqual([asker.cid])
    expect(await cids(asker, { status: 'pending' })).toEqual([])
  })
})

describe('the order and the pages', () => {
  it('are the latest issue first, those without one last (QUERY-4)', async () => {
    const asker = await open()
    const child = await share(asker)
    const old = await grant(asker.wallet, { issuedAtS: nowS() - 500.25 })
    const older = await grant(asker.wallet, { issuedAtS: nowS() - 9000 })
    expect(await cids(asker)).toEqual([asker.cid, old.cid, older.cid, child.cid])
  })

  it('lead through everything once, whatever the limit and filter (QUERY-6)', async () => {
    const asker = await open()
    for (let count = 0; count < 6; count++) await share(asker)
    await grant(newWallet(), { audience: asker.wallet.did })
    const whole = await cids(asker)
    expect(whole).toHaveLength(8)
    for (const limit of [1, 3, 8]) {
      const paged: unknown[] = []
      let cursor: unknown
      do {
        const { items: found, page } = pageOf(await query(asker, { limit, cursor }))
        expect(found.length).toBeLessThanOrEqual(limit)
        paged.push(...found.map(({ cid }) => cid))
        cursor = page['nextCursor']
      } while (cursor !== undefined)
      expect(paged).toEqual(whole)
    }
  })

  it('go on after a cursor that is base64url of a CID that the account was shown, and no other', async () => {
    const [asker, stranger] = [await open(), await open()]
    await share(asker)
    const [first, second] = await cids(asker)
    expect(pageOf(await query(asker, { limit: 1 })).page['nextCursor']).toBe(cursorOf(first))
    expect(await cids(asker, { cursor: cursorOf(first) })).toEqual([second])
    const unknown = 'bafkr4iaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    for (const cid of [stranger.cid, unknown, 'nonsense'])
      expect(refusalOf(await query(asker, { cursor: cursorOf(cid) }))).toEqual([
        400,
        'Invalid delegation query: invalid delegation query cursor',
      ])
  })

  it('hold what names a space, by its id or its name', async () => {
    const asker = await open()
    const other = asker.wallet.spaceId('other')
    const token = await grant(asker.wallet, { abilities: { [`${other}/kv`]: GET } })
    expect(await cids(asker, { space: other })).toEqual([token.cid])
    expect(await cids(asker, { space: 'other' })).toEqual([token.cid])
    expect(await cids(asker, { space: 'default' })).toEqual([asker.cid])
    expect(await cids(asker, { space: 'nowhere' })).toEqual([])
  })
})

describe('who may ask (QUERY-1)', () => {
  it('is the holder of one proof in force, again and again with one token', async () => {
    const asker = await open()
    const authorization = issueQuestion({
      key: asker.key,
      proofs: [asker.cid],
      grants: { [`${asker.space}/delegation`]: LIST },
    })
    for (const time of ['first', 'second']) {
      const reply = await postJson(node.connections, PATH, { authorization, json: {} })
      expect([time, reply.status]).toEqual([time, 200])
    }
  })

  it('is a key to which the right was passed on, until that is revoked', async () => {
    const asker = await open()
    const key = newKey()
    const token = signKeyDelegation(asker.key, {
      audience: key.did,
      grants: { [`${asker.space}/delegation`]: LIST },
      nonce: newNonce(),
      expiresAtS: Math.floor(nowS() + 600),
      proofs: [asker.cid],
    })
    assertOk(await postDelegation(node.connections, token), 'passing on')
    const delegate: Asker = { ...asker, key, cid: token.cid }
    expect(await cids(delegate)).toContain(asker.cid)
    assertOk(await revokeByKey(node.connections, asker, asker.cid), 'revoke')
    expect(refusalOf(await query(delegate))).toEqual(DENIED)
    expect(refusalOf(await query(asker))).toEqual(DENIED)
  })

  it('is nobody else', async () => {
    const [asker, stranger] = [await open(), await open()]
    const plain = await share(asker)
    const { space } = asker
    const attempts: Query[] = [
      { key: newKey() },
      { proofs: [] },
      { proofs: [asker.cid, stranger.cid] },
      { proofs: [stranger.cid] },
      { key: plain.key, proofs: [plain.cid] },
      { lifetimeS: -1 },
      { grants: { [`${space}/delegation/x`]: LIST } },
      { grants: { [`${space}/delegation?x=1`]: LIST } },
      { grants: { [`${space}/delegation#x`]: LIST } },
      { grants: { [`${space}/kv`]: GET } },
      { grants: { [`${space}/delegation`]: ['tinycloud.delegation/status'] } },
      { grants: { [`${space}/delegation`]: LIST, [`${space}/kv`]: GET } },
      { grants: { [`${stranger.space}/delegation`]: LIST } },
      { grants: { [`urn:cid:${asker.cid}`]: LIST } },
      { grants: {} },
    ]
    for (const attempt of attempts)
      expect([attempt, refusalOf(await query(asker, {}, attempt))]).toEqual([attempt, DENIED])
  })

  it('is no key that owns a space of its own: only accounts are asked about', async () => {
    const key = newKey()
    const space = `tinycloud:${key.did.slice('did:'.length)}:default`
    const grants = { [`${space}/delegation`]: LIST }
    const authorization = issueQuestion({ key, grants })
    const reply = await postJson(node.connections, PATH, { authorization, json: {} })
    expect(refusalOf(reply)).toEqual(DENIED)
  })

  it('needs a token', async () => {
    const { authorization } = await open()
    expect((await postJson(node.connections, PATH, { json: {} })).status).toBe(401)
    for (const bad of ['garbage', authorization])
      expect(
        (await postJson(node.connections, PATH, { authorization: bad, json: {} })).status,
      ).toBe(401)
  })
})

describe('its body', () => {
  it('is refused with words, before the question is judged, where it is JSON (QUERY-3)', async () => {
    const asker = await open()
    for (const json of [{ limit: 101 }, { direction: 'up' }, { extra: 1 }, { space: '' }]) {
      const reply = await query(asker, json, { key: newKey() })
      expect([reply.status, reply.text()]).toEqual([
        400,
        expect.stringMatching(/^Invalid delegation query: /) as unknown,
      ])
    }
  })

  it.each([
    ['{"limit":', 400],
    ['', 400],
    ['5', 422],
    ['null', 422],
  ])('is refused with a page where it is no JSON object: %s', async (json, status) => {
    const reply = await query(await open(), json)
    expect([reply.status, reply.text().startsWith('<!DOCTYPE html>')]).toEqual([status, true])
  })
})
