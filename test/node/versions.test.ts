/** Versions of a key on a running node, read and listed as a client would: HIST-1, HIST-2, HIST-3, HIST-4. */
import Database from 'better-sqlite3'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../src/protocol/bytes.ts'
import { formatRawCid } from '../../src/protocol/cid.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import {
  type Account,
  assertOk,
  type Connections,
  invoke,
  issueInvocation,
  issueShare,
  kv,
  type KvAction,
  kvResource,
  openAccount,
  openConnections,
  postDelegation,
  type Reply,
  revokeByKey,
} from '../_util/client.ts'
import { runInProcess } from '../_util/command-run.ts'
import { membersOf, present } from '../_util/narrow.ts'
import { createDirectory, removeDirectory, startNodeProcess } from '../_util/node-process.ts'
import { createRandom } from '../_util/random.ts'
import { useRunningNode } from '../_util/running-node.ts'
import { blocksOf, databaseOf } from '../_util/stored-node.ts'

const node = useRunningNode('versions', {
  environment: { TINYCLOUD_STORAGE_HISTORY: '3 versions' },
})

const VERSION = 'x-tinycloud-version'
const NOT_KEPT = 'No such KV version is kept (storage.history: 3 versions)'
const LARGE_BYTES = 1_500_000
const large = (seed: number): Buffer => Buffer.from(createRandom(seed).bytes(LARGE_BYTES))

let account: Account
beforeAll(async () => {
  account = await openAccount(node.connections)
})

const call = (
  action: KvAction,
  key: string,
  headers: Record<string, string> = {},
  body?: string | Uint8Array,
): Promise<Reply> =>
  kv(node.connections, account, action, key, { headers, ...(body !== undefined && { body }) })

const versionOf = (reply: Reply): string => {
  const version = assertOk(reply, 'a change').headers[VERSION]
  if (typeof version !== 'string') throw new Error('no version is named')
  return version
}
const put = async (key: string, body: string | Uint8Array, headers = {}): Promise<string> =>
  versionOf(await call('put', key, headers, body))
const remove = async (key: string): Promise<string> => versionOf(await call('del', key))
const get = (key: string, version: string, headers = {}): Promise<Reply> =>
  call('get', key, { [VERSION]: version, ...headers })

const etagOf = (value: string | Uint8Array): string =>
  `"blake3-${toHex(blake3(Buffer.from(value)))}"`

interface Item {
  readonly version: string
  readonly deleted: boolean
  readonly etag: string | null
  readonly cid: string | null
  readonly size: number | null
  readonly writtenAt: string | null
}

const valueItem = (version: string, text: string): Partial<Item> => ({
  version,
  deleted: false,
  etag: etagOf(text),
  cid: formatRawCid(blake3(Buffer.from(text))),
  size: text.length,
})

const itemsOf = (reply: Reply): Item[] => JSON.parse(reply.text()).versions
const list = (key: string, headers = {}): Promise<Reply> =>
  call('get', key, { 'x-tinycloud-versions': 'list', ...headers })

describe('a version', () => {
  it('is named by each change, and read in place of the one that counts', async () => {
    const versions = [await put('a', 'one'), await put('a', 'two'), await put('a', 'three')]
    expect(new Set(versions).size).toBe(3)
    const now = await call('get', 'a')
    expect([now.text(), now.headers[VERSION]]).toEqual(['three', versions[2]])
    for (const [index, text] of ['one', 'two', 'three'].entries()) {
      const version = present(versions[index])
      const reply = await get('a', version)
      expect([reply.status, reply.text()]).toEqual([200, text])
      expect(reply.headers).toMatchObject({
        etag: etagOf(text),
        [VERSION]: version,
        'cache-control': 'private, no-cache',
      })
    }
  })

  it('comes with the headers that were stored with it', async () => {
    const first = await put('typed', '{}', {
      'content-type': 'application/json',
      'x-tinycloud-meta-mood': 'blue',
    })
    await put('typed', 'text', { 'content-type': 'text/plain' })
    for (const action of ['get', 'metadata'] as const) {
      const { headers, status } = await call(action, 'typed', { [VERSION]: first })
      expect(status).toBe(200)
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'x-tinycloud-meta-mood': 'blue',
        etag: etagOf('{}'),
        [VERSION]: first,
      })
    }
  })

  it('of a large value is given whole, in parts and under conditions, as the current one is', async () => {
    const first = await put('large', large(1))
    await put('large', large(2))
    const whole = await get('large', first)
    expect(whole.bytes.equals(large(1))).toBe(true)
    const part = await get('large', first, { range: 'bytes=1048570-1048590' })
    expect([part.status, part.headers['content-range']]).toEqual([
      206,
      `bytes 1048570-1048590/${LARGE_BYTES}`,
    ])
    expect(part.bytes.equals(large(1).subarray(1_048_570, 1_048_591))).toBe(true)
    const same = await get('large', first, { 'if-none-match': etagOf(large(1)) })
    expect([same.status, same.headers[VERSION]]).toEqual([304, first])
    expect((await get('large', first, { 'if-none-match': etagOf(large(2)) })).status).toBe(200)
    expect((await get('large', first, { 'x-tinycloud-max-response-bytes': '10' })).status).toBe(413)
    expect((await get('large', first, { range: `bytes=${LARGE_BYTES}-` })).status).toBe(416)
  })

  it('of a deleted key is read, and the deletion is none', async () => {
    const first = await put('gone', 'still here')
    const deletion = await remove('gone')
    expect((await call('get', 'gone')).status).toBe(404)
    expect((await get('gone', first)).text()).toBe('still here')
    const reply = await get('gone', deletion)
    expect([reply.status, reply.text().includes('KV version')]).toEqual([404, false])
  })

  it('goes when the setting says so: then it is 404, and says why', async () => {
    const versions = []
    for (let count = 0; count < 6; count++) versions.push(await put('six', `value ${count}`))
    const replies = await Promise.all(versions.map((version) => get('six', version)))
    expect(replies.map(({ status }) => status)).toEqual([404, 404, 200, 200, 200, 200])
    expect(replies[0]?.text()).toBe(NOT_KEPT)
  })

  it('of another key, another space or nowhere is not found', async () => {
    const other = await openAccount(node.connections)
    const versions = [await put('mine', 'secret 1'), await put('mine', 'secret 2')]
    await put('yours', 'x')
    for (const version of [...versions, '0.0', '999999999999999.999999999']) {
      expect((await get('yours', version)).text()).toBe(NOT_KEPT)
      expect((await get('never', version)).text()).toBe(NOT_KEPT)
      const elsewhere = await kv(node.connections, other, 'get', 'mine', {
        headers: { [VERSION]: version },
      })
      expect([elsewhere.status, elsewhere.text()]).toEqual([404, NOT_KEPT])
    }
  })

  it('takes one key, and one way of asking', async () => {
    const first = await put('b', 'x')
    const several = issueInvocation(account, {
      [kvResource(account.space, 'a')]: ['tinycloud.kv/get'],
      [kvResource(account.space, 'b')]: ['tinycloud.kv/get'],
    })
    const batch = await invoke(node.connections, several, { headers: { [VERSION]: first } })
    expect([batch.status, batch.text()]).toEqual([
      400,
      'x-tinycloud-version requires exactly one KV get or metadata',
    ])
    for (const action of ['put', 'del', 'list'] as const)
      expect(
        (await call(action, 'b', { [VERSION]: first }, action === 'put' ? 'y' : undefined)).status,
      ).toBe(400)
    expect((await call('get', 'b')).text()).toBe('x')
    const all = issueInvocation(account, {
      [kvResource(account.space, 'a')]: ['tinycloud.kv/get'],
      [kvResource(account.space, 'b')]: ['tinycloud.kv/get'],
    })
    const { results } = JSON.parse((await invoke(node.connections, all)).text())
    expect(results[1].headers[VERSION]).toBe(first)
  })

  it('is for those who may read the key now, and for nobody else', async () => {
    const first = await put('shared/doc', 'first')
    await put('shared/doc', 'second')
    const read = async (holder: Parameters<typeof kv>[1], headers = {}): Promise<Reply> =>
      kv(node.connections, holder, 'get', 'shared/doc', {
        headers: { [VERSION]: first, ...headers },
      })
    const reader = issueShare(account, { path: 'shared', abilities: ['tinycloud.kv/get'] })
    const writer = issueShare(account, { path: 'shared', abilities: ['tinycloud.kv/put'] })
    const astray = issueShare(account, { path: 'sharedness' })
    for (const holder of [reader, writer, astray])
      assertOk(await postDelegation(node.connections, holder), 'share')
    expect((await read(reader)).text()).toBe('first')
    expect((await read(writer)).status).toBe(401)
    expect((await read(astray)).status).toBe(401)
    const listed = await kv(node.connections, reader, 'get', 'shared/doc', {
      headers: { 'x-tinycloud-versions': 'list' },
    })
    expect(itemsOf(listed)).toHaveLength(2)
    assertOk(await revokeByKey(node.connections, account, reader.cid), 'revoke')
    expect((await read(reader)).status).toBe(401)
  })
})

describe('the list of versions', () => {
  it('tells each with what it is, the newest first, and a deletion beside its value', async () => {
    const startS = Math.floor(Date.now() / 1000)
    const one = await put('listed', 'one')
    const two = await put('listed', 'second')
    const gone = await remove('listed')
    await remove('listed')
    const back = await put('listed', 'back again')
    const reply = await list('listed')
    expect(reply.headers).toMatchObject({
      'content-type': 'application/json',
      'x-tinycloud-truncated': 'false',
    })
    const items = itemsOf(reply)
    expect(items).toMatchObject([
      valueItem(back, 'back again'),
      { version: gone, deleted: true, etag: null, cid: null, size: null },
      valueItem(two, 'second'),
      valueItem(one, 'one'),
    ])
    for (const { writtenAt } of items) {
      const writtenS = Date.parse(writtenAt ?? '') / 1000
      expect(writtenS).toBeGreaterThanOrEqual(startS)
      expect(writtenS).toBeLessThanOrEqual(Date.now() / 1000 + 1)
    }
    const asMetadata = await call('metadata', 'listed', { 'x-tinycloud-versions': 'list' })
    expect(itemsOf(asMetadata)).toEqual(items)
  })

  it('of a deleted key begins with the deletion; of a key never written there is none', async () => {
    const first = await put('deleted', 'x')
    const deletion = await remove('deleted')
    expect(itemsOf(await list('deleted')).map(({ version }) => version)).toEqual([deletion, first])
    expect((await list('never written')).status).toBe(401)
    expect((await list('never-written')).status).toBe(404)
  })

  it('goes on with a cursor, which works only where it was made', async () => {
    for (let count = 0; count < 3; count++) {
      await put('paged', `value ${count}`)
      await remove('paged')
    }
    const whole = itemsOf(await list('paged'))
    expect(whole).toHaveLength(6)
    const found: Item[] = []
    let cursor: string | undefined
    do {
      const page = await list('paged', {
        'x-tinycloud-limit': '1',
        ...(cursor !== undefined && { 'x-tinycloud-cursor': cursor }),
      })
      expect(itemsOf(page)).toHaveLength(1)
      found.push(...itemsOf(page))
      const next = page.headers['x-tinycloud-next-cursor']
      cursor = typeof next === 'string' ? next : undefined
      expect(page.headers['x-tinycloud-truncated']).toBe(String(cursor !== undefined))
    } while (cursor !== undefined && found.length < 10)
    expect(found).toEqual(whole)

    const first = await list('paged', { 'x-tinycloud-limit': '2' })
    const made = String(first.headers['x-tinycloud-next-cursor'])
    const use = (key: string, limit: string): Promise<Reply> =>
      list(key, { 'x-tinycloud-limit': limit, 'x-tinycloud-cursor': made })
    expect((await use('paged', '2')).status).toBe(200)
    for (const [key, limit] of [
      ['paged', '3'],
      ['listed', '2'],
    ] as const)
      expect((await use(key, limit)).text()).toBe('Invalid KV list cursor')
    const ofKeys = await call('list', '', { 'x-tinycloud-limit': '1' })
    const strange = String(ofKeys.headers['x-tinycloud-next-cursor'])
    const reply = await list('paged', { 'x-tinycloud-cursor': strange })
    expect([reply.status, reply.text()]).toEqual([400, 'Invalid KV list cursor'])
  })

  it('is bounded like any other answer', async () => {
    await put('bounded', 'x')
    expect((await list('bounded', { 'x-tinycloud-max-response-bytes': '20' })).status).toBe(413)
    expect((await list('bounded', { 'x-tinycloud-limit': '1001' })).status).toBe(400)
  })
})

const featuresOf = async (url: string): Promise<unknown> =>
  membersOf(await (await fetch(`${url}/version`)).json())['features']

it('a node that keeps versions says so; another one tells nothing of them', async () => {
  expect(await featuresOf(node.process.url)).toContain('kv-versions')
  const directory = await createDirectory('no-versions')
  const plain = await startNodeProcess({ directory, computeWorkers: 1 })
  const connections = openConnections(plain.url, 2)
  expect(await featuresOf(plain.url)).not.toContain('kv-versions')
  const owner = await openAccount(connections)
  for (const body of ['a', 'b']) {
    const reply = await kv(connections, owner, 'put', 'key', { body })
    expect(reply.headers).not.toHaveProperty(VERSION)
  }
  for (const action of ['get', 'metadata', 'del'] as const)
    expect((await kv(connections, owner, action, 'key')).headers).not.toHaveProperty(VERSION)
  await connections.close()
  expect((await plain.stop()).code).toBe(0)
  await removeDirectory(directory)
})

/** Runs a node on the directory with a setting, and stops it in order. */
async function live<T>(
  directory: string,
  history: string,
  use: (connections: Connections) => Promise<T>,
): Promise<T> {
  const environment = {
    TINYCLOUD_STORAGE_HISTORY: history,
    TINYCLOUD_STORAGE_SCRUB_MIB_PER_S: '0',
  }
  const running = await startNodeProcess({ directory, computeWorkers: 1, environment })
  const connections = openConnections(running.url, 2)
  const result = await use(connections)
  await connections.close()
  expect((await running.stop()).code).toBe(0)
  return result
}

async function verify(directory: string): Promise<number> {
  const environment = { TINYCLOUD_STORAGE_DATADIR: path.join(directory, 'data') }
  return (await runInProcess(['verify'], { environment, workingDirectory: directory })).exitCode
}

it('a damaged version is found and never served, and another setting holds from the start', async () => {
  const directory = await createDirectory('versions-lives')
  const { owner, versions } = await live(directory, '1 day', async (connections) => {
    const opened = await openAccount(connections)
    const written: string[] = []
    for (const body of ['first value', 'second value', 'third value'])
      written.push(versionOf(await kv(connections, opened, 'put', 'key', { body })))
    return { owner: opened, versions: written }
  })
  const read = (connections: Connections, index: number): Promise<Reply> =>
    kv(connections, owner, 'get', 'key', { headers: { [VERSION]: present(versions[index]) } })

  expect(await verify(directory)).toBe(0)
  spoil(directory, 'second value')
  expect(await verify(directory)).toBe(1)
  await live(directory, '5', async (connections) => {
    expect((await read(connections, 0)).text()).toBe('first value')
    for (const reply of [await read(connections, 1), await read(connections, 1)])
      expect([reply.status, reply.text()]).toEqual([
        500,
        'The stored value failed its integrity check',
      ])
    expect((await read(connections, 2)).text()).toBe('third value')
  })
  const database = new Database(databaseOf(directory), { readonly: true })
  expect(database.prepare('SELECT kind FROM quarantine').pluck().all()).toEqual(['kv_version'])
  database.close()
  await live(directory, 'none', async (connections) => {
    expect((await read(connections, 0)).text()).toBe(
      'No such KV version is kept (storage.history: none)',
    )
    expect((await read(connections, 2)).text()).toBe('third value')
  })
  await removeDirectory(directory)
}, 60_000)

/** Changes one bit of a text in the packs. */
function spoil(directory: string, text: string): void {
  const root = path.join(blocksOf(directory), 'packs')
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    const bytes = readFileSync(file)
    const place = bytes.indexOf(text)
    if (place === -1) continue
    bytes[place]! ^= 1
    writeFileSync(file, bytes)
    return
  }
  throw new Error('the text is in no pack')
}
