/** Limits of spaces on a running node. */
import path from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import {
  type Account,
  assertOk,
  invoke,
  issueInvocation,
  issueKv,
  kv,
  kvResource,
  openAccount,
  type Reply,
} from '../_util/client.ts'
import { runInProcess } from '../_util/command-run.ts'
import { FORM_TYPE, formatForm, partOf } from '../_util/multipart.ts'
import { openRaw, statusOf } from '../_util/raw-http.ts'
import { chooseSeed, createRandom } from '../_util/random.ts'
import { useRunningNode } from '../_util/running-node.ts'

const KIB = 1024
const MIB = 1024 * KIB
const LIMIT = 2 * MIB

const told = (reply: Reply): [status: number, text: string] => [reply.status, reply.text()]
const use = (used: number, limit = LIMIT): string => `Used: ${used} bytes, Limit: ${limit} bytes`
const exceeded = (used: number, limit?: number): [number, string] => [
  402,
  `Storage quota exceeded. ${use(used, limit)}`,
]
const beyond = (used: number, limit?: number): [number, string] => [
  413,
  `Write exceeds remaining storage. ${use(used, limit)}`,
]

/** More than a space may hold. */
function* pieces(): Generator<Buffer> {
  for (let piece = 0; piece < 64; piece++) yield Buffer.alloc(100 * KIB)
}

const node = useRunningNode('quota', {
  environment: {
    TINYCLOUD_STORAGE_LIMIT: '2 MiB',
    TINYCLOUD_PUBLIC_SPACES_STORAGE_LIMIT: '1 kB',
    TINYCLOUD_STORAGE_HISTORY_LIMIT: '60000',
  },
})
const open = (name?: string): Promise<Account> => openAccount(node.connections, name)
const put = (account: Account, key: string, bytes: number): Promise<Reply> =>
  kv(node.connections, account, 'put', key, { body: Buffer.alloc(bytes, 7) })

/** Sends the head of an upload and a little of its body; gives what is answered to that. */
async function beginUpload(account: Account, key: string, lines: readonly string[]) {
  const raw = openRaw(node.process.url)
  const { authorization } = issueKv(account, 'put', key)
  const head = ['POST /invoke HTTP/1.1', 'host: x', `authorization: ${authorization}`, ...lines]
  raw.socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const received = (await raw.until('\r\n\r\n')) ?? ''
  return { raw, status: statusOf(received), received }
}

describe('storage.limit', () => {
  it('is told in the words that clients know (QUOTA-1, QUOTA-2)', async () => {
    const account = await open()
    expect(told(await put(account, 'a', LIMIT - 10))).toEqual([200, ''])
    expect(told(await put(account, 'b', 11))).toEqual(beyond(LIMIT - 10))
    expect(told(await put(account, 'b', 10))).toEqual([200, ''])
    expect(told(await put(account, 'c', 1))).toEqual(exceeded(LIMIT))
    expect((await kv(node.connections, account, 'get', 'c')).status).toBe(404)
  })

  it('credits what is replaced and deleted, small and large (QUOTA-3)', async () => {
    const account = await open()
    assertOk(await put(account, 'a', LIMIT), 'put')
    assertOk(await put(account, 'a', LIMIT), 'the same size again')
    assertOk(await put(account, 'a', LIMIT - 100), 'less')
    assertOk(await put(account, 'b', 100), 'the rest')
    expect(told(await put(account, 'b', MIB))).toEqual(exceeded(LIMIT))
    assertOk(await kv(node.connections, account, 'del', 'a'), 'del')
    assertOk(await put(account, 'b', MIB), 'more')
  })

  it('holds for batches, whole or not at all', async () => {
    const account = await open()
    const abilities = Object.fromEntries(
      ['a', 'b'].map((key) => [kvResource(account.space, key), ['tinycloud.kv/put']]),
    )
    const send = (bytes: number): Promise<Reply> =>
      invoke(node.connections, issueInvocation(account, abilities), {
        headers: { 'content-type': FORM_TYPE },
        body: formatForm(['a', 'b'].map((key) => partOf(key, Buffer.alloc(bytes, 1)))),
      })
    expect(told(await send(MIB + 1))).toEqual(beyond(0))
    expect((await kv(node.connections, account, 'get', 'a')).status).toBe(404)
    expect((await send(MIB)).status).toBe(200)
    expect(told(await put(account, 'c', 1))).toEqual(exceeded(LIMIT))
  })

  it('of public spaces is another one', async () => {
    const account = await open('public')
    expect(told(await put(account, 'a', 1001))).toEqual(beyond(0, 1000))
    assertOk(await put(account, 'a', 1000), 'put')
  })
})

describe('an upload', () => {
  it('that cannot fit is refused before its body has arrived (QUOTA-5)', async () => {
    const account = await open()
    assertOk(await put(account, 'a', MIB), 'put')
    const length = [`content-length: ${MIB + 1}`, 'expect: 100-continue']
    const refused = await beginUpload(account, 'b', length)
    expect(refused.status).toBe(413)
    refused.raw.end()
    const replacing = await beginUpload(account, 'a', length)
    expect(replacing.status).toBe(100)
    replacing.raw.end()
  })

  it('counts for those that begin after it, until it is over (QUOTA-5)', async () => {
    const account = await open()
    const lines = [`content-length: ${MIB + 1}`, 'expect: 100-continue']
    const first = await beginUpload(account, 'a', lines)
    expect(first.status).toBe(100)
    const second = await beginUpload(account, 'b', lines)
    expect(second.status).toBe(413)
    expect(second.received).toContain(use(MIB + 1))
    second.raw.end()
    first.raw.socket.destroy()
    // The node learns of the end of the first one a moment later.
    for (let attempt = 0; attempt < 100; attempt++) {
      const { raw, status } = await beginUpload(account, 'b', lines)
      raw.end()
      if (status === 100) return
    }
    throw new Error('an upload that was given up still counts')
  })

  it('of unknown length ends where the space is full (QUOTA-5)', async () => {
    const account = await open()
    const endless = Readable.from(pieces(), { objectMode: false })
    const reply = await kv(node.connections, account, 'put', 'a', { body: endless })
    expect(told(reply)).toEqual(beyond(0))
    assertOk(await put(account, 'a', LIMIT), 'put')
  })

  it('of unknown length is told while it is still sending, where the space has less left (QUOTA-5)', async () => {
    const account = await open()
    assertOk(await put(account, 'a', LIMIT - 300 * KIB), 'put')
    const { authorization } = issueKv(account, 'put', 'b')
    const raw = openRaw(node.process.url)
    raw.socket.write(
      `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ntransfer-encoding: chunked\r\n\r\n`,
    )
    const size = (400 * KIB).toString(16)
    raw.socket.write(Buffer.concat([Buffer.from(`${size}\r\n`), Buffer.alloc(400 * KIB)]))
    // The last chunk never comes.
    const received = (await raw.until('\r\n\r\n')) ?? ''
    expect(statusOf(received)).toBe(413)
    expect(received).toContain(use(LIMIT - 300 * KIB))
    raw.end()
    assertOk(await put(account, 'b', 300 * KIB), 'what is left')
  })

  it('of unknown length beside others takes no more than there is, to the byte (QUOTA-1, QUOTA-5)', async () => {
    const account = await open()
    const bytes = 700 * KIB
    const upload = (key: string): Promise<Reply> => {
      const parts = Array.from({ length: 7 }, () => Buffer.alloc(bytes / 7, 7))
      const body = Readable.from(parts, { objectMode: false })
      return kv(node.connections, account, 'put', key, { body })
    }
    const replies = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => upload(key)))
    const statuses = replies.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([200, 200, 413, 413, 413])
    const left = LIMIT - 2 * bytes
    expect(told(await put(account, 'f', left + 1))).toEqual(beyond(2 * bytes))
    assertOk(await put(account, 'f', left), 'all that is left')
  })
})

describe('storage.history_limit', () => {
  it('ends puts and not reads, deletions and revocations (QUOTA-4)', async () => {
    const account = await open()
    let last = await put(account, 'a', 1)
    for (let count = 0; count < 100 && last.status === 200; count++)
      last = await put(account, `k${count}`, 1)
    expect(last.status).toBe(402)
    expect(last.text()).toMatch(
      /^Storage history limit exceeded \(storage\.history_limit\)\. Used: 6\d{4} bytes, Limit: 60000 bytes$/,
    )
    const large = await beginUpload(account, 'b', [
      `content-length: ${MIB}`,
      'expect: 100-continue',
    ])
    expect(large.status).toBe(402)
    large.raw.end()
    assertOk(await kv(node.connections, account, 'get', 'a'), 'get')
    assertOk(await kv(node.connections, account, 'del', 'a'), 'del')
    expect((await kv(node.connections, account, 'del', 'a')).status).toBe(402)
  })
})

describe('what a space is charged for', () => {
  it('is what `tinycloud verify` counts again, after any changes', async () => {
    const random = createRandom(chooseSeed())
    const account = await open()
    for (let step = 0; step < 25; step++) {
      const key = `k${random.below(4)}`
      if (random.below(3) === 0) await kv(node.connections, account, 'del', key)
      else await put(account, key, random.below(2) === 0 ? random.below(MIB) : 100)
    }
    const run = await runInProcess(['verify'], {
      environment: { TINYCLOUD_STORAGE_DATADIR: path.join(node.directory, 'data') },
    })
    expect(run.errors).toBe('')
    expect(run.exitCode).toBe(0)
  })
})
