/** Batch puts on a running node: small and large bodies, all or nothing, nothing left behind. */
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { KEY_BYTES_MAX } from '../../src/protocol/limits.ts'
import {
  type Account,
  type Holder,
  invoke,
  issueInvocation,
  issueShare,
  kv,
  kvResource,
  openAccount,
  postDelegation,
  type Reply,
  type RequestOptions,
} from '../_util/client.ts'
import { FORM_TYPE, type FormPart, formatForm, partOf } from '../_util/multipart.ts'
import { createRandom } from '../_util/random.ts'
import { openRaw, statusOf } from '../_util/raw-http.ts'
import { type RunningNode, useRunningNode } from '../_util/running-node.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** Their token has almost 512 KiB. */
const KEY_COUNT = 2400

const bytesOf = (count: number): Buffer => Buffer.from(createRandom(count).bytes(count))
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const told = (reply: Reply): [status: number, text: string] => [reply.status, reply.text()]

const issueBatch = (holder: Holder, keys: readonly string[]): { authorization: string } =>
  issueInvocation(
    holder,
    Object.fromEntries(keys.map((key) => [kvResource(holder.space, key), ['tinycloud.kv/put']])),
  )

/** A body whose length no header tells. */
const streamOf = (body: Uint8Array): Readable =>
  Readable.from(
    (function* pieces(): Generator<Uint8Array> {
      for (let offset = 0; offset < body.length; offset += 7919)
        yield body.subarray(offset, offset + 7919)
    })(),
    { objectMode: false },
  )

/** 51 to 52 KiB, of its own for each key. */
const valueOf = (key: string): Buffer => bytesOf(50 * KIB + Number(key.slice(1)))

/** Files that are waiting for their upload to end, or that no upload waits for. */
async function countStaged({ directory }: RunningNode): Promise<number> {
  const options = { recursive: true, withFileTypes: true } as const
  const files = await readdir(path.join(directory, 'data'), options)
  return files.filter((file) => file.isFile() && file.parentPath.includes('staging')).length
}

describe.each(['Memory', 'FileSystem'])('with storage.staging = %s', (staging) => {
  const node = useRunningNode('batch-put', { environment: { TINYCLOUD_STORAGE_STAGING: staging } })
  const open = (): Promise<Account> => openAccount(node.connections)

  const send = (
    holder: Holder,
    keys: readonly string[],
    body: RequestOptions['body'],
  ): Promise<Reply> =>
    invoke(node.connections, issueBatch(holder, keys), {
      headers: { 'content-type': FORM_TYPE },
      body: body ?? '',
    })

  const sendParts = (holder: Holder, keys: readonly string[], parts: readonly FormPart[]) =>
    send(holder, keys, formatForm(parts))

  async function keysOf(account: Account): Promise<unknown> {
    return JSON.parse((await kv(node.connections, account, 'list', '')).text())
  }

  async function stagedBecomes(count: number): Promise<void> {
    for (let attempt = 0; attempt < 100 && (await countStaged(node)) !== count; attempt++)
      await sleep(50)
    expect(await countStaged(node)).toBe(count)
  }

  it('answers with the keys in byte order, and each comes back with its own type (BATCH-5)', async () => {
    const account = await open()
    const parts = [
      partOf('b', 'two', { 'Content-Type': 'text/b' }),
      partOf('a/%C3%A9', 'one', { 'Content-Type': 'application/json; charset=x' }),
      partOf('B', '', { 'X-Tinycloud-Meta-Mood': 'calm', Authorization: 'secret' }),
    ]
    const answer = await sendParts(account, ['b', 'B', 'a/%C3%A9'], parts)
    expect(told(answer)).toEqual([200, '{"written":["B","a/%C3%A9","b"],"count":3}'])
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['etag']).toBeUndefined()
    const first = await kv(node.connections, account, 'get', 'a/%C3%A9')
    expect([first.text(), first.headers['content-type']]).toEqual([
      'one',
      'application/json; charset=x',
    ])
    const second = await kv(node.connections, account, 'get', 'B')
    expect(second.bytes).toHaveLength(0)
    expect(second.headers['x-tinycloud-meta-mood']).toBe('calm')
    expect(second.headers['content-type']).toBeUndefined()
    expect(second.headers['content-disposition']).toBeUndefined()
  })

  it('takes what the platform makes of a form', async () => {
    const account = await open()
    const form = new FormData()
    form.append(encodeURIComponent('x/y:z'), new Blob(['{}'], { type: 'application/json' }), 'blob')
    form.append('plain', 'text')
    const request = new Response(form)
    const answer = await invoke(node.connections, issueBatch(account, ['plain', 'x/y:z']), {
      headers: { 'content-type': request.headers.get('content-type') ?? '' },
      body: await request.bytes(),
    })
    expect(told(answer)).toEqual([200, '{"written":["plain","x/y:z"],"count":2}'])
    expect((await kv(node.connections, account, 'get', 'x/y:z')).text()).toBe('{}')
  })

  it.each(['of known length', 'of unknown length'])(
    'takes large values and small ones together, %s (BATCH-7)',
    async (framing) => {
      const account = await open()
      const sizes = [0, 1, 256 * KIB, 256 * KIB + 1, MIB, 3 * MIB + 5, 10]
      const parts = sizes.map((size, index) => partOf(`k${index}`, bytesOf(size)))
      const keys = sizes.map((_, index) => `k${index}`)
      const form = formatForm(parts)
      const body = framing === 'of known length' ? form : streamOf(form)
      expect((await send(account, keys, body)).status).toBe(200)
      for (const [index, size] of sizes.entries()) {
        const value = await kv(node.connections, account, 'get', `k${index}`)
        expect(digestOf(value.bytes)).toBe(digestOf(bytesOf(size)))
      }
      await stagedBecomes(0)
    },
  )

  it('takes more small values than it holds in memory', async () => {
    const account = await open()
    const keys = Array.from({ length: 90 }, (_, index) => `k${100 + index}`)
    const parts = keys.map((key) => partOf(key, valueOf(key)))
    expect(told(await sendParts(account, keys, parts))).toEqual([
      200,
      JSON.stringify({ written: keys, count: keys.length }),
    ])
    for (const key of ['k100', 'k150', 'k189']) {
      const value = await kv(node.connections, account, 'get', key)
      expect(digestOf(value.bytes)).toBe(digestOf(valueOf(key)))
    }
    await stagedBecomes(0)
  })

  it('takes as many keys as fit into a token', async () => {
    const account = await open()
    const keys = Array.from({ length: KEY_COUNT }, (_, index) => String(index).padStart(4, '0'))
    const answer = await sendParts(
      account,
      keys,
      keys.map((key) => partOf(key, `value ${key}`)),
    )
    expect(answer.status).toBe(200)
    expect(answer.text() === JSON.stringify({ written: keys, count: keys.length })).toBe(true)
    expect((await kv(node.connections, account, 'get', '2399')).text()).toBe('value 2399')
  })

  it('writes all or nothing, and a refused one is not used up (BATCH-1)', async () => {
    const account = await open()
    const large = partOf('a', bytesOf(MIB))
    const token = issueBatch(account, ['a', 'b'])
    const attempt = (body: Uint8Array): Promise<Reply> =>
      invoke(node.connections, token, { headers: { 'content-type': FORM_TYPE }, body })
    const refused: [Uint8Array, string][] = [
      [formatForm([large]), 'Missing multipart KV parts for signed paths: b'],
      [
        formatForm([large, partOf('c', '')]),
        'Multipart KV part c is not authorized by the invocation',
      ],
      [formatForm([large, partOf('a', '')]), 'Duplicate multipart KV part for path a'],
      [formatForm([large, { body: '' }]), 'Multipart KV part is missing a field name'],
      [formatForm([large, partOf('b', 'x')]).subarray(0, -4), 'Multipart body ends too early'],
      [new Uint8Array(0), 'Multipart body ends too early'],
    ]
    for (const [body, text] of refused) expect(told(await attempt(body))).toEqual([400, text])
    expect(await keysOf(account)).toEqual([])
    await stagedBecomes(0)
    const whole = formatForm([large, partOf('b', 'x')])
    expect((await attempt(whole)).status).toBe(200)
    expect(told(await attempt(whole))).toEqual([409, 'duplicate invocation'])
    await stagedBecomes(0)
  })

  it('needs the right to every key, before the body is read (INV-13)', async () => {
    const owner = await open()
    const writer = issueShare(owner, { path: 'mine', abilities: ['tinycloud.kv/put'] })
    expect((await postDelegation(node.connections, writer)).status).toBe(200)
    const raw = openRaw(node.process.url)
    const { authorization } = issueBatch(writer, ['mine/a', 'theirs/b'])
    raw.socket.write(
      `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n` +
        `content-type: ${FORM_TYPE}\r\ncontent-length: ${MIB}\r\n\r\n`,
    )
    const answer = await raw.until('Unauthorized Action')
    expect(statusOf(answer ?? '')).toBe(401)
    raw.socket.destroy()
    expect((await sendParts(writer, ['mine/a'], [partOf('mine/a', 'x')])).status).toBe(200)
  })

  it('refuses other bodies, other boundaries and long keys', async () => {
    const account = await open()
    const token = issueBatch(account, ['a', 'b'])
    const attempt = (type: string): Promise<Reply> =>
      invoke(node.connections, token, { headers: { 'content-type': type }, body: 'x' })
    expect(told(await attempt('text/plain'))).toEqual([
      400,
      'KV batch put requires multipart/form-data',
    ])
    expect(told(await attempt('multipart/form-data'))).toEqual([
      400,
      'Missing or invalid multipart boundary',
    ])
    const long = 'k'.repeat(KEY_BYTES_MAX + 1)
    expect((await sendParts(account, [long], [partOf(long, '')])).text()).toBe(
      `KV key exceeds ${KEY_BYTES_MAX} bytes`,
    )
    expect(await keysOf(account)).toEqual([])
  })

  it('forgets a client that goes away in the middle, with what it sent (BATCH-7)', async () => {
    const account = await open()
    const form = formatForm([partOf('a', bytesOf(MIB)), partOf('b', bytesOf(MIB))])
    for (const length of [100, 700 * KIB, MIB + 500 * KIB]) {
      const raw = openRaw(node.process.url)
      const { authorization } = issueBatch(account, ['a', 'b'])
      raw.socket.write(
        `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n` +
          `content-type: ${FORM_TYPE}\r\ncontent-length: ${form.length}\r\n\r\n`,
      )
      raw.socket.write(form.subarray(0, length))
      await sleep(200)
      raw.socket.destroy()
    }
    await stagedBecomes(0)
    expect(await keysOf(account)).toEqual([])
  })

  it('keeps batches that race for the same keys apart', async () => {
    const account = await open()
    const keys = ['a', 'b', 'c']
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => {
        const size = index % 2 === 0 ? 10 : 200 * KIB
        const value = Buffer.alloc(size, index)
        return sendParts(
          account,
          keys,
          keys.map((key) => partOf(key, value)),
        )
      }),
    )
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    const values = await Promise.all(
      keys.map(async (key) => digestOf((await kv(node.connections, account, 'get', key)).bytes)),
    )
    expect(new Set(values).size).toBe(1)
    await stagedBecomes(0)
  })
})
