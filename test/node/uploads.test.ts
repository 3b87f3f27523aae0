/** Large bodies, slow bodies and bodies that nobody wants, on a running node. */
import { createHash } from 'node:crypto'
import { readdir, readlink } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/protocol/bytes.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import {
  type Account,
  assertOk,
  invoke,
  issueKv,
  issueShare,
  kv,
  openAccount,
  type Reply,
} from '../_util/client.ts'
import { present } from '../_util/narrow.ts'
import { chooseSeed, createRandom } from '../_util/random.ts'
import { openRaw, type RawConversation, statusOf } from '../_util/raw-http.ts'
import { type RunningNode, useRunningNode } from '../_util/running-node.ts'

const KIB = 1024
const MIB = 1024 * KIB
const VALUE_BYTES_MAX = 1_000_000_000

const etagOf = (value: Uint8Array): string => `"blake3-${toHex(blake3(value))}"`
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const bytesOf = (count: number): Buffer => Buffer.from(createRandom(count).bytes(count))
const told = (reply: Reply): [status: number, text: string] => [reply.status, reply.text()]

/** A body whose length no header tells. */
const streamOf = (value: Uint8Array, partBytes: number): Readable =>
  Readable.from(
    (function* parts(): Generator<Uint8Array> {
      for (let offset = 0; offset < value.length; offset += partBytes)
        yield value.subarray(offset, offset + partBytes)
    })(),
    { objectMode: false },
  )

/** The head of a put on a raw connection. */
const headOf = (account: Account, key: string, lines: readonly string[]): string =>
  [
    'POST /invoke HTTP/1.1',
    'host: x',
    `authorization: ${issueKv(account, 'put', key).authorization}`,
    ...lines,
    '\r\n',
  ].join('\r\n')

/** How many files the node has open whose path holds the text. */
async function openFiles({ process }: RunningNode, text: string): Promise<number> {
  const directory = `/proc/${process.pid}/fd`
  const targets = await Promise.all(
    (await readdir(directory)).map((fd) => readlink(path.join(directory, fd)).catch(() => '')),
  )
  return targets.filter((target) => target.includes(text)).length
}

/** How many files of values are open, after five seconds at most in which none may be left. */
async function openObjectsAtLast(node: RunningNode): Promise<number> {
  for (let attempt = 0; attempt < 100 && (await openFiles(node, '/objects/')) > 0; attempt++)
    await sleep(50)
  return openFiles(node, '/objects/')
}

/** Begins to read the value of key `a` and takes no more than its head. */
async function beginDownload(node: RunningNode, account: Account): Promise<RawConversation> {
  const raw = openRaw(node.process.url)
  const { authorization } = issueKv(account, 'get', 'a')
  raw.socket.write(
    `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nconnection: close\r\n\r\n`,
  )
  const received = await raw.until('\r\n\r\n')
  raw.socket.pause()
  expect(statusOf(received ?? '')).toBe(200)
  return raw
}

describe.each(['Memory', 'FileSystem'])('with storage.staging = %s', (staging) => {
  const node = useRunningNode('uploads', { environment: { TINYCLOUD_STORAGE_STAGING: staging } })
  const open = (): Promise<Account> => openAccount(node.connections)

  /** Files that are waiting for their upload to end. */
  async function stagedFiles(): Promise<string[]> {
    const files = await readdir(path.join(node.directory, 'data'), {
      recursive: true,
      withFileTypes: true,
    })
    return files
      .filter((file) => file.isFile() && /staging/.test(file.parentPath))
      .map((file) => path.join(file.parentPath, file.name))
  }

  async function stagedBecomes(count: number): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      if ((await stagedFiles()).length === count) return
      await sleep(50)
    }
    expect(await stagedFiles()).toHaveLength(count)
  }

  describe('a body', () => {
    const SIZES = [256 * KIB - 1, 256 * KIB, 256 * KIB + 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 123]

    it.each(SIZES)('of %i bytes comes back as it went up (KV-3)', async (size) => {
      const account = await open()
      const value = bytesOf(size)
      const put = await kv(node.connections, account, 'put', 'a', { body: value })
      expect(told(put)).toEqual([200, ''])
      expect(put.headers['etag']).toBe(etagOf(value))
      const get = await kv(node.connections, account, 'get', 'a')
      expect(get.headers).toMatchObject({ etag: etagOf(value), 'content-length': String(size) })
      expect(digestOf(get.bytes)).toBe(digestOf(value))
      await stagedBecomes(0)
    })

    it.each([0, 1, 1000, 256 * KIB, 3 * MIB])(
      'of unknown length, in truth %i bytes, comes back too (KV-3)',
      async (size) => {
        const account = await open()
        const value = bytesOf(size)
        const put = await kv(node.connections, account, 'put', 'a', { body: streamOf(value, 7919) })
        expect(told(put)).toEqual([200, ''])
        expect(put.headers['etag']).toBe(etagOf(value))
        const get = await kv(node.connections, account, 'get', 'a')
        expect(digestOf(get.bytes)).toBe(digestOf(value))
        await stagedBecomes(0)
      },
    )

    it('goes up beside others, none in another’s way (KV-3)', async () => {
      const account = await open()
      const values = Array.from({ length: 6 }, (_, index) => bytesOf(MIB + index * 77_777))
      const puts = await Promise.all(
        values.map((body, index) => kv(node.connections, account, 'put', `k${index}`, { body })),
      )
      for (const [index, put] of puts.entries())
        expect(put.headers['etag']).toBe(etagOf(present(values[index])))
      const gets = await Promise.all(
        values.map((_, index) => kv(node.connections, account, 'get', `k${index}`)),
      )
      for (const [index, get] of gets.entries())
        expect(digestOf(get.bytes)).toBe(digestOf(present(values[index])))
    })

    it('of a replaced value is answered whole to who began to read it (KV-3)', async () => {
      const account = await open()
      const [first, second] = [bytesOf(4 * MIB), bytesOf(2 * MIB)]
      assertOk(await kv(node.connections, account, 'put', 'a', { body: first }), 'put')
      const reads = Array.from({ length: 4 }, () => kv(node.connections, account, 'get', 'a'))
      assertOk(await kv(node.connections, account, 'put', 'a', { body: second }), 'put')
      for (const get of await Promise.all(reads))
        expect([etagOf(first), etagOf(second)]).toContain(etagOf(get.bytes))
      const last = await kv(node.connections, account, 'get', 'a')
      expect(digestOf(last.bytes)).toBe(digestOf(second))
    })
  })

  describe('authority before the body', () => {
    it('refuses an upload of known length before it has arrived (INV-13)', async () => {
      const account = await open()
      const stranger = issueShare(account)
      const raw = openRaw(node.process.url)
      raw.socket.write(headOf({ ...account, cid: stranger.cid }, 'a', ['content-length: 10000000']))
      raw.socket.write(Buffer.alloc(1000))
      const received = await raw.until('\r\n\r\n')
      expect(statusOf(received ?? '')).toBe(401)
      raw.end()
      await stagedBecomes(0)
    })

    it('refuses one of unknown length, and a guarded one, before they have arrived (INV-13, COND-1)', async () => {
      const account = await open()
      const cases: [Account, string[], number][] = [
        [{ ...account, cid: issueShare(account).cid }, [], 401],
        [account, [`if-match: ${etagOf(Buffer.from('x'))}`], 412],
      ]
      for (const [holder, lines, status] of cases) {
        const raw = openRaw(node.process.url)
        raw.socket.write(headOf(holder, 'a', ['transfer-encoding: chunked', ...lines]))
        raw.socket.write('5\r\nhello\r\n')
        expect(statusOf((await raw.until('\r\n\r\n')) ?? '')).toBe(status)
        raw.end()
      }
      await stagedBecomes(0)
    })

    it('asks for the body only of who may send it (INV-13)', async () => {
      const account = await open()
      const value = bytesOf(300 * KIB)
      const lines = [`content-length: ${value.length}`, 'expect: 100-continue']
      const allowed = openRaw(node.process.url)
      allowed.socket.write(headOf(account, 'a', lines))
      expect(statusOf((await allowed.until('\r\n\r\n')) ?? '')).toBe(100)
      allowed.socket.write(value)
      expect(await allowed.until(etagOf(value))).toBeDefined()
      allowed.end()

      const refused = openRaw(node.process.url)
      refused.socket.write(headOf({ ...account, cid: issueShare(account).cid }, 'b', lines))
      expect(statusOf((await refused.until('\r\n\r\n')) ?? '')).toBe(401)
      refused.end()
    })

    it('asks for a small body at once (INV-13)', async () => {
      const account = await open()
      const raw = openRaw(node.process.url)
      raw.socket.write(headOf(account, 'a', ['content-length: 5', 'Expect: 100-Continue']))
      expect(statusOf((await raw.until('\r\n\r\n')) ?? '')).toBe(100)
      raw.socket.write('hello')
      expect(await raw.until(etagOf(Buffer.from('hello')))).toBeDefined()
      raw.end()
    })
  })

  describe('an unwanted body', () => {
    it('above 10⁹ bytes is refused by its declared length (KV-6)', async () => {
      const account = await open()
      const raw = openRaw(node.process.url)
      raw.socket.write(headOf(account, 'a', [`content-length: ${VALUE_BYTES_MAX + 1}`]))
      const received = (await raw.until('KV value exceeds 1000000000 bytes')) ?? ''
      expect(statusOf(received)).toBe(413)
      raw.end()
      expect((await kv(node.connections, account, 'get', 'a')).status).toBe(404)
    })

    it('is read and dropped, so that the client sees the answer and goes on (HTTP-4)', async () => {
      const account = await open()
      const stranger = { ...account, cid: issueShare(account).cid }
      const value = bytesOf(8 * MIB)
      const raw = openRaw(node.process.url)
      raw.socket.write(headOf(stranger, 'a', [`content-length: ${value.length}`]))
      raw.socket.write(value)
      expect(statusOf((await raw.until('\r\n\r\n')) ?? '')).toBe(401)
      raw.socket.write('GET /version HTTP/1.1\r\nhost: x\r\n\r\n')
      expect(await raw.until('"protocol":1')).toBeDefined()
      raw.end()
    })

    it('is dropped on routes that take none, and with abilities that take none (HTTP-4)', async () => {
      const account = await open()
      const body = bytesOf(2 * MIB)
      const share = issueShare(account)
      const { authorization } = share
      expect((await node.connections.request('/delegate', { authorization, body })).status).toBe(
        200,
      )
      const get = await kv(node.connections, account, 'get', 'a', { body })
      expect(get.status).toBe(404)
      const list = await kv(node.connections, account, 'list', '', { body: streamOf(body, 65_536) })
      expect(told(list)).toEqual([200, '[]'])
    })
  })

  describe('an upload that breaks off', () => {
    it.each(['content-length: 3000000', 'transfer-encoding: chunked'])(
      'leaves nothing, and its token can be used again (%s) (KV-6, INV-9)',
      async (line) => {
        const account = await open()
        const token = issueKv(account, 'put', 'a')
        const raw = openRaw(node.process.url)
        raw.socket.write(
          `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${token.authorization}\r\n${line}\r\n\r\n`,
        )
        const part = bytesOf(MIB)
        raw.socket.write(line.startsWith('transfer') ? `${part.length.toString(16)}\r\n` : '')
        raw.socket.write(part)
        await stagedBecomes(1)
        raw.end()
        await stagedBecomes(0)
        expect((await kv(node.connections, account, 'get', 'a')).status).toBe(404)
        expect((await invoke(node.connections, token, { body: 'whole' })).status).toBe(200)
      },
    )

    it('at any moment leaves no file, open or closed (KV-6)', async () => {
      const account = await open()
      const random = createRandom(chooseSeed())
      const part = bytesOf(MIB)
      const uploads = Array.from({ length: 40 }, async (_, index) => {
        const raw = openRaw(node.process.url)
        raw.socket.write(headOf(account, `k${index}`, ['content-length: 30000000']))
        raw.socket.write(part)
        await sleep(random.below(60))
        raw.socket.write(part.subarray(0, random.below(MIB)))
        await sleep(random.below(20))
        raw.end()
      })
      await Promise.all(uploads)
      await stagedBecomes(0)
      expect(await openFiles(node, '/staging/')).toBe(0)
      expect(told(await kv(node.connections, account, 'list', ''))).toEqual([200, '[]'])
    })

    it('keeps the value that it would have replaced (KV-6)', async () => {
      const account = await open()
      assertOk(await kv(node.connections, account, 'put', 'a', { body: 'one' }), 'put')
      const raw = openRaw(node.process.url)
      raw.socket.write(headOf(account, 'a', ['content-length: 700000']))
      raw.socket.write(Buffer.alloc(699_999))
      await stagedBecomes(1)
      raw.end()
      await stagedBecomes(0)
      expect(told(await kv(node.connections, account, 'get', 'a'))).toEqual([200, 'one'])
    })

    it('in a broken chunk is refused and leaves nothing (KV-6)', async () => {
      const account = await open()
      const raw = openRaw(node.process.url)
      raw.socket.write(headOf(account, 'a', ['transfer-encoding: chunked']))
      raw.socket.write('5\r\nhello\r\n')
      raw.socket.write('zz\r\nx\r\n')
      const received = await raw.closed()
      expect([0, 400]).toContain(statusOf(received))
      await stagedBecomes(0)
      expect((await kv(node.connections, account, 'get', 'a')).status).toBe(404)
    })
  })

  describe('a download', () => {
    it('goes on to its end after the value was replaced and deleted (KV-3)', async () => {
      const account = await open()
      const value = bytesOf(24 * MIB)
      assertOk(await kv(node.connections, account, 'put', 'a', { body: value }), 'put')
      const raw = await beginDownload(node, account)
      assertOk(await kv(node.connections, account, 'put', 'a', { body: bytesOf(MIB) }), 'put')
      assertOk(await kv(node.connections, account, 'del', 'a'), 'del')
      raw.socket.resume()
      const received = Buffer.from(await raw.closed(), 'latin1')
      const body = received.subarray(received.indexOf('\r\n\r\n') + 4)
      expect(digestOf(body)).toBe(digestOf(value))
      expect(await openObjectsAtLast(node)).toBe(0)
    })

    it('that breaks off closes its file (KV-3)', async () => {
      const account = await open()
      assertOk(await kv(node.connections, account, 'put', 'a', { body: bytesOf(24 * MIB) }), 'put')
      const all = await Promise.all(Array.from({ length: 4 }, () => beginDownload(node, account)))
      expect(await openFiles(node, '/objects/')).toBe(4)
      for (const raw of all) raw.end()
      expect(await openObjectsAtLast(node)).toBe(0)
    })
  })

  it('uses the token of a large upload up once, also when it is sent twice at once (INV-9)', async () => {
    const account = await open()
    const token = issueKv(account, 'put', 'a')
    const values = [bytesOf(MIB), bytesOf(MIB + 1)]
    const replies = await Promise.all(
      values.map((body) => invoke(node.connections, token, { body })),
    )
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 409]))
    const kept = present(values[replies.findIndex(({ status }) => status === 200)])
    const get = await kv(node.connections, account, 'get', 'a')
    expect(digestOf(get.bytes)).toBe(digestOf(kept))
    await stagedBecomes(0)
  })
})
