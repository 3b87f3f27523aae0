/** Public spaces on a running node: reading without a token (PUBLIC-1 to PUBLIC-6). */
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/protocol/bytes.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import {
  type Account,
  assertOk,
  type Holder,
  issueShare,
  kv,
  newWallet,
  openAccount,
  postDelegation,
  type Reply,
  type RequestOptions,
  revokeByWallet,
} from '../_util/client.ts'
import { type RunningNode, useRunningNode } from '../_util/running-node.ts'

const UNLIMITED = {
  TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_PER_MINUTE: '1000000',
  TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_BURST: '1000000',
}

const told = (reply: Reply): [status: number, text: string] => [reply.status, reply.text()]
const etagOf = (value: string): string => `"blake3-${toHex(blake3(utf8(value)))}"`

const segmentsOf = (key: string): string => key.split('/').map(encodeURIComponent).join('/')
const spacePath = (space: string): string => `/public/${encodeURIComponent(space)}/kv`
const keyPath = (space: string, key: string): string => `${spacePath(space)}/${segmentsOf(key)}`

const NOT_FOUND = [404, 'Key not found']
const NOT_PUBLIC = [403, 'Not a public space']

describe('a public space', () => {
  const node = useRunningNode('public-spaces', { environment: UNLIMITED })

  const get = (path: string, options: RequestOptions = {}): Promise<Reply> =>
    node.connections.request(path, { method: 'GET', ...options })

  /** An account whose public space holds these keys, each with its own name as value. */
  async function publish(
    keys: readonly string[] = ['profile'],
    headers: Record<string, string> = {},
  ): Promise<Account> {
    const account = await openAccount(node.connections, 'public')
    for (const key of keys)
      assertOk(await kv(node.connections, account, 'put', key, { body: key, headers }), 'put')
    return account
  }

  it('gives values to anyone, to be kept for a minute (PUBLIC-1, PUBLIC-2)', async () => {
    const { space } = await publish(['profile'], { 'content-type': 'application/x-test' })
    const reply = await get(keyPath(space, 'profile'))
    expect(told(reply)).toEqual([200, 'profile'])
    expect(reply.headers).toMatchObject({
      etag: etagOf('profile'),
      'content-type': 'application/x-test',
      'content-length': '7',
      'cache-control': 'public, max-age=60',
      'accept-ranges': 'bytes',
    })
  })

  it('shows type, encoding and language of the stored headers, and nothing else (PUBLIC-2)', async () => {
    const shown = {
      'content-type': 'text/x-test',
      'content-encoding': 'x-test',
      'content-language': 'de',
    }
    const hidden = { 'content-disposition': 'attachment', 'x-tinycloud-meta-owner': 'alice' }
    const { space } = await publish(['profile'], { ...shown, ...hidden })
    const { headers } = await get(keyPath(space, 'profile'))
    expect(headers).toMatchObject(shown)
    for (const name of Object.keys(hidden)) expect(headers).not.toHaveProperty(name)
  })

  it('takes a token that somebody sends along for nothing (PUBLIC-1)', async () => {
    const { space } = await publish()
    for (const authorization of ['nonsense', 'Bearer x', 'a.b.c'])
      expect(told(await get(keyPath(space, 'profile'), { authorization }))).toEqual([
        200,
        'profile',
      ])
  })

  it('says that the client has the value (COND-3)', async () => {
    const { space } = await publish()
    const condition = async (etag: string): Promise<Reply> =>
      get(keyPath(space, 'profile'), { headers: { 'if-none-match': etag } })
    const known = await condition(etagOf('profile'))
    expect(told(known)).toEqual([304, ''])
    expect(known.headers).toMatchObject({
      etag: etagOf('profile'),
      'cache-control': 'public, max-age=60',
      'access-control-allow-origin': '*',
    })
    expect((await condition(`W/${etagOf('profile')}`)).status).toBe(304)
    expect((await condition('*')).status).toBe(304)
    expect(told(await condition(etagOf('other')))).toEqual([200, 'profile'])
  })

  it('answers HEAD with the true length, without a body (HTTP-7)', async () => {
    const account = await publish()
    const large = Buffer.alloc(3_000_000, 'x')
    assertOk(await kv(node.connections, account, 'put', 'large', { body: large }), 'put')
    assertOk(await kv(node.connections, account, 'put', 'empty', { body: '' }), 'put')
    for (const [key, length] of [
      ['profile', '7'],
      ['large', '3000000'],
      ['empty', '0'],
    ] as const) {
      const head = await get(keyPath(account.space, key), { method: 'HEAD' })
      expect(told(head)).toEqual([200, ''])
      expect(head.headers).toMatchObject({
        'content-length': length,
        'cache-control': 'public, max-age=60',
      })
    }
    for (const [path, status] of [
      [keyPath(account.space, 'never'), 404],
      [keyPath('nonsense', 'a'), 400],
      [spacePath(account.space), 200],
    ] as const)
      expect(told(await get(path, { method: 'HEAD' }))).toEqual([status, ''])
  })

  it('has the same list for HEAD and GET, but for the body (HTTP-7)', async () => {
    const { space } = await publish(['a', 'b'])
    const [head, list] = [
      await get(spacePath(space), { method: 'HEAD' }),
      await get(spacePath(space)),
    ]
    expect(list.text()).toBe('["a","b"]')
    expect(head.headers['content-length']).toBe(String(list.bytes.length))
    expect(head.headers['content-type']).toBe(list.headers['content-type'])
  })

  it('gives a large value whole', async () => {
    const account = await publish([])
    const value = Buffer.alloc(9_000_001, 'value ')
    assertOk(await kv(node.connections, account, 'put', 'large', { body: value }), 'put')
    const reply = await get(keyPath(account.space, 'large'))
    expect(reply.bytes.equals(value)).toBe(true)
  })

  it('reads keys segment by segment, each decoded once (PUBLIC-2)', async () => {
    const accented = encodeURIComponent('ünïcode')
    const keys = ['a/b/c', '.well-known/x', 'a%20b', '%2F', 'a+b', '__proto__', accented]
    const { space } = await publish(keys)
    for (const key of keys) expect(told(await get(keyPath(space, key)))).toEqual([200, key])
    expect(told(await get(`${spacePath(space)}/a%2Fb%2Fc`))).toEqual([200, 'a/b/c'])
    expect(told(await get(`${spacePath(space)}//a//b/c/`))).toEqual([200, 'a/b/c'])
    expect(told(await get(`${spacePath(space)}/a/b/c?x=1`))).toEqual([200, 'a/b/c'])
    for (const other of ['a%20b', 'a/./b/c', 'a/x/../b/c', '%C3%BCn%C3%AFcode', '%C5%81', '%00'])
      expect(told(await get(`${spacePath(space)}/${other}`))).toEqual(NOT_FOUND)
  })

  it('has no key that was never written, was deleted, or lies in a space nobody hosts (PUBLIC-2)', async () => {
    const account = await publish()
    expect(told(await get(keyPath(account.space, 'never')))).toEqual(NOT_FOUND)
    expect(told(await get(keyPath(account.space, 'k'.repeat(10_000))))).toEqual(NOT_FOUND)
    assertOk(await kv(node.connections, account, 'del', 'profile'), 'del')
    expect(told(await get(keyPath(account.space, 'profile')))).toEqual(NOT_FOUND)
    const absent = newWallet().spaceId('public')
    expect(told(await get(keyPath(absent, 'profile')))).toEqual(NOT_FOUND)
    expect(told(await get(spacePath(absent)))).toEqual([200, '[]'])
  })

  it('is the one whose name is public, and no other (PUBLIC-1)', async () => {
    const account = await openAccount(node.connections, 'private')
    assertOk(await kv(node.connections, account, 'put', 'profile', { body: 'hidden' }), 'put')
    expect(told(await get(keyPath(account.space, 'profile')))).toEqual(NOT_PUBLIC)
    expect(told(await get(spacePath(account.space)))).toEqual(NOT_PUBLIC)
    for (const name of ['Public', 'PUBLIC', 'public2', 'notpublic', 'publi', 'public.', '%70ublic'])
      expect((await get(keyPath(newWallet().spaceId(name), 'profile'))).status).toBe(
        name === '%70ublic' ? 400 : 403,
      )
  })

  it('has an id in any spelling of its address (PUBLIC-1)', async () => {
    const { space } = await publish()
    const lower = space.replace(/0x[0-9a-fA-F]+/, (address) => address.toLowerCase())
    for (const path of [
      keyPath(lower, 'profile'),
      `/public/${space}/kv/profile`,
      `//public//${encodeURIComponent(space)}//kv//profile`,
    ])
      expect(told(await get(path))).toEqual([200, 'profile'])
  })

  it.each([
    'nonsense',
    'tinycloud:a',
    'tinycloud%3A%3Apublic',
    'a%2Fb',
    '%20',
    'x'.repeat(100_000),
  ])('is not %s (PUBLIC-1)', async (space) => {
    const invalid = [400, 'Invalid space ID']
    expect(told(await get(`/public/${space}/kv/profile`))).toEqual(invalid)
    expect(told(await get(`/public/${space}/kv`))).toEqual(invalid)
  })

  it('is left alone by paths that cannot be decoded', async () => {
    const { space } = await publish()
    for (const key of ['%', '%zz', '%FF', '%C3'])
      expect((await get(`${spacePath(space)}/${key}`)).status).toBe(400)
  })

  it('lists its keys by prefix, in byte order (PUBLIC-3)', async () => {
    const keys = ['b', 'a/2', 'a/1', 'ab', '.x', 'a+b', 'a%20b']
    const account = await publish([...keys, 'gone'])
    assertOk(await kv(node.connections, account, 'del', 'gone'), 'del')
    const list = async (query: string): Promise<unknown> =>
      JSON.parse(assertOk(await get(`${spacePath(account.space)}${query}`), 'list').text())
    const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(await list('')).toEqual(sorted)
    expect(await list('/')).toEqual(sorted)
    expect(await list('?prefix=')).toEqual(sorted)
    expect(await list('?prefix=a')).toEqual(sorted.filter((key) => key.startsWith('a')))
    expect(await list('?prefix=a%2F')).toEqual(['a/1', 'a/2'])
    expect(await list('?prefix=a/')).toEqual(['a/1', 'a/2'])
    expect(await list('?prefix=a+b')).toEqual(['a+b'])
    expect(await list('?prefix=a%2520')).toEqual(['a%20b'])
    for (const none of ['none', 'A', '%C3%A9', '%C5%81', '%00', 'a%20b', 'k'.repeat(5000)])
      expect(await list(`?prefix=${none}`)).toEqual([])
    const list200 = await get(spacePath(account.space))
    expect(list200.headers).toMatchObject({
      'content-type': 'application/json',
      'access-control-allow-origin': '*',
    })
    expect(told(await get(`${spacePath(account.space)}?prefix=%FF`))).toEqual([
      400,
      'Invalid prefix',
    ])
  })

  it('lists more keys than one window holds, each once (PUBLIC-3)', async () => {
    const account = await publish([])
    const keys = Array.from({ length: 2100 }, (_, index) => `k${String(index).padStart(4, '0')}`)
    for (let start = 0; start < keys.length; start += 64)
      await Promise.all(
        keys
          .slice(start, start + 64)
          .map((key) => kv(node.connections, account, 'put', key, { body: '' })),
      )
    const list = assertOk(await get(`${spacePath(account.space)}?prefix=k`), 'list')
    expect(JSON.parse(list.text())).toEqual(keys)
    const head = await get(spacePath(account.space), { method: 'HEAD' })
    expect(told(head)).toEqual([200, ''])
    expect(head.headers['content-length']).toBeUndefined()
  })

  it('is written by those who may, and by nobody else (PUBLIC-1)', async () => {
    const account = await publish()
    const stranger: Holder = { ...(await openAccount(node.connections)), space: account.space }
    for (const action of ['put', 'del', 'get', 'list'] as const)
      expect((await kv(node.connections, stranger, action, 'profile')).status).toBe(401)
    for (const method of ['PUT', 'POST', 'DELETE'] as const)
      expect((await get(keyPath(account.space, 'profile'), { method })).status).toBe(404)
    expect(told(await get(keyPath(account.space, 'profile')))).toEqual([200, 'profile'])
  })

  it('is public whatever is revoked: the right to read it is everybody’s (PUBLIC-1)', async () => {
    const account = await publish()
    const share = issueShare(account)
    assertOk(await postDelegation(node.connections, share), 'share')
    assertOk(await revokeByWallet(node.connections, account.wallet, account.cid), 'revoke')
    expect(told(await get(keyPath(account.space, 'profile')))).toEqual([200, 'profile'])
  })

  it('is open to every page, without credentials, refusals too (PUBLIC-6)', async () => {
    const { space } = await publish()
    const headers = { origin: 'https://app.example' }
    for (const path of [
      keyPath(space, 'profile'),
      keyPath(space, 'never'),
      keyPath('nonsense', 'a'),
      spacePath(space),
    ]) {
      const reply = await get(path, { headers })
      expect(reply.headers['access-control-allow-origin']).toBe('*')
      expect(reply.headers['access-control-expose-headers']).toMatch(/etag.*content-length/)
      expect(reply.headers).not.toHaveProperty('access-control-allow-credentials')
      expect(reply.headers).not.toHaveProperty('vary')
    }
  })

  it('answers preflights: reading is allowed (PUBLIC-6)', async () => {
    const { space } = await publish()
    for (const path of [keyPath(space, 'profile'), keyPath(space, 'a/b'), spacePath(space)]) {
      const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
      const reply = await get(path, { method: 'OPTIONS', headers })
      expect(told(reply)).toEqual([204, ''])
      expect(reply.headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, HEAD, OPTIONS',
        'access-control-allow-headers': expect.stringContaining('if-none-match'),
      })
    }
  })

  it('drops a body that comes along, and keeps the connection', async () => {
    const { space } = await publish()
    for (let round = 0; round < 3; round++)
      expect(told(await get(keyPath(space, 'profile'), { body: 'x'.repeat(1000) }))).toEqual([
        200,
        'profile',
      ])
  })
})

/** Statuses of as many reads of a space that is not there, one after the other. */
async function readMany(
  node: RunningNode,
  count: number,
  headers: Record<string, string> = {},
): Promise<number[]> {
  const path = keyPath(newWallet().spaceId('public'), 'profile')
  const statuses: number[] = []
  for (let index = 0; index < count; index++)
    statuses.push((await node.connections.request(path, { method: 'GET', headers })).status)
  return statuses
}

const countOf = (statuses: readonly number[], status: number): number =>
  statuses.filter((one) => one === status).length

describe('the rate of a client (PUBLIC-4)', () => {
  const node = useRunningNode('public-rate', {
    environment: {
      TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_PER_MINUTE: '6',
      TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_BURST: '5',
      TINYCLOUD_CORS: 'false',
    },
  })

  it('is limited for all that is public, and says when to go on', async () => {
    expect(await readMany(node, 5)).toEqual([404, 404, 404, 404, 404])
    const space = newWallet().spaceId('public')
    for (const path of [spacePath(space), keyPath(space, 'a'), keyPath('nonsense', 'a')]) {
      const reply = await node.connections.request(path, { method: 'GET' })
      expect(told(reply)).toEqual([429, 'Rate limit exceeded'])
      const waitS = Number(reply.headers['retry-after'])
      expect(waitS).toBeGreaterThanOrEqual(1)
      expect(waitS).toBeLessThanOrEqual(10)
      expect(reply.headers['access-control-allow-origin']).toBe('*')
    }
    const preflight = await node.connections.request(spacePath(space), { method: 'OPTIONS' })
    expect(preflight.status).toBe(204)
  })

  it('is that of its address, whatever its headers say (PUBLIC-5)', async () => {
    for (const headers of [{ 'x-forwarded-for': '198.51.100.1' }, { 'x-real-ip': '198.51.100.2' }])
      expect(countOf(await readMany(node, 3, headers), 429)).toBe(3)
  })

  it('limits nothing else', async () => {
    const account = await openAccount(node.connections, 'public')
    assertOk(await kv(node.connections, account, 'put', 'a', { body: 'x' }), 'put')
    expect(told(await kv(node.connections, account, 'get', 'a'))).toEqual([200, 'x'])
    const ticket = await node.connections.request('/signed/kv/x', { method: 'GET' })
    expect(ticket.status).toBe(401)
  })
})

describe('behind a trusted proxy (PUBLIC-5)', () => {
  const node = useRunningNode('public-proxy', {
    environment: {
      TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_PER_MINUTE: '6',
      TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_BURST: '3',
      TINYCLOUD_HTTP_TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1',
    },
  })

  it('each client that it names has a rate of its own', async () => {
    for (const client of ['198.51.100.1', '198.51.100.2']) {
      const statuses = await readMany(node, 5, { 'x-forwarded-for': `${client}, 10.1.2.3` })
      expect(countOf(statuses, 404)).toBe(3)
    }
    const forged = { 'x-forwarded-for': '203.0.113.9, 198.51.100.1' }
    expect(countOf(await readMany(node, 2, forged), 429)).toBe(2)
    expect(countOf(await readMany(node, 5, { 'x-real-ip': '198.51.100.3' }), 404)).toBe(3)
  })

  it('clients of one IPv6 network share a rate', async () => {
    for (const [host, count] of [
      ['1', 3],
      ['2', 0],
    ] as const) {
      const headers = { 'x-forwarded-for': `2001:db8:1:2::${host}` }
      expect(countOf(await readMany(node, 5, headers), 404)).toBe(count)
    }
  })
})
