/** Time, authority, replay and outcomes of invocations on a running node. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { signInvocation, signKeyDelegation } from '../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import {
  type Account,
  assertOk,
  type Holder,
  invoke,
  issueInvocation,
  issueKv,
  issueSession,
  kv,
  kvResource,
  newKey,
  newNonce,
  newWallet,
  nowS,
  openAccount,
  postDelegation,
  type Reply,
  revokeByWallet,
} from '../_util/client.ts'
import { issueLastingShare } from '../_util/lasting-share.ts'
import { useRunningNode } from '../_util/running-node.ts'

const node = useRunningNode('invocations')

const open = (): Promise<Account> => openAccount(node.connections)

async function openShare(
  from: Holder,
  options: Parameters<typeof issueLastingShare>[1],
): Promise<Holder> {
  const share = issueLastingShare(from, options)
  assertOk(await postDelegation(node.connections, share), 'share')
  return share
}

const told = (reply: Reply): [status: number, text: string] => [reply.status, reply.text()]

const getA = (
  account: Holder,
  window: { expiresAtS: number; notBeforeS?: number },
): Promise<Reply> =>
  invoke(
    node.connections,
    signInvocation(account.key, {
      ...window,
      grants: { [kvResource(account.space, 'a')]: ['tinycloud.kv/get'] },
      nonce: newNonce(),
      proofs: [account.cid],
    }),
  )

const TIME = [401, 'Invocation expired or not yet valid']

describe('time', () => {
  it('refuses what has expired or has not begun, however little is missing (INV-1)', async () => {
    const account = await open()
    assertOk(await kv(node.connections, account, 'put', 'a', { body: 'one' }), 'put')
    const laterS = nowS() + 60
    expect(told(await getA(account, { expiresAtS: nowS() - 0.05 }))).toEqual(TIME)
    expect(told(await getA(account, { expiresAtS: 0 }))).toEqual(TIME)
    expect(told(await getA(account, { expiresAtS: -1 }))).toEqual(TIME)
    expect(told(await getA(account, { expiresAtS: laterS, notBeforeS: nowS() + 5 }))).toEqual(TIME)
    expect(told(await getA(account, { expiresAtS: laterS }))).toEqual([200, 'one'])
    const begunS = nowS() - 0.001
    expect(told(await getA(account, { expiresAtS: laterS, notBeforeS: begunS }))).toEqual([
      200,
      'one',
    ])
  })

  it('is looked at before the signature (INV-1)', async () => {
    const account = await open()
    const token = signInvocation(account.key, {
      grants: { [kvResource(account.space, 'a')]: ['tinycloud.kv/get'] },
      nonce: newNonce(),
      expiresAtS: nowS() - 1,
    })
    const forged = { authorization: spoilSignature(token.authorization) }
    expect(told(await invoke(node.connections, forged))).toEqual(TIME)
  })

  it('is bounded by 300 s from now (INV-2)', async () => {
    const account = await open()
    assertOk(await kv(node.connections, account, 'put', 'a', { body: 'one' }), 'put')
    expect(told(await getA(account, { expiresAtS: nowS() + 298 }))).toEqual([200, 'one'])
    for (const lifetimeS of [302, 3600, 1e9, 1e12])
      expect(told(await getA(account, { expiresAtS: nowS() + lifetimeS }))).toEqual([
        401,
        'Invocation lifetime exceeds server maximum',
      ])
  })

  it('of the cited delegation ends exclusively (INV-6)', async () => {
    const account = await open()
    const brief = await openShare(account, { lifetimeS: 3 })
    expect((await kv(node.connections, brief, 'list', '')).status).toBe(200)
    await sleep(4000)
    const resource = `${kvResource(account.space, '')} / tinycloud.kv/list`
    expect(told(await kv(node.connections, brief, 'list', ''))).toEqual([
      401,
      `Unauthorized Action: ${resource}`,
    ])
  })
})

/** Changes one bit of a JWT's signature and keeps it base64url. */
function spoilSignature(authorization: string): string {
  const dot = authorization.lastIndexOf('.')
  const first = authorization[dot + 1] === 'A' ? 'B' : 'A'
  return authorization.slice(0, dot + 1) + first + authorization.slice(dot + 2)
}

describe('authority', () => {
  it('ends with the delegation and with any above it (INV-5)', async () => {
    const account = await open()
    const share = await openShare(account, {})
    const child = await openShare(share, {})
    assertOk(await kv(node.connections, child, 'put', 'a', { body: 'one' }), 'put')
    assertOk(await revokeByWallet(node.connections, account.wallet, share.cid), 'revoke')
    for (const action of ['put', 'get', 'list', 'del', 'metadata'] as const) {
      expect(told(await kv(node.connections, share, action, 'a'))).toEqual([
        401,
        `delegation-revoked: ${share.cid}`,
      ])
      expect(told(await kv(node.connections, child, action, 'a'))).toEqual([
        401,
        `delegation-ancestor-revoked: ancestor=${share.cid} invoked=${child.cid}`,
      ])
    }
    expect(told(await kv(node.connections, account, 'get', 'a'))).toEqual([200, 'one'])
  })

  it('says that a space is not hosted only to those who have rights there (INV-8)', async () => {
    const wallet = newWallet()
    const space = wallet.spaceId('nowhere')
    const { key, token } = issueSession(wallet, space)
    assertOk(await postDelegation(node.connections, token), 'session')
    const holder = { space, key, ...token }
    expect(told(await kv(node.connections, holder, 'get', 'a'))).toEqual([404, 'Space not found'])
    expect(told(await kv(node.connections, holder, 'put', 'a'))).toEqual([404, 'Space not found'])
    const stranger = await open()
    expect(told(await kv(node.connections, { ...stranger, space }, 'get', 'a'))).toEqual([
      401,
      `Unauthorized Action: ${kvResource(space, 'a')} / tinycloud.kv/get`,
    ])
  })

  it('is needed for every capability, or nothing happens (INV-7)', async () => {
    const account = await open()
    const share = await openShare(account, { path: 'mine' })
    const token = issueInvocation(share, {
      [kvResource(account.space, 'mine/a')]: ['tinycloud.kv/put'],
      [kvResource(account.space, 'mine-not')]: ['tinycloud.kv/del'],
    })
    expect(told(await invoke(node.connections, token, { body: 'one' }))).toEqual([
      401,
      `Unauthorized Action: ${kvResource(account.space, 'mine-not')} / tinycloud.kv/del`,
    ])
    expect((await kv(node.connections, account, 'get', 'mine/a')).status).toBe(404)
  })

  it('may come from several proofs, each stored, addressed to the invoker and cited once (INV-3, INV-4)', async () => {
    const account = await open()
    const key = newKey()
    const grant = (path: string): Holder => {
      const token = signKeyDelegation(account.key, {
        audience: key.did,
        grants: { [kvResource(account.space, path)]: ['tinycloud.kv/del'] },
        nonce: newNonce(),
        expiresAtS: Math.floor(nowS()) + 600,
        proofs: [account.cid],
      })
      return { space: account.space, key, ...token }
    }
    const [one, two, unknown] = [grant('one'), grant('two'), grant('three')]
    for (const share of [one, two]) assertOk(await postDelegation(node.connections, share), 'share')
    const foreign = await openShare(account, {})
    for (const name of ['one', 'two'])
      assertOk(await kv(node.connections, account, 'put', name, { body: name }), 'put')
    const deleteBoth = (proofs: readonly string[]): Promise<Reply> =>
      invoke(
        node.connections,
        signInvocation(key, {
          grants: {
            [kvResource(account.space, 'one')]: ['tinycloud.kv/del'],
            [kvResource(account.space, 'two')]: ['tinycloud.kv/del'],
          },
          nonce: newNonce(),
          expiresAtS: nowS() + 60,
          proofs,
        }),
      )
    const missing = [401, 'Cannot find parent delegation']
    expect(told(await deleteBoth([one.cid, two.cid, unknown.cid]))).toEqual(missing)
    expect(told(await deleteBoth([one.cid, two.cid, two.cid]))).toEqual(missing)
    expect(told(await deleteBoth([]))).toEqual(missing)
    expect(told(await deleteBoth([one.cid, two.cid, foreign.cid]))).toEqual([
      401,
      'Unauthorized Invoker',
    ])
    expect((await deleteBoth([one.cid])).status).toBe(401)
    expect((await deleteBoth([one.cid, two.cid])).status).toBe(200)
    for (const name of ['one', 'two'])
      expect((await kv(node.connections, account, 'get', name)).status).toBe(404)
  })

  it('of an owner who is a key needs no delegation at all (INV-7)', async () => {
    const key = newKey()
    const space = `tinycloud:${key.did.slice('did:'.length)}:own`
    const path = `/peer/generate/${encodeURIComponent(space)}`
    const hostDid = (await node.connections.request(path, { method: 'GET' })).text()
    const hosting = signKeyDelegation(key, {
      audience: hostDid,
      grants: { [`${space}/space`]: ['tinycloud.space/host'] },
      nonce: newNonce(),
      expiresAtS: Math.floor(nowS()) + 600,
    })
    expect(JSON.parse((await postDelegation(node.connections, hosting)).text())).toMatchObject({
      activated: [space],
    })
    const run = (action: string, body?: string): Promise<Reply> =>
      invoke(
        node.connections,
        signInvocation(key, {
          grants: { [kvResource(space, 'a')]: [`tinycloud.kv/${action}`] },
          nonce: newNonce(),
          expiresAtS: nowS() + 60,
        }),
        body === undefined ? {} : { body },
      )
    expect((await run('put', 'one')).status).toBe(200)
    expect(told(await run('get'))).toEqual([200, 'one'])
  })

  it('over two spaces changes both, in one invocation (INV-8)', async () => {
    const account = await open()
    const second = account.wallet.spaceId('second')
    const key = newKey()
    const both = signSessionDelegation(account.wallet, {
      domain: 'tests.example',
      nonce: 'nonce0000',
      issuedAtS: nowS(),
      audience: key.did,
      abilities: {
        [`${account.space}/kv`]: ['tinycloud.kv/del', 'tinycloud.kv/put'],
        [`${second}/kv`]: ['tinycloud.kv/del', 'tinycloud.kv/put'],
      },
    })
    assertOk(await postDelegation(node.connections, both), 'session')
    const holder: Holder = { space: account.space, key, ...both }
    assertOk(await kv(node.connections, holder, 'put', 'a', { body: 'one' }), 'put')
    const grants = {
      [kvResource(account.space, 'a')]: ['tinycloud.kv/del'],
      [kvResource(second, 'a')]: ['tinycloud.kv/put'],
    }
    const move = (): Promise<Reply> =>
      invoke(node.connections, issueInvocation(holder, grants), { body: 'two' })
    expect(told(await move())).toEqual([404, 'Space not found'])
    expect((await kv(node.connections, account, 'get', 'a')).text()).toBe('one')
  })
})

const DUPLICATE = [409, 'duplicate invocation']

describe('replay', () => {
  it('applies a change once, however often and at once it is sent (INV-9)', async () => {
    const account = await open()
    const token = issueKv(account, 'put', 'a')
    const replies = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        invoke(node.connections, token, { body: `value ${index}` }),
      ),
    )
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    const refused = replies.filter(({ status }) => status !== 200)
    expect(refused.map(told)).toEqual(refused.map(() => DUPLICATE))
    const kept = replies.findIndex(({ status }) => status === 200)
    expect((await kv(node.connections, account, 'get', 'a')).text()).toBe(`value ${kept}`)
  })

  it('refuses the token of a deletion after the key was written again (INV-9)', async () => {
    const account = await open()
    const put = (): Promise<Reply> => kv(node.connections, account, 'put', 'a', { body: 'one' })
    assertOk(await put(), 'put')
    const deletion = issueKv(account, 'del', 'a')
    assertOk(await invoke(node.connections, deletion), 'del')
    assertOk(await put(), 'put')
    expect(told(await invoke(node.connections, deletion))).toEqual(DUPLICATE)
    expect(told(await kv(node.connections, account, 'get', 'a'))).toEqual([200, 'one'])
  })

  it('does not use up the token of a refused change (INV-9)', async () => {
    const account = await open()
    const token = issueKv(account, 'put', 'a')
    const guarded = { body: 'one', headers: { 'if-match': `"blake3-${'0'.repeat(64)}"` } }
    expect((await invoke(node.connections, token, guarded)).status).toBe(412)
    expect((await invoke(node.connections, token, { headers: { 'if-match': 'x' } })).status).toBe(
      400,
    )
    expect((await invoke(node.connections, token, { body: 'one' })).status).toBe(200)
    expect(told(await invoke(node.connections, token, guarded))).toEqual(DUPLICATE)
  })

  it('does not use up the token that came before its delegation (INV-9, INV-10)', async () => {
    const account = await open()
    const share = issueLastingShare(account)
    const tokens = [issueKv(share, 'put', 'a'), issueKv(share, 'get', 'a')] as const
    for (const token of tokens)
      expect(told(await invoke(node.connections, token, { body: 'one' }))).toEqual([
        401,
        'Cannot find parent delegation',
      ])
    assertOk(await postDelegation(node.connections, share), 'share')
    for (const token of tokens)
      expect((await invoke(node.connections, token, { body: 'one' })).status).toBe(200)
  })

  it('answers a read once, and an absent key as often as it is asked (INV-10)', async () => {
    const account = await open()
    assertOk(await kv(node.connections, account, 'put', 'a', { body: 'one' }), 'put')
    for (const action of ['get', 'metadata', 'list'] as const) {
      const token = issueKv(account, action, 'a')
      expect((await invoke(node.connections, token)).status).toBe(200)
      expect(told(await invoke(node.connections, token))).toEqual(DUPLICATE)
    }
    const many = issueKv(account, 'get', 'a')
    const replies = await Promise.all(
      Array.from({ length: 16 }, () => invoke(node.connections, many)),
    )
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(15)
  })
})

describe('outcomes', () => {
  it('refuses mixtures before anything happens (INV-11)', async () => {
    const account = await open()
    assertOk(await kv(node.connections, account, 'put', 'a', { body: 'one' }), 'put')
    const mixtures: Record<string, readonly string[]>[] = [
      { a: ['del', 'get'] },
      { a: ['get', 'metadata'] },
      { a: ['get'], b: ['put'] },
      { a: ['list'], b: ['list'] },
      { a: ['put', 'del'] },
    ]
    for (const mixture of mixtures) {
      const grants = Object.fromEntries(
        Object.entries(mixture).map(([key, names]) => [
          kvResource(account.space, key),
          names.map((name) => `tinycloud.kv/${name}`),
        ]),
      )
      const reply = await invoke(node.connections, issueInvocation(account, grants), {
        body: 'two',
      })
      expect(told(reply)).toEqual([
        501,
        'Multiple invocation outcomes require a homogeneous KV get or metadata batch',
      ])
    }
    expect(told(await kv(node.connections, account, 'get', 'a'))).toEqual([200, 'one'])
    expect((await kv(node.connections, account, 'get', 'b')).status).toBe(404)
  })

  it('applies a put and deletions together (INV-11)', async () => {
    const account = await open()
    for (const key of ['a', 'b'])
      assertOk(await kv(node.connections, account, 'put', key, { body: key }), 'put')
    const token = issueInvocation(account, {
      [kvResource(account.space, 'a')]: ['tinycloud.kv/del'],
      [kvResource(account.space, 'b')]: ['tinycloud.kv/delete'],
      [kvResource(account.space, 'c')]: ['tinycloud.kv/put'],
    })
    expect((await invoke(node.connections, token, { body: 'new' })).status).toBe(200)
    expect((await kv(node.connections, account, 'list', '')).text()).toBe('["c"]')
  })

  it('does nothing for abilities that nobody knows, and for those without an effect (ABIL-2)', async () => {
    const account = await open()
    const abilities = ['tinycloud.kv/shake', 'tinycloud.space/info', 'example.org/x']
    const session = signSessionDelegation(account.wallet, {
      domain: 'tests.example',
      nonce: 'nonce0001',
      issuedAtS: nowS(),
      audience: account.key.did,
      abilities: { [`${account.space}/kv`]: abilities, [`${account.space}/space`]: abilities },
    })
    assertOk(await postDelegation(node.connections, session), 'session')
    const holder: Holder = { ...account, ...session }
    for (const resource of [`${account.space}/kv/a`, `${account.space}/space`]) {
      const token = issueInvocation(holder, { [resource]: abilities })
      expect(told(await invoke(node.connections, token, { body: 'x' }))).toEqual([200, ''])
    }
    // Without a path kv has no outcome.
    const noPath = issueInvocation(account, { [`${account.space}/kv`]: ['tinycloud.kv/list'] })
    expect(told(await invoke(node.connections, noPath))).toEqual([200, ''])
    expect((await kv(node.connections, account, 'list', '')).text()).toBe('[]')
  })
})
