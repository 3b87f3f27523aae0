/** Keys, values, stored headers and conditions on a running node. */
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/protocol/bytes.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import {
  type Account,
  assertOk,
  invoke,
  issueInvocation,
  issueKv,
  issueShare,
  kv,
  type KvAction,
  kvResource,
  openAccount,
  postDelegation,
  type Reply,
  type RequestOptions,
} from '../_util/client.ts'
import { membersOf } from '../_util/narrow.ts'
import { sendRaw } from '../_util/raw-http.ts'
import { useRunningNode } from '../_util/running-node.ts'
import { METADATA_BYTES_MAX } from '../../src/protocol/limits.ts'

const node = useRunningNode('values')

const open = (): Promise<Account> => openAccount(node.connections)
const told = (reply: Reply): [status: number, text: string] => [reply.status, reply.text()]
const etagOf = (value: Uint8Array | string): string =>
  `"blake3-${toHex(blake3(typeof value === 'string' ? utf8(value) : value))}"`

/** Requests of one account. */
function as(
  account: Account,
): (
  action: KvAction,
  key: string,
  options?: Omit<RequestOptions, 'authorization' | 'method'>,
) => Promise<Reply> {
  return (action, key, options) => kv(node.connections, account, action, key, options)
}

describe('keys', () => {
  const KEYS = [
    'a',
    'A',
    'a/b',
    'a%2Fb',
    'a//b',
    'a/',
    '/a',
    '//',
    '',
    '%00',
    '%FF',
    'e%CC%81',
    '%C3%A9',
    'a%20b',
    'x=1&y',
    "!$'()*+,;:@-_~",
    '.hidden',
    'a..b',
    '__proto__',
    'constructor',
    'k'.repeat(2048),
  ]

  it('are the text of the path, each another key (KV-1)', async () => {
    const run = as(await open())
    for (const [index, key] of KEYS.entries())
      expect((await run('put', key, { body: `value ${index}` })).status).toBe(200)
    for (const [index, key] of KEYS.entries())
      expect(told(await run('get', key))).toEqual([200, `value ${index}`])
    const listed: unknown = JSON.parse((await run('list', '')).text())
    expect(listed).toEqual(KEYS.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    for (const key of KEYS) expect((await run('del', key)).status).toBe(200)
    expect((await run('list', '')).text()).toBe('[]')
  })

  it('do not include a query (KV-1)', async () => {
    const run = as(await open())
    assertOk(await run('put', 'a?x=1', { body: 'one' }), 'put')
    expect(told(await run('get', 'a'))).toEqual([200, 'one'])
  })

  it('have at most 2048 bytes (KV-2)', async () => {
    const run = as(await open())
    expect(told(await run('put', 'k'.repeat(2049), { body: 'x' }))).toEqual([
      400,
      'KV key exceeds 2048 bytes',
    ])
    expect((await run('get', 'k'.repeat(2049))).status).toBe(404)
    expect((await run('list', '')).text()).toBe('[]')
  })
})

describe('values', () => {
  it('come back byte for byte with their ETag, empty ones too (KV-3)', async () => {
    const run = as(await open())
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256))
    for (const value of [bytes, Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(262_144, 7)]) {
      const put = await run('put', 'a', { body: value })
      expect(told(put)).toEqual([200, ''])
      expect(put.headers['etag']).toBe(etagOf(value))
      expect(put.headers['content-type']).toBeUndefined()
      const get = await run('get', 'a')
      expect(get.status).toBe(200)
      expect(get.bytes.equals(value)).toBe(true)
      expect(get.headers).toMatchObject({
        etag: etagOf(value),
        'cache-control': 'private, no-cache',
        'content-length': String(value.length),
      })
    }
  })

  it('are put when the request has no body at all (KV-3)', async () => {
    const run = as(await open())
    expect((await run('put', 'a')).headers['etag']).toBe(etagOf(''))
    expect(told(await run('get', 'a'))).toEqual([200, ''])
  })

  it('are replaced together with their headers (KV-3)', async () => {
    const run = as(await open())
    assertOk(await run('put', 'a', { body: 'one', headers: { 'x-tinycloud-meta-a': '1' } }), 'put')
    assertOk(await run('put', 'a', { body: 'two', headers: { 'x-tinycloud-meta-b': '2' } }), 'put')
    const get = await run('get', 'a')
    expect(get.text()).toBe('two')
    expect(get.headers['x-tinycloud-meta-a']).toBeUndefined()
    expect(get.headers['x-tinycloud-meta-b']).toBe('2')
  })

  it('are 404 with the error page where there are none (KV-4)', async () => {
    const run = as(await open())
    assertOk(await run('put', 'deleted', { body: 'one' }), 'put')
    assertOk(await run('del', 'deleted'), 'del')
    for (const key of ['never', 'deleted'])
      for (const action of ['get', 'metadata'] as const) {
        const html = await run(action, key)
        expect(html.status).toBe(404)
        expect(html.headers['content-type']).toBe('text/html; charset=utf-8')
        expect(html.text()).not.toMatch(/space not found/i)
        const json = await run(action, key, { headers: { accept: 'application/json' } })
        expect(JSON.parse(json.text())).toEqual({
          error: {
            code: 404,
            reason: 'Not Found',
            description: 'The requested resource could not be found.',
          },
        })
      }
  })

  it('are deleted once, and never come back (KV-5)', async () => {
    const run = as(await open())
    expect(told(await run('del', 'a'))).toEqual([404, 'No Such Key: a'])
    for (const body of ['one', 'two']) assertOk(await run('put', 'a', { body }), 'put')
    const first = await run('del', 'a')
    expect(told(first)).toEqual([200, ''])
    expect(first.headers['etag']).toBe(etagOf('two'))
    const second = await run('del', 'a')
    expect(told(second)).toEqual([200, ''])
    expect(second.headers['etag']).toBeUndefined()
    expect((await run('get', 'a')).status).toBe(404)
    assertOk(await run('put', 'a', { body: 'three' }), 'put')
    expect(told(await run('get', 'a'))).toEqual([200, 'three'])
  })

  it('may be refused for their length by the reader (KV-7)', async () => {
    const run = as(await open())
    assertOk(await run('put', 'a', { body: '0123456789' }), 'put')
    const bounded = (bytes: string): Promise<Reply> =>
      run('get', 'a', { headers: { 'x-tinycloud-max-response-bytes': bytes } })
    expect(told(await bounded('10'))).toEqual([200, '0123456789'])
    expect(told(await bounded('9'))).toEqual([
      413,
      'KV response is 10 bytes, exceeding the requested limit of 9 bytes',
    ])
    for (const bad of ['0', '-1', '1.5', 'ten', ' ', '0x10'])
      expect(told(await bounded(bad))).toEqual([
        400,
        'x-tinycloud-max-response-bytes must be a positive integer',
      ])
  })
})

describe('several keys at once', () => {
  it('are answered in order, the missing ones too (KV-8)', async () => {
    const account = await open()
    const run = as(account)
    const value = Buffer.from([0xff, 0x00, 0xfe])
    assertOk(await run('put', 'b', { body: value, headers: { 'content-type': 'x/y' } }), 'put')
    const grants = (action: string): Record<string, string[]> =>
      Object.fromEntries(
        ['a', 'b'].map((key) => [kvResource(account.space, key), [`tinycloud.kv/${action}`]]),
      )
    const missing = {
      key: 'a',
      ok: false,
      error: { code: 'KV_NOT_FOUND', message: 'Key not found: a' },
    }
    const headers = { 'content-type': 'x/y', etag: etagOf(value) }
    const get = await invoke(node.connections, issueInvocation(account, grants('get')))
    expect(JSON.parse(get.text())).toEqual({
      results: [
        missing,
        {
          key: 'b',
          ok: true,
          dataBase64: value.toString('base64'),
          headers: { ...headers, 'content-length': '3' },
        },
      ],
    })
    const metadata = await invoke(node.connections, issueInvocation(account, grants('metadata')))
    expect(JSON.parse(metadata.text())).toEqual({
      results: [missing, { key: 'b', ok: true, headers }],
    })
  })

  it('are at most 100 (KV-8)', async () => {
    const account = await open()
    const read = (count: number): Promise<Reply> => {
      const keys = Array.from({ length: count }, (_, index) => `k${index}`)
      const grants = Object.fromEntries(
        keys.map((key) => [kvResource(account.space, key), ['tinycloud.kv/get']]),
      )
      return invoke(node.connections, issueInvocation(account, grants))
    }
    const { results } = membersOf(JSON.parse((await read(100)).text()))
    expect(results).toHaveLength(100)
    expect(told(await read(101))).toEqual([400, 'KV batch reads accept at most 100 keys'])
  })
})

describe('stored headers', () => {
  it('come back on get and metadata, and no others (META-1)', async () => {
    const run = as(await open())
    const stored = {
      'content-type': 'Application/X; q="a b"',
      'content-encoding': 'identity',
      'content-language': 'de-CH, en',
      'content-disposition': 'attachment; filename="a.txt"',
      'x-tinycloud-meta-mood': ' gr%C3%BCn ',
      'x-tinycloud-meta-__proto__': 'x',
    }
    const others = { 'x-other': '1', cookie: 'a=b', 'x-tinycloud-metadata': '1', etag: '"x"' }
    assertOk(await run('put', 'a', { body: 'one', headers: { ...stored, ...others } }), 'put')
    const expected = { ...stored, 'x-tinycloud-meta-mood': 'gr%C3%BCn', etag: etagOf('one') }
    const get = await run('get', 'a')
    const metadata = await run('metadata', 'a')
    for (const { headers } of [get, metadata]) {
      expect(headers).toMatchObject(expected)
      for (const name of [
        'x-other',
        'cookie',
        'set-cookie',
        'x-tinycloud-metadata',
        'authorization',
      ])
        expect(headers[name]).toBeUndefined()
    }
    expect(told(metadata)).toEqual([200, ''])
  })

  it('have at most 12 KiB together (META-3)', async () => {
    const account = await open()
    const run = as(account)
    const name = 'x-tinycloud-meta-long'
    const longest = METADATA_BYTES_MAX - name.length
    const put = (length: number): Promise<Reply> =>
      run('put', 'a', { body: 'one', headers: { [name]: 'v'.repeat(length) } })
    expect(told(await put(longest + 1))).toEqual([
      400,
      `KV metadata headers exceed ${METADATA_BYTES_MAX} bytes`,
    ])
    expect((await run('get', 'a')).status).toBe(404)
    expect((await put(longest)).status).toBe(200)
    // More than the test's client reads of a head.
    const { authorization } = issueKv(account, 'get', 'a')
    const lines = ['POST /invoke HTTP/1.1', 'host: x', `authorization: ${authorization}`, '\r\n']
    const received = await sendRaw(node.process.url, lines.join('\r\n'))
    expect(received).toContain(`${name}: ${'v'.repeat(longest)}\r\n`)
  })

  it('do not include the type that fetch invents for JSON (META-2)', async () => {
    const run = as(await open())
    const type = 'text/plain;charset=UTF-8'
    const typeAfter = async (body: string, sent: string): Promise<unknown> => {
      assertOk(await run('put', 'a', { body, headers: { 'content-type': sent } }), 'put')
      return (await run('get', 'a')).headers['content-type']
    }
    expect(await typeAfter('{"a":1}', type)).toBeUndefined()
    expect(await typeAfter(' [1]', type)).toBeUndefined()
    expect(await typeAfter('{"a":1}', 'text/plain')).toBe('text/plain')
    expect(await typeAfter('{"a":1', type)).toBe(type)
    expect(await typeAfter('"a"', type)).toBe(type)
    expect(await typeAfter('hello', type)).toBe(type)
  })
})

describe('conditions', () => {
  const FAILED = [412, 'KV precondition failed']

  it('guard a put by the version it replaces (COND-1)', async () => {
    const run = as(await open())
    const put = (body: string, match: string): Promise<Reply> =>
      run('put', 'a', { body, headers: { 'if-match': match } })
    expect(told(await put('one', etagOf('one')))).toEqual(FAILED)
    assertOk(await run('put', 'a', { body: 'one' }), 'put')
    expect((await put('two', etagOf('one'))).headers['etag']).toBe(etagOf('two'))
    expect(told(await put('three', etagOf('one')))).toEqual(FAILED)
    expect(told(await run('del', 'a', { headers: { 'if-match': etagOf('one') } }))).toEqual(FAILED)
    expect(told(await run('get', 'a'))).toEqual([200, 'two'])
    expect((await run('del', 'a', { headers: { 'if-match': etagOf('two') } })).status).toBe(200)
    expect(told(await put('four', etagOf('two')))).toEqual(FAILED)
  })

  it('let exactly one of many creators through, and one of many replacers (COND-1, COND-2)', async () => {
    const run = as(await open())
    const race = async (headers: Record<string, string>): Promise<string> => {
      const replies = await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          run('put', 'a', { body: `${JSON.stringify(headers)} ${index}`, headers }),
        ),
      )
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
      const losers = replies.filter(({ status }) => status !== 200)
      expect(losers.map(told)).toEqual(losers.map(() => FAILED))
      const value = (await run('get', 'a')).text()
      const winner = replies.findIndex(({ status }) => status === 200)
      expect(value).toBe(`${JSON.stringify(headers)} ${winner}`)
      return value
    }
    const created = await race({ 'if-none-match': '*' })
    await race({ 'if-match': etagOf(created) })
  })

  it('create a key again that was deleted (COND-2)', async () => {
    const run = as(await open())
    const create = (): Promise<Reply> =>
      run('put', 'a', { body: 'one', headers: { 'if-none-match': '*' } })
    expect((await create()).status).toBe(200)
    expect(told(await create())).toEqual(FAILED)
    assertOk(await run('del', 'a'), 'del')
    expect((await create()).status).toBe(200)
  })

  it('spare a reader what it has (COND-3)', async () => {
    const run = as(await open())
    const headers = { 'content-type': 'x/y' }
    assertOk(await run('put', 'a', { body: 'one', headers }), 'put')
    const get = (match: string): Promise<Reply> =>
      run('get', 'a', { headers: { 'if-none-match': match } })
    for (const match of [etagOf('one'), `W/${etagOf('one')}`, `"x", ${etagOf('one')}`, '*']) {
      const reply = await get(match)
      expect(told(reply)).toEqual([304, ''])
      expect(reply.headers).toMatchObject({
        etag: etagOf('one'),
        'cache-control': 'private, no-cache',
      })
    }
    expect(told(await get(etagOf('two')))).toEqual([200, 'one'])
  })

  it('tell a stranger nothing (COND-4)', async () => {
    const account = await open()
    const run = as(account)
    assertOk(await run('put', 'secret', { body: 'one' }), 'put')
    const share = issueShare(account, { path: 'shared' })
    assertOk(await postDelegation(node.connections, share), 'share')
    for (const key of ['secret', 'absent'])
      for (const headers of [
        { 'if-match': etagOf('one') },
        { 'if-none-match': '*' },
        { 'if-match': etagOf('two') },
      ]) {
        const reply = await kv(node.connections, share, 'put', key, { body: 'two', headers })
        expect(told(reply)).toEqual([
          401,
          `Unauthorized Action: ${kvResource(account.space, key)} / tinycloud.kv/put`,
        ])
      }
    expect(told(await run('get', 'secret'))).toEqual([200, 'one'])
  })
})
