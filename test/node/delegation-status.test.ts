/** POST /delegation/status on a running node: who is told what about a delegation, and how questions are refused. */
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { formatCid, parseCid } from '../../src/protocol/cid.ts'
import { type Grants } from '../../src/protocol/client/key-tokens.ts'
import { type SessionKey } from '../../src/protocol/client/session-key.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import {
  type Account,
  assertOk,
  type Holder,
  issueShare,
  newKey,
  nowS,
  openAccount,
  postDelegation,
  type Reply,
  revokeByKey,
  revokeByWallet,
} from '../_util/client.ts'
import { issueQuestion, postJson } from '../_util/questions.ts'
import { useRunningNode } from '../_util/running-node.ts'

const node = useRunningNode('delegation-status')

const STATUS = ['tinycloud.delegation/status']
const PATH = '/delegation/status'
const JSON_BODY_BYTES = 1024 * 1024

interface Question {
  readonly proofs?: readonly string[]
  /** What the token names; undefined: the CID of the body. */
  readonly grants?: Grants
  readonly lifetimeS?: number
}

function ask(
  key: SessionKey,
  cid: string,
  { grants = { [`urn:cid:${cid}`]: STATUS }, ...signing }: Question = {},
): Promise<Reply> {
  const authorization = issueQuestion({ key, grants, ...signing })
  return postJson(node.connections, PATH, { authorization, json: { cid } })
}

const told = (cid: string, status: string): unknown => [
  status === 'not_found' ? 404 : 200,
  {
    cid,
    status,
    exists: status !== 'not_found',
    active: status === 'active',
    revoked: status === 'revoked',
    expired: status === 'expired',
  },
]

/** Status and document of the answer. */
async function stateOf(key: SessionKey, cid: string, question?: Question): Promise<unknown> {
  const reply = await ask(key, cid, question)
  return [reply.status, JSON.parse(reply.text())]
}

async function openShare(from: Holder, lifetimeS?: number): Promise<Holder> {
  const share = issueShare(from, { path: 'a', ...(lifetimeS !== undefined && { lifetimeS }) })
  assertOk(await postDelegation(node.connections, share), 'share')
  return share
}

async function openFamily(): Promise<{ account: Account; child: Holder }> {
  const account = await openAccount(node.connections)
  return { account, child: await openShare(account) }
}

/** A session of the account that may ask about its delegations. */
async function openControl(account: Account, lifetimeS = 3600): Promise<Holder> {
  const key = newKey()
  const token = signSessionDelegation(account.wallet, {
    domain: 'tests.example',
    nonce: 'control00',
    issuedAtS: nowS(),
    expiresAtS: nowS() + lifetimeS,
    audience: key.didUrl,
    abilities: { [`${account.space}/delegation`]: STATUS },
  })
  assertOk(await postDelegation(node.connections, token), 'control session')
  return { ...token, key, space: account.space }
}

describe('those whom it concerns (STATUS-2)', () => {
  it('are delegator and delegatee, with exactly six members', async () => {
    const { account, child } = await openFamily()
    expect(await stateOf(account.key, child.cid)).toEqual(told(child.cid, 'active'))
    expect(await stateOf(child.key, child.cid)).toEqual(told(child.cid, 'active'))
    expect(await stateOf(account.key, account.cid)).toEqual(told(account.cid, 'active'))
  })

  it('may cite their ordinary session, as clients always do', async () => {
    const { account, child } = await openFamily()
    expect(await stateOf(account.key, child.cid, { proofs: [account.cid] })).toEqual(
      told(child.cid, 'active'),
    )
    expect(await stateOf(child.key, child.cid, { proofs: [child.cid, account.cid] })).toEqual(
      told(child.cid, 'active'),
    )
  })

  it('are told through a control session of the account, as long as it is in force', async () => {
    const account = await openAccount(node.connections)
    const control = await openControl(account)
    const proofs = [control.cid]
    expect(await stateOf(control.key, account.cid, { proofs })).toEqual(told(account.cid, 'active'))
    expect(await stateOf(control.key, account.cid)).toEqual(told(account.cid, 'not_found'))
    expect(await stateOf(control.key, account.cid, { proofs: [control.cid, account.cid] })).toEqual(
      told(account.cid, 'not_found'),
    )
    assertOk(await revokeByWallet(node.connections, account.wallet, control.cid), 'revoke')
    expect(await stateOf(control.key, account.cid, { proofs })).toEqual(
      told(account.cid, 'not_found'),
    )
    expect(await stateOf(control.key, control.cid)).toEqual(told(control.cid, 'revoked'))

    const brief = await openControl(account, 1.2)
    expect(await stateOf(brief.key, account.cid, { proofs: [brief.cid] })).toEqual(
      told(account.cid, 'active'),
    )
    await sleep(1500)
    expect(await stateOf(brief.key, account.cid, { proofs: [brief.cid] })).toEqual(
      told(account.cid, 'not_found'),
    )
  })

  it('may ask again with the same token (STATUS-1)', async () => {
    const { account, child } = await openFamily()
    const authorization = issueQuestion({
      key: account.key,
      grants: { [`urn:cid:${child.cid}`]: STATUS },
    })
    for (const time of ['first', 'second']) {
      const reply = await postJson(node.connections, PATH, {
        authorization,
        json: { cid: child.cid },
      })
      expect([time, reply.status]).toEqual([time, 200])
    }
  })

  it('name it by any of its CIDs: another codec, another base', async () => {
    const { account, child } = await openFamily()
    const { digest } = parseCid(child.cid)
    expect(await stateOf(account.key, formatCid(0x71, digest, 'base32'))).toEqual(
      told(formatCid(0x71, digest, 'base32'), 'active'),
    )
    expect(await stateOf(account.key, formatCid(0x55, digest, 'base58btc'))).toEqual(
      told(formatCid(0x55, digest, 'base58btc'), 'active'),
    )
  })
})

describe('everybody else (STATUS-3)', () => {
  it('cannot tell what is stored from what is not', async () => {
    const { account, child } = await openFamily()
    const sibling = await openShare(account)
    const unknown = formatCid(0x55, new Uint8Array(32).fill(5), 'base32')
    expect(await stateOf(account.key, unknown)).toEqual(told(unknown, 'not_found'))
    expect((await ask(account.key, unknown)).headers['content-type']).toBe('application/json')
    expect(await stateOf(newKey(), child.cid)).toEqual(told(child.cid, 'not_found'))
    expect(await stateOf(sibling.key, child.cid)).toEqual(told(child.cid, 'not_found'))
    expect(await stateOf(child.key, account.cid)).toEqual(told(account.cid, 'not_found'))
    expect(await stateOf(newKey(), child.cid, { proofs: [account.cid] })).toEqual(
      told(child.cid, 'not_found'),
    )
    const stranger = await openControl(await openAccount(node.connections))
    expect(await stateOf(stranger.key, child.cid, { proofs: [stranger.cid] })).toEqual(
      told(child.cid, 'not_found'),
    )
  })

  it('gets not_found for a CID of another hash function', async () => {
    const account = await openAccount(node.connections)
    expect(
      await stateOf(account.key, 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku', {
        proofs: [account.cid],
      }),
    ).toEqual(told('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku', 'not_found'))
  })
})

describe('the state', () => {
  it('is revoked after a revocation, also below it, not above', async () => {
    const { account, child } = await openFamily()
    const grandchild = await openShare(child)
    assertOk(await revokeByKey(node.connections, account, child.cid), 'revoke')
    expect(await stateOf(child.key, child.cid)).toEqual(told(child.cid, 'revoked'))
    expect(await stateOf(grandchild.key, grandchild.cid)).toEqual(told(grandchild.cid, 'revoked'))
    expect(await stateOf(account.key, account.cid)).toEqual(told(account.cid, 'active'))
  })

  it('is expired at the end of its own time or of that of an ancestor', async () => {
    const { account } = await openFamily()
    const brief = await openShare(account, 2)
    const below = await openShare(brief, 1)
    expect(await stateOf(account.key, brief.cid)).toEqual(told(brief.cid, 'active'))
    await sleep(2100)
    expect(await stateOf(account.key, brief.cid)).toEqual(told(brief.cid, 'expired'))
    expect(await stateOf(below.key, below.cid)).toEqual(told(below.cid, 'expired'))
  })
})

describe('a question is refused', () => {
  it('when its token is forged, late, no UCAN, or missing', async () => {
    const { account, child } = await openFamily()
    const good = issueQuestion({ key: account.key, grants: { [`urn:cid:${child.cid}`]: STATUS } })
    const json = { cid: child.cid }
    const [header = '', payload = ''] = good.split('.')
    const forged = `${header}.${payload}.${Buffer.alloc(64, 1).toString('base64url')}`
    const replies = await Promise.all([
      postJson(node.connections, PATH, { authorization: forged, json }),
      ask(account.key, child.cid, { lifetimeS: -1 }),
    ])
    for (const reply of replies)
      expect([reply.status, reply.text()]).toEqual([401, 'Invalid status invocation'])
    for (const authorization of ['garbage', 'a.b.c', account.authorization]) {
      const reply = await postJson(node.connections, PATH, { authorization, json })
      expect([reply.status, reply.text().includes('401: Unauthorized')]).toEqual([401, true])
    }
    expect((await postJson(node.connections, PATH, { json })).status).toBe(401)
  })

  it('when it is not bound to the CID of its body (STATUS-1)', async () => {
    const { account, child } = await openFamily()
    const bindings: Grants[] = [
      { [`urn:cid:${account.cid}`]: STATUS },
      { [`urn:cid:${child.cid}`]: ['tinycloud.delegation/revoke'] },
      { [`urn:cid:${child.cid}`]: [...STATUS, 'tinycloud.delegation/revoke'] },
      { [`urn:cid:${child.cid}`]: STATUS, [`urn:cid:${account.cid}`]: STATUS },
      { [`${account.space}/delegation/${child.cid}`]: STATUS },
      { [`urn:cid:${formatCid(0x55, parseCid(child.cid).digest, 'base58btc')}`]: STATUS },
      {},
    ]
    const text = 'Status invocation is not bound to the requested CID'
    for (const grants of bindings) {
      const reply = await ask(account.key, child.cid, { grants })
      expect([reply.status, reply.text()]).toEqual([403, text])
    }
    const unbound = await ask(account.key, 'nonsense', { grants: { 'urn:cid:other': STATUS } })
    expect(unbound.status).toBe(403)
  })

  it('when what it is bound to is no CID', async () => {
    const { key } = await openAccount(node.connections)
    for (const cid of ['nonsense', '', 'bafkr4i', `b${'a'.repeat(4000)}`]) {
      const reply = await ask(key, cid)
      expect([cid, reply.status, reply.text()]).toEqual([cid, 400, 'Invalid delegation CID'])
    }
  })
})

const padded = (lengthBytes: number): string => '{"cid":"x"}'.padEnd(lengthBytes)

describe('its body (HTTP-5)', () => {
  const key = newKey()
  const send = (body: string | Readable, type?: string): Promise<Reply> => {
    const authorization = issueQuestion({ key, grants: { 'urn:cid:x': STATUS } })
    return node.connections.request(PATH, {
      authorization,
      headers: { accept: 'application/json', ...(type !== undefined && { 'content-type': type }) },
      body,
    })
  }

  it.each([
    ['broken', '{"cid":', 400],
    ['empty', '', 400],
    ['not UTF-8', Readable.from([Buffer.from('{"cid":"\xE9"}', 'latin1')]), 400],
    ['nested', `{"cid":${'['.repeat(100_000)}`, 400],
    ['of another type', '{"cid":5}', 422],
    ['without the member', '{}', 422],
    ['no object', '"x"', 422],
    ['with more members', '{"cid":"x","more":1}', 400],
    ['an array of the members', '["x"]', 400],
  ])('%s is refused', async (_what, body, status) => {
    const reply = await send(body, 'application/json')
    expect(reply.status).toBe(status)
  })

  it('has at most 1 MiB, of known or unknown length', async () => {
    const withinLimit = await send(padded(JSON_BODY_BYTES), 'application/json')
    expect(withinLimit.text()).toBe('Invalid delegation CID')
    const streamed = await send(Readable.from([padded(JSON_BODY_BYTES)]), 'application/json')
    expect(streamed.text()).toBe('Invalid delegation CID')
    for (const body of [
      padded(JSON_BODY_BYTES + 1),
      Readable.from([padded(JSON_BODY_BYTES), ' ', ' '.repeat(3 * JSON_BODY_BYTES)]),
    ]) {
      const reply = await send(body, 'application/json')
      expect([reply.status, JSON.parse(reply.text())]).toMatchObject([
        413,
        { error: { code: 413 } },
      ])
    }
  })

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json ;x=y'])(
    'is taken as %s',
    async (type) => {
      expect((await send(padded(11), type)).text()).toBe('Invalid delegation CID')
    },
  )

  it.each([undefined, 'text/plain', 'application/ld+json', 'application/jsonx', 'json', ''])(
    'is 404 as %s',
    async (type) => {
      expect((await send(padded(11), type)).status).toBe(404)
    },
  )
})
