/** Parts of values on a running node: by invocation, by signed URL and from a public space alike (RANGE-1 to RANGE-3). */
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../src/protocol/bytes.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
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
import { present } from '../_util/narrow.ts'
import { chooseSeed, createRandom } from '../_util/random.ts'
import { useRunningNode } from '../_util/running-node.ts'
import { openUrl, readUrl } from '../_util/signed-urls.ts'

const MIB = 1024 * 1024
/** Bytes of a segment, which is verified whole, and of a window of a download. */
const SEGMENT_BYTES = MIB
const WINDOW_BYTES = MIB
/** A part up to this length is answered whole, a longer one in windows. */
const ONE_HOP_BYTES = MIB / 4

const node = useRunningNode('ranges', {
  environment: {
    TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_PER_MINUTE: '1000000',
    TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_BURST: '1000000',
    TINYCLOUD_PUBLIC_SPACES__STORAGE_LIMIT: '1 GiB',
  },
})

const etagOf = (value: Uint8Array): string => `"blake3-${toHex(blake3(value))}"`
const bytesOf = (count: number): Buffer => Buffer.from(createRandom(count).bytes(count))

/** One value of a pack, and one in a file of its own that takes three windows and does not end with a segment. */
const VALUES: Readonly<Record<string, Buffer>> = {
  small: bytesOf(1000),
  large: bytesOf(2 * WINDOW_BYTES + SEGMENT_BYTES + 12_345),
  empty: Buffer.alloc(0),
}

let account: Account
const urls = new Map<string, string>()

beforeAll(async () => {
  account = await openAccount(node.connections, 'public')
  for (const [key, body] of Object.entries(VALUES)) {
    assertOk(await kv(node.connections, account, 'put', key, { body }), 'put')
    urls.set(key, (await openUrl(node.connections, account, key)).url)
  }
})

type Headers = Readonly<Record<string, string>>

const get = (key: string, headers: Headers): Promise<Reply> =>
  kv(node.connections, account, 'get', key, { headers })

const READERS: Readonly<Record<string, (key: string, headers: Headers) => Promise<Reply>>> = {
  'an invocation': get,
  'a signed URL': (key, headers) => readUrl(node.connections, present(urls.get(key)), headers),
  'a public space': (key, headers) =>
    readUrl(node.connections, `/public/${encodeURIComponent(account.space)}/kv/${key}`, headers),
}

/** What an answer shows of a part. */
const shown = ({ status, headers, bytes }: Reply): Record<string, unknown> => ({
  status,
  range: headers['content-range'],
  length: headers['content-length'],
  ranges: headers['accept-ranges'],
  etag: headers['etag'],
  body: etagOf(bytes),
})

/** The answer that gives the bytes from `first` to `last`. */
const partOf = (value: Buffer, first: number, last: number): Record<string, unknown> => ({
  status: 206,
  range: `bytes ${first}-${last}/${value.length}`,
  length: String(last - first + 1),
  ranges: 'bytes',
  etag: etagOf(value),
  body: etagOf(value.subarray(first, last + 1)),
})

/** Ranges of a value: its ends, the edges of segments and windows, and some anywhere. */
function rangesOf(value: Buffer): [first: number, last: number][] {
  const end = value.length - 1
  const edges = [1, ONE_HOP_BYTES, SEGMENT_BYTES, WINDOW_BYTES, 2 * WINDOW_BYTES]
    .filter((edge) => edge < end)
    .flatMap((edge): [number, number][] => [
      [edge - 1, edge],
      [edge, edge],
      [0, edge - 1],
      [0, edge],
      [edge, end],
    ])
  const random = createRandom(chooseSeed())
  const anywhere = Array.from({ length: 12 }, (): [number, number] => {
    const first = random.below(value.length)
    return [first, first + random.below(value.length - first)]
  })
  return [[0, 0], [end, end], [0, end], ...edges, ...anywhere]
}

describe.each(Object.entries(READERS))('a part by %s', (_, read) => {
  it.each(['small', 'large'])(
    'of a %s value is exactly what was asked for (RANGE-1)',
    async (key) => {
      const value = present(VALUES[key])
      for (const [first, last] of rangesOf(value))
        expect(shown(await read(key, { range: `bytes=${first}-${last}` }))).toEqual(
          partOf(value, first, last),
        )
      const end = value.length - 1
      expect(shown(await read(key, { range: 'bytes=7-' }))).toEqual(partOf(value, 7, end))
      expect(shown(await read(key, { range: 'bytes=-7' }))).toEqual(partOf(value, end - 6, end))
      expect(shown(await read(key, { range: 'bytes=-99999999999' }))).toEqual(partOf(value, 0, end))
      expect(shown(await read(key, { range: `bytes=990-${end + 5}` }))).toEqual(
        partOf(value, 990, end),
      )
    },
  )

  it.each(['small', 'large', 'empty'])('outside of a %s value is 416 (RANGE-1)', async (key) => {
    const { length } = present(VALUES[key])
    for (const range of [`bytes=${length}-`, `bytes=${length}-${length + 9}`, 'bytes=-0']) {
      const reply = await read(key, { range })
      expect([reply.status, reply.text()]).toEqual([416, ''])
      expect(reply.headers).toMatchObject({
        'content-range': `bytes */${length}`,
        'content-length': '0',
      })
    }
  })

  it('that nobody understands is the whole value (RANGE-1)', async () => {
    for (const range of ['bytes=0-1,3-4', 'items=0-1', 'bytes=5-2', 'nonsense']) {
      const reply = await read('small', { range })
      expect(reply.status).toBe(200)
      expect(reply.headers['content-range']).toBeUndefined()
      expect(reply.bytes.equals(present(VALUES['small']))).toBe(true)
    }
  })

  it('goes by If-Range (RANGE-2)', async () => {
    const value = present(VALUES['large'])
    const range = 'bytes=0-9'
    expect(shown(await read('large', { range, 'if-range': etagOf(value) }))).toEqual(
      partOf(value, 0, 9),
    )
    for (const other of [`W/${etagOf(value)}`, etagOf(Buffer.from('other')), '*']) {
      const reply = await read('large', { range, 'if-range': other })
      expect(reply.status).toBe(200)
      expect(reply.bytes.equals(value)).toBe(true)
    }
  })

  it('is not looked at when the client has the value (RANGE-3)', async () => {
    const etag = etagOf(present(VALUES['small']))
    for (const range of ['bytes=0-9', 'bytes=9999-']) {
      const reply = await read('small', { range, 'if-none-match': etag })
      expect([reply.status, reply.text(), reply.headers['etag']]).toEqual([304, '', etag])
    }
    expect(shown(await read('small', { range: 'bytes=0-9', 'if-none-match': '"other"' }))).toEqual(
      partOf(present(VALUES['small']), 0, 9),
    )
  })
})

const rangeOf = (first: number, last: number): Headers => ({ range: `bytes=${first}-${last}` })

describe('kv/get', () => {
  it('without Range shows nothing of ranges (RANGE-3)', async () => {
    for (const key of ['small', 'large']) {
      const { status, headers } = await get(key, { 'if-range': '"x"' })
      expect(status).toBe(200)
      expect(headers).not.toHaveProperty('accept-ranges')
      expect(headers).not.toHaveProperty('content-range')
    }
  })

  it('bounds the part, not the value, by x-tinycloud-max-response-bytes (RANGE-3)', async () => {
    const limit = { 'x-tinycloud-max-response-bytes': '10' }
    for (const key of ['small', 'large']) {
      expect(shown(await get(key, { ...limit, range: 'bytes=5-14' }))).toEqual(
        partOf(present(VALUES[key]), 5, 14),
      )
      const larger = await get(key, { ...limit, range: 'bytes=5-15' })
      expect([larger.status, larger.text()]).toEqual([
        413,
        'KV response is 11 bytes, exceeding the requested limit of 10 bytes',
      ])
    }
  })

  it('of several keys has no parts, nor has metadata or a put (RANGE-3)', async () => {
    const headers = { range: 'bytes=0-0' }
    const both = issueInvocation(account, {
      [kvResource(account.space, 'small')]: ['tinycloud.kv/get'],
      [kvResource(account.space, 'empty')]: ['tinycloud.kv/get'],
    })
    const batch = await invoke(node.connections, both, { headers })
    expect(batch.status).toBe(200)
    expect(batch.text()).toContain(present(VALUES['small']).toString('base64'))
    expect((await kv(node.connections, account, 'metadata', 'small', { headers })).status).toBe(200)
    const put = await kv(node.connections, account, 'put', 'other', { headers, body: 'whole' })
    expect(put.headers['etag']).toBe(etagOf(Buffer.from('whole')))
  })

  it('uses its token up with a part, as with a whole value (INV-10)', async () => {
    const token = issueKv(account, 'get', 'large')
    const headers = { range: 'bytes=0-9' }
    expect((await invoke(node.connections, token, { headers })).status).toBe(206)
    expect((await invoke(node.connections, token, { headers })).status).toBe(409)
  })
})

/** Files of large values that the node has open. */
async function openObjects(): Promise<string[]> {
  const directory = `/proc/${node.process.pid}/fd`
  const targets = await Promise.all(
    (await readdir(directory)).map((fd) => readlink(path.join(directory, fd)).catch(() => '')),
  )
  return targets.filter((target) => target.includes('/objects/'))
}

describe('the file of a large value', () => {
  it('is closed after each part', async () => {
    for (const range of ['bytes=0-0', 'bytes=-1', `bytes=${WINDOW_BYTES - 1}-${WINDOW_BYTES}`])
      expect((await READERS['an invocation']?.('large', { range }))?.status).toBe(206)
    expect(await openObjects()).toEqual([])
  })

  it('gives the parts that are whole when another one is spoiled, and never a wrong byte', async () => {
    const value = bytesOf(3 * SEGMENT_BYTES + 5)
    assertOk(await kv(node.connections, account, 'put', 'spoiled', { body: value }), 'put')
    const { url } = await openUrl(node.connections, account, 'spoiled')
    const root = path.join(node.directory, 'data', 'blocks', 'objects')
    const files = await readdir(root, { recursive: true, withFileTypes: true })
    for (const file of files.filter((entry) => entry.isFile())) {
      const target = path.join(file.parentPath, file.name)
      const bytes = await readFile(target)
      if (!bytes.equals(value)) continue
      bytes[SEGMENT_BYTES + 7] = (bytes[SEGMENT_BYTES + 7] ?? 0) ^ 1
      await writeFile(target, bytes)
    }
    const end = value.length - 1
    for (const [first, last] of [
      [0, SEGMENT_BYTES - 1],
      [2 * SEGMENT_BYTES, end],
    ] as const)
      expect(shown(await readUrl(node.connections, url, rangeOf(first, last)))).toEqual(
        partOf(value, first, last),
      )
    for (const [first, last] of [
      [SEGMENT_BYTES + 100, SEGMENT_BYTES + 200],
      [SEGMENT_BYTES - 1, SEGMENT_BYTES],
    ] as const) {
      const { status, bytes } = await readUrl(node.connections, url, rangeOf(first, last))
      expect([status, bytes.toString()]).toEqual([
        500,
        'The stored value failed its integrity check',
      ])
    }
    for (const [first, last] of [
      [SEGMENT_BYTES, 2 * SEGMENT_BYTES],
      [0, end],
    ] as const) {
      // Reset when the damage is met on the way; refused at once when the value is in quarantine by then.
      const outcome = await readUrl(node.connections, url, rangeOf(first, last)).then(
        ({ status }) => status,
        () => 'reset',
      )
      expect([500, 'reset']).toContain(outcome)
    }
    expect(await openObjects()).toEqual([])
  })
})
