/** Signed URLs on a running node: who makes one, what it gives, and when it ends (SIGNED-1 to SIGNED-6). */
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/protocol/bytes.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import {
  type Account,
  assertOk,
  type GrantOptions,
  type Holder,
  issueKv,
  issueShare,
  kv,
  kvResource,
  newKey,
  nowS,
  openAccount,
  openConnections,
  postDelegation,
  type Reply,
  revokeByKey,
  revokeByWallet,
} from '../_util/client.ts'
import { createDirectory, removeDirectory, startNodeProcess } from '../_util/node-process.ts'
import { postJson } from '../_util/questions.ts'
import { useRunningNode } from '../_util/running-node.ts'
import { issueSigning, openUrl, readSignedUrl, readUrl, signUrl } from '../_util/signed-urls.ts'

const node = useRunningNode('signed-urls', { environment: { TINYCLOUD_LOG_LEVEL: 'debug' } })

const GET = ['tinycloud.kv/get']
const NOT_FOUND = [401, 'signed URL ticket not found']
const REVOKED = [401, 'signed URL ticket is invalid']

const told = (reply: Reply): [status: number, text: string] => [reply.status, reply.text()]
const hashOf = (value: string): string => toHex(blake3(utf8(value)))
const etagOf = (value: string): string => `"blake3-${hashOf(value)}"`
const read = (url: string, headers: Record<string, string> = {}): Promise<Reply> =>
  readUrl(node.connections, url, headers)

/** An account with the value `one` under the key `a`. */
async function openWithValue(headers: Record<string, string> = {}): Promise<Account> {
  const account = await openAccount(node.connections)
  assertOk(await kv(node.connections, account, 'put', 'a', { body: 'one', headers }), 'put')
  return account
}

async function openShare(from: Holder, options: GrantOptions = {}): Promise<Holder> {
  const share = issueShare(from, { abilities: GET, ...options })
  assertOk(await postDelegation(node.connections, share), 'share')
  return share
}

describe('a signed URL', () => {
  it('gives its value to anyone, again and again, and lets no cache keep it (SIGNED-1, SIGNED-6)', async () => {
    const stored = {
      'content-type': 'text/x-test',
      'content-disposition': 'attachment',
      'x-tinycloud-meta-mood': 'calm',
    }
    const { url, ticketId } = await openUrl(node.connections, await openWithValue(stored), 'a')
    expect(url).toBe(`/signed/kv/${ticketId}`)
    expect(ticketId).toMatch(/^[\w-]{43}$/)
    for (let use = 0; use < 3; use++) {
      const reply = await read(url)
      expect(told(reply)).toEqual([200, 'one'])
      expect(reply.headers).toMatchObject({
        ...stored,
        etag: etagOf('one'),
        'content-length': '3',
        'accept-ranges': 'bytes',
        'cache-control': 'private, no-store',
      })
    }
  })

  it('is answered to HEAD without the value, a range ignored (HTTP-7, RANGE-3)', async () => {
    const { url } = await openUrl(node.connections, await openWithValue(), 'a')
    for (const headers of [{}, { range: 'bytes=0-0' }, { range: 'bytes=99-' }]) {
      const head = await readUrl(node.connections, url, headers, 'HEAD')
      expect(told(head)).toEqual([200, ''])
      expect(head.headers).toMatchObject({ etag: etagOf('one'), 'content-length': '3' })
    }
    const known = { 'if-none-match': etagOf('one') }
    expect((await readUrl(node.connections, url, known, 'HEAD')).status).toBe(304)
    expect((await readUrl(node.connections, `${url}A`, {}, 'HEAD')).status).toBe(401)
  })

  it('says that the client has the value (COND-3)', async () => {
    const { url } = await openUrl(node.connections, await openWithValue(), 'a')
    for (const condition of [etagOf('one'), `W/${etagOf('one')}`, `"x", ${etagOf('one')}`, '*']) {
      const reply = await read(url, { 'if-none-match': condition })
      expect(told(reply)).toEqual([304, ''])
      expect(reply.headers).toMatchObject({ etag: etagOf('one'), 'cache-control': /no-store/ })
    }
  })

  it('is found by its ticket alone: a query and a slash change nothing', async () => {
    const { url } = await openUrl(node.connections, await openWithValue(), 'a')
    for (const same of [`${url}?download=1`, `${url}/`, `/${url}`])
      expect(told(await read(same))).toEqual([200, 'one'])
  })

  it('is not there under any other ticket', async () => {
    const { ticketId } = await openUrl(node.connections, await openWithValue(), 'a')
    const others = [
      ticketId.replace(/^./, (letter) => (letter === 'A' ? 'B' : 'A')),
      ticketId.slice(1),
      `${ticketId}A`,
      `${ticketId}%00`,
      `${ticketId}=`,
      'A'.repeat(43),
      '..',
      '%2e%2e',
      'a'.repeat(100_000),
    ]
    for (const other of others)
      expect([other, ...told(await read(`/signed/kv/${other}`))]).toEqual([other, ...NOT_FOUND])
    expect((await read('/signed/kv')).status).toBe(404)
    expect((await read(`/signed/kv/${ticketId}/a`)).status).toBe(404)
  })

  it('lives on when the node dies (SIGNED-1)', async () => {
    const directory = await createDirectory('signed-urls-restart')
    const first = await startNodeProcess({ directory })
    const connections = openConnections(first.url, 1)
    const account = await openAccount(connections)
    assertOk(await kv(connections, account, 'put', 'a', { body: 'one' }), 'put')
    const { url } = await openUrl(connections, account, 'a')
    await connections.close()
    await first.kill()
    const second = await startNodeProcess({ directory })
    const again = openConnections(second.url, 1)
    expect(told(await readUrl(again, url))).toEqual([200, 'one'])
    await again.close()
    expect((await second.stop()).code).toBe(0)
    await removeDirectory(directory)
  })

  it('stands in no log, and its ticket in no database (SIGNED-7)', async () => {
    const { url, ticketId } = await openUrl(node.connections, await openWithValue(), 'a')
    await read(url)
    expect(node.process.output()).toContain('/signed/kv/:ticket')
    expect(node.process.output()).not.toContain(ticketId)
    const database = new Database(`${node.directory}/data/caps.db`, { readonly: true })
    const ids = database.prepare<[], Buffer>('SELECT ticket_id FROM signed_kv_ticket').pluck().all()
    database.close()
    expect(ids.length).toBeGreaterThan(0)
    expect(ids.map((id) => id.toString('base64url'))).not.toContain(ticketId)
  })
})

describe('the value of a signed URL (SIGNED-6)', () => {
  it('is the one of the moment when it was made', async () => {
    const account = await openWithValue()
    const { url } = await openUrl(node.connections, account, 'a')
    const put = (body: string): Promise<Reply> =>
      kv(node.connections, account, 'put', 'a', { body })
    assertOk(await put('two'), 'put')
    expect(told(await read(url))).toEqual([412, 'signed URL content hash does not match'])
    assertOk(await put('one'), 'put')
    expect(told(await read(url))).toEqual([200, 'one'])
    assertOk(await kv(node.connections, account, 'del', 'a'), 'del')
    expect(told(await read(url))).toEqual([404, 'Key not found'])
  })

  it('is the one that was asked for, if it is there', async () => {
    const account = await openWithValue()
    for (const members of [
      { contentHash: hashOf('one') },
      { content_hash: hashOf('one') },
      { etag: etagOf('one') },
      { contentHash: hashOf('one').toUpperCase(), etag: etagOf('one') },
    ]) {
      const { url } = await openUrl(node.connections, account, 'a', { members })
      expect(told(await read(url))).toEqual([200, 'one'])
    }
    const later = await openUrl(node.connections, account, 'b', {
      members: { contentHash: hashOf('later') },
    })
    expect(told(await read(later.url))).toEqual([404, 'Key not found'])
    assertOk(await kv(node.connections, account, 'put', 'b', { body: 'later' }), 'put')
    expect(told(await read(later.url))).toEqual([200, 'later'])
  })

  it('must be there when none is named', async () => {
    const account = await openWithValue()
    const never = await signUrl(node.connections, account, 'never')
    expect(told(never)).toEqual([404, 'Key not found'])
    assertOk(await kv(node.connections, account, 'del', 'a'), 'del')
    expect(told(await signUrl(node.connections, account, 'a'))).toEqual([404, 'Key not found'])
  })
})

describe('who may make a URL (SIGNED-2)', () => {
  it('may make another one with the same invocation', async () => {
    const account = await openWithValue()
    const { authorization } = issueSigning(account, 'a')
    const json = { space: account.space, path: 'a' }
    const replies = await Promise.all(
      Array.from({ length: 8 }, () =>
        postJson(node.connections, '/signed/kv', { authorization, json }),
      ),
    )
    expect(new Set(replies.map((reply) => readSignedUrl(reply).url)).size).toBe(8)
  })

  it('names the very ability on what covers the key', async () => {
    const account = await openWithValue()
    assertOk(await kv(node.connections, account, 'put', 'f/1', { body: 'x' }), 'put')
    assertOk(await kv(node.connections, account, 'put', 'foo', { body: 'x' }), 'put')
    const refused = [403, 'signed URL scope is not authorized']
    expect(told(await signUrl(node.connections, account, 'a', { signedPath: 'b' }))).toEqual(
      refused,
    )
    for (const abilities of [['tinycloud.kv/list'], ['tinycloud.kv/put', 'tinycloud.kv/metadata']])
      expect(told(await signUrl(node.connections, account, 'a', { abilities }))).toEqual(refused)
    expect((await signUrl(node.connections, account, 'f/1', { signedPath: 'f' })).status).toBe(200)
    expect(told(await signUrl(node.connections, account, 'foo', { signedPath: 'f' }))).toEqual(
      refused,
    )
  })

  it('names a space of its invocation', async () => {
    const [account, other] = [await openWithValue(), await openWithValue()]
    const reply = await postJson(node.connections, '/signed/kv', {
      authorization: issueSigning(account, 'a').authorization,
      json: { space: other.space, path: 'a' },
    })
    expect(told(reply)).toEqual([403, 'signed URL scope is not authorized'])
  })

  it('holds the right itself, in force', async () => {
    const account = await openWithValue()
    const resource = kvResource(account.space, 'a')
    const stranger = { ...account, key: newKey() }
    expect(told(await signUrl(node.connections, stranger, 'a'))).toEqual([
      401,
      'Unauthorized Invoker',
    ])
    const elsewhere = await openShare(account, { path: 'b' })
    expect(told(await signUrl(node.connections, elsewhere, 'a'))).toEqual([
      401,
      `Unauthorized Action: ${resource} / tinycloud.kv/get`,
    ])
    const share = await openShare(account, { path: 'a' })
    assertOk(await revokeByKey(node.connections, account, share.cid), 'revoke')
    expect(told(await signUrl(node.connections, share, 'a'))).toEqual([
      401,
      `delegation-revoked: ${share.cid}`,
    ])
  })

  it('learns nothing of keys before it is authorised', async () => {
    const account = await openWithValue()
    const stranger = { ...account, key: newKey() }
    const [present, absent] = [
      await signUrl(node.connections, stranger, 'a'),
      await signUrl(node.connections, stranger, 'never'),
    ]
    expect(told(present)).toEqual(told(absent))
  })
})

describe('the end of a URL', () => {
  it('comes after the time that was asked for, of 300 s at most (SIGNED-4)', async () => {
    const account = await openWithValue()
    for (const [asked, lifetimeS] of [
      [undefined, 300],
      [10, 10],
      [86_400, 300],
    ] as const) {
      const options = { lifetimeS: 300, members: { ttlSeconds: asked } }
      const { expiresAt } = await openUrl(node.connections, account, 'a', options)
      expect(expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      const leftS = Date.parse(expiresAt) / 1000 - nowS()
      expect(leftS).toBeGreaterThan(lifetimeS - 5)
      expect(leftS).toBeLessThanOrEqual(lifetimeS)
    }
  })

  it('comes no later than that of its invocation and its delegation (SIGNED-4)', async () => {
    const account = await openWithValue()
    const brief = await openUrl(node.connections, account, 'a', { lifetimeS: 30 })
    expect(Date.parse(brief.expiresAt) / 1000 - nowS()).toBeLessThanOrEqual(30)
    const parent = await openShare(account, { path: 'a', lifetimeS: 20 })
    const share = await openShare(parent, { path: 'a', lifetimeS: 10 })
    const { expiresAt } = await openUrl(node.connections, share, 'a')
    expect(Date.parse(expiresAt) / 1000 - nowS()).toBeLessThanOrEqual(10)
  })

  it('is told, once it has come (SIGNED-5)', async () => {
    const account = await openWithValue()
    const members = { ttlSeconds: 3 }
    const { url, expiresAt } = await openUrl(node.connections, account, 'a', { members })
    expect(told(await read(url))).toEqual([200, 'one'])
    await sleep(Date.parse(expiresAt) - Date.now() + 50)
    expect(told(await read(url))).toEqual([401, 'signed URL expired'])
  })

  it.each([0, -1, -300])(
    'cannot have come already: ttlSeconds %d (SIGNED-4)',
    async (ttlSeconds) => {
      const account = await openWithValue()
      const reply = await signUrl(node.connections, account, 'a', { members: { ttlSeconds } })
      expect(told(reply)).toEqual([401, 'signed URL expired immediately'])
    },
  )

  it('comes at once when the delegation is revoked, or one above it (SIGNED-5)', async () => {
    const account = await openWithValue()
    const parent = await openShare(account, { path: 'a' })
    const child = await openShare(parent, { path: 'a' })
    const [own, above, below] = [
      await openUrl(node.connections, account, 'a'),
      await openUrl(node.connections, parent, 'a'),
      await openUrl(node.connections, child, 'a'),
    ]
    const statuses = async (): Promise<unknown[]> => [
      told(await read(own.url)),
      told(await read(above.url)),
      told(await read(below.url)),
    ]
    const one = [200, 'one']
    expect(await statuses()).toEqual([one, one, one])
    assertOk(await revokeByKey(node.connections, parent, child.cid), 'revoke')
    expect(await statuses()).toEqual([one, one, REVOKED])
    assertOk(await revokeByKey(node.connections, account, parent.cid), 'revoke')
    expect(await statuses()).toEqual([one, REVOKED, REVOKED])
    assertOk(await revokeByWallet(node.connections, account.wallet, account.cid), 'revoke')
    expect(await statuses()).toEqual([REVOKED, REVOKED, REVOKED])
  })

  it('holds against a client that asks with a condition or a range (SIGNED-5)', async () => {
    const account = await openWithValue()
    const share = await openShare(account, { path: 'a' })
    const { url } = await openUrl(node.connections, share, 'a')
    assertOk(await revokeByKey(node.connections, account, share.cid), 'revoke')
    for (const headers of [
      { 'if-none-match': '*' },
      { range: 'bytes=0-0' },
      { range: 'bytes=99-' },
    ])
      expect(told(await read(url, headers))).toEqual(REVOKED)
    expect((await readUrl(node.connections, url, {}, 'HEAD')).status).toBe(401)
  })

  it('is never missed while revocations and reads race (SIGNED-5)', async () => {
    const account = await openWithValue()
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        const share = await openShare(account, { path: 'a' })
        const { url } = await openUrl(node.connections, share, 'a')
        const racing = [read(url), read(url), revokeByKey(node.connections, account, share.cid)]
        racing.push(read(url))
        await Promise.all(racing)
        expect(told(await read(url))).toEqual(REVOKED)
      }),
    )
  })
})

const post = (authorization: string | undefined, json: unknown): Promise<Reply> =>
  postJson(node.connections, '/signed/kv', {
    json,
    ...(authorization !== undefined && { authorization }),
  })

describe('a request for a URL that is none (SIGNED-3)', () => {
  it('is refused by what it says', async () => {
    const account = await openWithValue()
    const { authorization } = issueSigning(account, 'a')
    const { space } = account
    for (const [json, status, text] of [
      [{ space: 'nonsense', path: 'a' }, 400, 'Invalid space ID'],
      [{ space, path: 'a b' }, 400, 'Invalid path'],
      [{ space, path: 'a', maxUses: 1 }, 400, 'maxUses is not supported for signed KV URLs yet'],
      [{ space, path: 'a', contentHash: 'x' }, 400, 'contentHash must be a blake3 hex digest'],
    ] as const)
      expect(told(await post(authorization, json))).toEqual([status, text])
    for (const [json, status] of [
      [{ space }, 422],
      [{ space, path: 'a', ttlSeconds: '1' }, 422],
      ['{', 400],
      ['', 400],
    ] as const)
      expect((await post(authorization, json)).status).toBe(status)
  })

  it('is refused by its token: missing, undecodable, forged, late, a wallet’s', async () => {
    const account = await openWithValue()
    const json = { space: account.space, path: 'a' }
    const { authorization } = issueSigning(account, 'a')
    const late = issueSigning(account, 'a', { lifetimeS: -10 }).authorization
    const long = issueSigning(account, 'a', { lifetimeS: 400 }).authorization
    const forged = `${authorization.slice(0, -6)}AAAAAA`
    expect((await post(undefined, json)).status).toBe(401)
    expect((await post('x.y.z', json)).status).toBe(401)
    expect((await post(account.authorization, json)).status).toBe(401)
    expect(told(await post(forged, json))).toEqual([401, 'Failed to verify signature'])
    expect(told(await post(late, json))).toEqual([401, 'Invocation expired or not yet valid'])
    expect(told(await post(long, json))).toEqual([
      401,
      'Invocation lifetime exceeds server maximum',
    ])
  })

  it('is not there for another type or another method', async () => {
    const account = await openWithValue()
    const { authorization } = issueSigning(account, 'a')
    const body = JSON.stringify({ space: account.space, path: 'a' })
    const headers = { 'content-type': 'text/plain' }
    const typed = await node.connections.request('/signed/kv', { authorization, headers, body })
    expect(typed.status).toBe(404)
    const { url } = await openUrl(node.connections, account, 'a')
    for (const method of ['POST', 'PUT', 'DELETE'] as const)
      expect((await node.connections.request(url, { method })).status).toBe(404)
  })

  it('leaves the rights of its token as they were: a get is still answered once (INV-10)', async () => {
    const account = await openWithValue()
    const token = issueKv(account, 'get', 'a')
    const json = { space: account.space, path: 'a' }
    expect((await post(token.authorization, json)).status).toBe(200)
    const get = (): Promise<Reply> =>
      node.connections.request('/invoke', { authorization: token.authorization })
    expect(told(await get())).toEqual([200, 'one'])
    expect((await get()).status).toBe(409)
    expect((await post(token.authorization, json)).status).toBe(200)
  })
})
