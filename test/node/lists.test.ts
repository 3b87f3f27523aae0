/** Lists on a running node: what a holder may see, pages, and whole lists under way while others write. */
import { describe, expect, it } from 'vitest'
import {
  type Account,
  assertOk,
  type GrantOptions,
  type Holder,
  invoke,
  issueInvocation,
  issueShare,
  kv,
  kvResource,
  openAccount,
  postDelegation,
  type Reply,
} from '../_util/client.ts'
import { textsOf } from '../_util/narrow.ts'
import { useRunningNode } from '../_util/running-node.ts'

const node = useRunningNode('lists')

const open = (): Promise<Account> => openAccount(node.connections)

async function fill(account: Holder, keys: readonly string[]): Promise<void> {
  for (let index = 0; index < keys.length; index += 64)
    await Promise.all(
      keys.slice(index, index + 64).map(async (key) => {
        assertOk(await kv(node.connections, account, 'put', key, { body: key }), 'put')
      }),
    )
}

async function openShare(from: Holder, options: GrantOptions): Promise<Holder> {
  const share = issueShare(from, options)
  assertOk(await postDelegation(node.connections, share), 'share')
  return share
}

const list = (
  holder: Holder,
  prefix: string,
  headers: Record<string, string> = {},
): Promise<Reply> => kv(node.connections, holder, 'list', prefix, { headers })

async function listed(holder: Holder, prefix: string): Promise<unknown> {
  return JSON.parse(assertOk(await list(holder, prefix), 'list').text())
}

interface Walk {
  readonly keys: string[]
  readonly pages: number
}

/** Follows the cursor to the end. */
async function walk(holder: Holder, prefix: string, limit: number): Promise<Walk> {
  const keys: string[] = []
  const seen = new Set<string>()
  let cursor: string | undefined
  for (let pages = 1; ; pages++) {
    const reply = await list(holder, prefix, {
      'x-tinycloud-limit': String(limit),
      ...(cursor !== undefined && { 'x-tinycloud-cursor': cursor }),
    })
    const page = textsOf(JSON.parse(assertOk(reply, 'page').text()))
    keys.push(...page)
    const next = reply.headers['x-tinycloud-next-cursor']
    expect(reply.headers['x-tinycloud-truncated']).toBe(String(next !== undefined))
    if (typeof next !== 'string') return { keys, pages }
    expect(page).toHaveLength(limit)
    if (seen.has(next)) throw new Error('the cursor stands still')
    seen.add(next)
    cursor = next
  }
}

const byBytes = (keys: readonly string[]): string[] =>
  keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

const numbered = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, index) => prefix + String(index).padStart(5, '0'))

describe('what is listed', () => {
  const KEYS = ['Foo', 'fo', 'foo', 'foo-bar', 'foo/', 'foo/a', 'foo/b/c', 'foobar', 'foo%2Fx', 'g']

  it('are full keys in byte order that begin with the prefix, case and all (LIST-1)', async () => {
    const account = await open()
    await fill(account, KEYS)
    for (const prefix of ['', 'foo', 'foo/', 'f', 'foo/b', 'x', 'FOO', 'foo%2F', 'f_o', 'f*'])
      expect(await listed(account, prefix)).toEqual(
        byBytes(KEYS.filter((key) => key.startsWith(prefix))),
      )
  })

  it('leaves out what the grant does not cover (LIST-1)', async () => {
    const account = await open()
    await fill(account, KEYS)
    const folder = await openShare(account, { path: 'foo' })
    expect(await listed(folder, 'foo')).toEqual(['foo', 'foo/', 'foo/a', 'foo/b/c'])
    expect(await listed(folder, 'foo/')).toEqual(['foo/', 'foo/a', 'foo/b/c'])
    expect(await listed(folder, 'foo/b')).toEqual(['foo/b/c'])
    expect((await list(folder, 'fo')).status).toBe(401)
    expect((await list(folder, 'foob')).status).toBe(401)
    expect((await list(folder, '')).status).toBe(401)
    const slash = await openShare(account, { path: 'foo/' })
    expect(await listed(slash, 'foo/')).toEqual(['foo/', 'foo/a', 'foo/b/c'])
    expect((await list(slash, 'foo')).status).toBe(401)
  })

  it('takes the widest of several grants (LIST-1)', async () => {
    const account = await open()
    await fill(account, KEYS)
    const whole = await openShare(account, {})
    const folder = issueShare({ ...account }, { path: 'foo' })
    assertOk(await postDelegation(node.connections, folder), 'folder')
    expect(await listed(whole, 'foo')).toContain('foobar')
    expect(await listed(folder, 'foo')).not.toContain('foobar')
  })

  it('shows no deleted key, and each rewritten one once (LIST-1)', async () => {
    const account = await open()
    await fill(account, ['a', 'b', 'c'])
    await fill(account, ['a', 'b'])
    assertOk(await kv(node.connections, account, 'del', 'b'), 'del')
    expect(await listed(account, '')).toEqual(['a', 'c'])
  })

  it('pages a granted folder as it lists it (LIST-1, LIST-2)', async () => {
    const account = await open()
    await fill(account, KEYS)
    const folder = await openShare(account, { path: 'foo' })
    for (const limit of [1, 2, 3, 4, 5])
      expect((await walk(folder, 'foo', limit)).keys).toEqual(['foo', 'foo/', 'foo/a', 'foo/b/c'])
  })
})

describe('pages', () => {
  it('reach the end, each key once, whatever the limit (LIST-2, LIST-3)', async () => {
    const account = await open()
    const keys = numbered(25, 'k/')
    await fill(account, [...keys, 'j', 'l'])
    for (const limit of [1, 7, 24, 25, 26, 1000]) {
      const { keys: walked, pages } = await walk(account, 'k/', limit)
      expect(walked).toEqual(keys)
      expect(pages).toBe(Math.ceil(keys.length / limit))
    }
  })

  it('go on from where they were, whatever was written meanwhile (LIST-2)', async () => {
    const account = await open()
    await fill(account, ['a', 'c', 'e', 'g'])
    const limit = { 'x-tinycloud-limit': '2' }
    const first = await list(account, '', limit)
    expect(first.text()).toBe('["a","c"]')
    await fill(account, ['b', 'd'])
    assertOk(await kv(node.connections, account, 'del', 'c'), 'del')
    const cursor = String(first.headers['x-tinycloud-next-cursor'])
    const second = await list(account, '', { ...limit, 'x-tinycloud-cursor': cursor })
    expect(second.text()).toBe('["d","e"]')
  })

  it('refuse a cursor for somebody or something else (LIST-3)', async () => {
    const account = await open()
    const other = await open()
    const share = await openShare(account, {})
    await fill(account, ['a1', 'a2', 'a3', 'b1'])
    const limit = { 'x-tinycloud-limit': '2' }
    const cursor = String((await list(account, 'a', limit)).headers['x-tinycloud-next-cursor'])
    const misuses: [Holder, string, Record<string, string>][] = [
      [other, 'a', limit],
      [share, 'a', limit],
      [account, '', limit],
      [account, 'b', limit],
      [account, 'a', { 'x-tinycloud-limit': '3' }],
      [account, 'a', {}],
    ]
    for (const [holder, prefix, headers] of misuses) {
      const reply = await list(holder, prefix, { ...headers, 'x-tinycloud-cursor': cursor })
      expect([reply.status, reply.text()]).toEqual([400, 'Invalid KV list cursor'])
    }
    for (const spoiled of ['', 'x', `${cursor}A`, cursor.slice(0, -2), cursor.slice(4)]) {
      const reply = await list(account, 'a', { ...limit, 'x-tinycloud-cursor': spoiled })
      expect([reply.status, reply.text()]).toEqual([400, 'Invalid KV list cursor'])
    }
    const good = await list(account, 'a', { ...limit, 'x-tinycloud-cursor': cursor })
    expect(good.text()).toBe('["a3"]')
  })
})

describe('a whole list', () => {
  it('of thousands of keys is complete JSON, in order (LIST-4)', async () => {
    const account = await open()
    const keys = numbered(2345, 'n/')
    await fill(account, keys)
    const reply = await list(account, '')
    expect(reply.headers['content-type']).toBe('application/json')
    expect(reply.headers['x-tinycloud-truncated']).toBe('false')
    expect(JSON.parse(reply.text())).toEqual(keys)
    expect(await listed(account, 'n/01')).toEqual(numbered(2000, 'n/').slice(1000))
    const folder = await openShare(account, { path: 'n' })
    expect(await listed(folder, 'n')).toEqual(keys)
    const paged = await walk(account, 'n/', 1000)
    expect(paged).toEqual({ keys, pages: 3 })
  })

  it('holds what is there throughout exactly once, while others write (LIST-4)', async () => {
    const account = await open()
    const kept = numbered(1500, 'k')
    await fill(account, kept)
    const stop = new AbortController()
    const write = async (worker: number): Promise<number> => {
      let writes = 0
      for (; !stop.signal.aborted && writes < 2000; writes++) {
        const key = `k${String((writes * 37 + worker * 7919) % 1500).padStart(5, '0')}+${worker}`
        assertOk(await kv(node.connections, account, 'put', key, { body: 'x' }), 'put')
        if (writes % 2 === 0) assertOk(await kv(node.connections, account, 'del', key), 'del')
      }
      return writes
    }
    const writers = [0, 1, 2, 3].map(write)
    const wanted = new Set(kept)
    for (let round = 0; round < 6; round++) {
      const keys = textsOf(await listed(account, ''))
      expect(keys).toEqual(byBytes([...new Set(keys)]))
      expect(keys.filter((key) => wanted.has(key))).toEqual(kept)
    }
    stop.abort()
    for (const writes of await Promise.all(writers)) expect(writes).toBeGreaterThan(0)
  })

  it('is one outcome among none (INV-11)', async () => {
    const account = await open()
    const token = issueInvocation(account, {
      [kvResource(account.space, '')]: ['tinycloud.kv/list'],
      [kvResource(account.space, 'a')]: ['tinycloud.kv/list'],
    })
    expect((await invoke(node.connections, token)).status).toBe(501)
  })
})
