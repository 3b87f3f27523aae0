/** capabilities/read on a running node: the delegations of a space, filtered, and the chain of one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type IssuedToken } from '../../src/protocol/client/issued-token.ts'
import { signKeyDelegation } from '../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { type Wallet } from '../../src/protocol/client/wallet.ts'
import {
  assertOk,
  type Holder,
  invoke,
  issueHosting,
  issueInvocation,
  kv,
  newKey,
  newNonce,
  newWallet,
  nowS,
  postDelegation,
  type Reply,
  revokeByWallet,
} from '../_util/client.ts'
import { issueLastingShare } from '../_util/lasting-share.ts'
import { membersOf } from '../_util/narrow.ts'
import { withExtraMember } from '../_util/respell.ts'
import { useRunningNode } from '../_util/running-node.ts'

const node = useRunningNode('capabilities')

const READ = 'tinycloud.capabilities/read'
const post = (token: { readonly authorization: string }): Promise<Reply> =>
  postDelegation(node.connections, token)

interface Reader extends Holder {
  readonly wallet: Wallet
  readonly hosting: IssuedToken
}

/** A wallet with a hosted space and a session that may read values, and delegations too. */
async function open(): Promise<Reader> {
  const wallet = newWallet()
  const space = wallet.spaceId('default')
  const hosting = await issueHosting(node.connections, wallet, space)
  assertOk(await post(hosting), 'host')
  const key = newKey()
  const session = signSessionDelegation(wallet, {
    domain: 'tests.example',
    nonce: 'nonce0000',
    issuedAtS: 1_700_000_000,
    expiresAtS: 4_000_000_000,
    audience: key.didUrl,
    abilities: {
      [`${space}/kv`]: ['tinycloud.kv/get', 'tinycloud.kv/put'],
      [`${space}/capabilities`]: [READ],
    },
  })
  assertOk(await post(session), 'session')
  return { wallet, space, key, hosting, ...session }
}

/** A grant of get and put, which the reader's session has. */
const GET_PUT = { abilities: ['tinycloud.kv/get', 'tinycloud.kv/put'] }

async function openShare(from: Holder, path?: string): Promise<Holder> {
  const share = issueLastingShare(from, { ...GET_PUT, ...(path !== undefined && { path }) })
  assertOk(await post(share), 'share')
  return share
}

const read = (holder: Holder, parameters?: unknown): Promise<Reply> =>
  invoke(
    node.connections,
    issueInvocation(
      holder,
      { [`${holder.space}/capabilities/all`]: [READ] },
      parameters === undefined ? {} : { facts: [{ capabilitiesReadParams: parameters }] },
    ),
  )

async function listed(
  holder: Holder,
  parameters?: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const reply = assertOk(await read(holder, parameters), 'read')
  expect(reply.headers['content-type']).toBe('application/json')
  return membersOf(JSON.parse(reply.text()))
}

const cids = async (holder: Holder, parameters?: unknown): Promise<string[]> =>
  Object.keys(await listed(holder, parameters)).toSorted()

describe('the map of delegations', () => {
  it('shows each with its rights, parties, true parents and token (CAP-1)', async () => {
    const reader = await open()
    const share = await openShare(reader, 'a/b')
    // Requests that cite a delegation are not its parents.
    assertOk(await kv(node.connections, reader, 'put', 'a', { body: 'x' }), 'put')
    const map = await listed(reader)
    expect(Object.keys(map).toSorted()).toEqual(
      [reader.hosting.cid, reader.cid, share.cid].toSorted(),
    )
    expect(map[reader.cid]).toEqual({
      capabilities: [
        { resource: `${reader.space}/capabilities`, ability: READ, caveats: {} },
        { resource: `${reader.space}/kv`, ability: 'tinycloud.kv/get', caveats: {} },
        { resource: `${reader.space}/kv`, ability: 'tinycloud.kv/put', caveats: {} },
      ],
      delegator: reader.wallet.did,
      delegate: reader.key.did,
      parents: [],
      expiry: '2096-10-02T07:06:40.000Z',
      issued_at: '2023-11-14T22:13:20.000Z',
      raw: reader.authorization,
    })
    expect(map[share.cid]).toMatchObject({
      delegator: reader.key.did,
      delegate: share.key.did,
      parents: [reader.cid],
      raw: share.authorization,
    })
    expect(map[reader.hosting.cid]).toMatchObject({
      capabilities: [{ resource: `${reader.space}/space`, ability: 'tinycloud.space/host' }],
      parents: [],
      raw: reader.hosting.authorization,
    })
  })

  it('shows the beginning of a delegation that has one, and none of one that begins later (CAP-1)', async () => {
    const reader = await open()
    const issue = (notBeforeS: number): IssuedToken =>
      signKeyDelegation(reader.key, {
        audience: newKey().did,
        grants: { [`${reader.space}/kv`]: ['tinycloud.kv/get'] },
        nonce: newNonce(),
        expiresAtS: 3_999_999_999.5,
        notBeforeS,
        proofs: [reader.cid],
      })
    const begun = issue(1_700_000_000)
    assertOk(await post(begun), 'begun')
    expect((await post(issue(nowS() + 60))).status).toBe(401)
    expect((await listed(reader))[begun.cid]).toMatchObject({
      expiry: '2096-10-02T07:06:39.500Z',
      not_before: '2023-11-14T22:13:20.000Z',
    })
  })

  it('holds what is in force and no more (CAP-1)', async () => {
    const reader = await open()
    const kept = await openShare(reader)
    const revoked = await openShare(reader)
    const orphan = await openShare(revoked)
    const brief = issueLastingShare(reader, { ...GET_PUT, lifetimeS: 3 })
    assertOk(await post(brief), 'brief')
    const before = await cids(reader)
    for (const { cid } of [kept, revoked, orphan, brief]) expect(before).toContain(cid)
    assertOk(await revokeByWallet(node.connections, reader.wallet, revoked.cid), 'revoke')
    await sleep(4100)
    expect(await cids(reader)).toEqual([reader.hosting.cid, reader.cid, kept.cid].toSorted())
  })

  it('names a delegation once, however many spellings were posted (CAP-1)', async () => {
    const reader = await open()
    const other = withExtraMember(reader.authorization)
    assertOk(await post(other), 'other spelling')
    expect(await cids(reader)).toEqual([reader.hosting.cid, reader.cid].toSorted())
  })

  it('shows nothing of other spaces (CAP-1)', async () => {
    const [reader, other] = [await open(), await open()]
    await openShare(other)
    expect(await cids(reader)).toEqual([reader.hosting.cid, reader.cid].toSorted())
    const reply = await read({ ...reader, space: other.space })
    expect([reply.status, reply.text()]).toEqual([
      401,
      `Unauthorized Action: ${other.space}/capabilities/all / ${READ}`,
    ])
  })

  it('has no outcome on another path (CAP-1)', async () => {
    const reader = await open()
    for (const path of ['', '/', '/some', '/all/'] as const) {
      const token = issueInvocation(reader, { [`${reader.space}/capabilities${path}`]: [READ] })
      const reply = await invoke(node.connections, token)
      expect([reply.status, reply.text()]).toEqual([200, ''])
    }
  })

  it('repeats conditions by their index (CAP-1, CAVEAT-1)', async () => {
    const reader = await open()
    const token = signKeyDelegation(reader.key, {
      audience: newKey().did,
      grants: { [`${reader.space}/kv`]: { 'tinycloud.kv/get': [{ note: 'once' }] } },
      nonce: newNonce(),
      expiresAtS: Math.floor(nowS()) + 60,
      proofs: [reader.cid],
    })
    assertOk(await post(token), 'conditional')
    const map = await listed(reader)
    const capability = { resource: `${reader.space}/kv`, ability: 'tinycloud.kv/get' }
    expect(map[token.cid]).toMatchObject({
      capabilities: [{ ...capability, caveats: { 0: { note: 'once' } } }],
    })
  })
})

describe('parameters', () => {
  it('filter by direction, path and ability (CAP-2)', async () => {
    const reader = await open()
    const deep = await openShare(reader, 'deep/er')
    const flat = await openShare(reader, 'flat')
    const filtered = (filters: unknown): Promise<string[]> =>
      cids(reader, { type: 'list', filters })
    const all = await cids(reader)
    expect(await filtered({ direction: 'all' })).toEqual(all)
    expect(await filtered({})).toEqual(all)
    expect(await filtered({ path: 'deep' })).toEqual([deep.cid])
    expect(await filtered({ path: 'flat' })).toEqual([flat.cid])
    expect(await filtered({ actions: ['tinycloud.space/host'] })).toEqual([reader.hosting.cid])
    expect(await filtered({ actions: [] })).toEqual([])
    expect(await filtered({ actions: ['tinycloud.kv/get'], path: 'flat' })).toEqual([flat.cid])
    // The account behind the session gave the session, and received nothing.
    expect(await filtered({ direction: 'created' })).toContain(reader.cid)
    expect(await filtered({ direction: 'received' })).toEqual([])
  })

  it('that cannot be read count as absent (CAP-2)', async () => {
    const reader = await open()
    const all = await cids(reader)
    for (const parameters of [
      null,
      7,
      'list',
      [],
      {},
      { type: 'other' },
      { type: 'chain' },
      { type: 'chain', delegation_cid: 7 },
      { type: 'list', filters: 'x' },
      { type: 'list', filters: { direction: 'up', path: 7, actions: 'x' } },
    ])
      expect(await cids(reader, parameters)).toEqual(all)
  })

  it('ask for one chain, from the leaf to the root (CAP-2)', async () => {
    const reader = await open()
    const share = await openShare(reader)
    const child = await openShare(share)
    const chain = async (delegationCid: string): Promise<unknown> => {
      const reply = await read(reader, { type: 'chain', delegation_cid: delegationCid })
      return JSON.parse(assertOk(reply, 'chain').text())
    }
    const links = [child, share, reader].map(({ authorization }) => ({ raw: authorization }))
    expect(await chain(child.cid)).toMatchObject(links)
    expect(await chain(reader.cid)).toMatchObject([{ raw: reader.authorization }])
    expect(await chain(issueLastingShare(reader).cid)).toEqual([])
    const foreign = await open()
    expect(await chain(foreign.cid)).toEqual([])
  })

  it('refuse a chain of what is no CID (CAP-2)', async () => {
    const reader = await open()
    for (const text of ['', 'x', 'bafy', '__proto__']) {
      const reply = await read(reader, { type: 'chain', delegation_cid: text })
      expect([reply.status, reply.text()]).toEqual([401, `Invalid delegation CID: ${text}`])
    }
  })
})
