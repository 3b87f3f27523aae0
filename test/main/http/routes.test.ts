import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { hostDid } from '../../../src/protocol/host-key.ts'
import { openStandInNode, type StandInNode, talk } from '../../_util/stand-in-node.ts'

const SPACE = 'tinycloud:pkh:eip155:1:0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266:default'
const NODE_SECRET = new Uint8Array(32).fill(7)

let node: StandInNode
beforeAll(async () => {
  node = await openStandInNode()
})
afterAll(() => node.close())

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(node.url + path, init)

const peer = (space: string): Promise<Response> =>
  get(`/peer/generate/${encodeURIComponent(space)}`)

describe('paths (HTTP-1)', () => {
  it('are case-sensitive, and take doubled and trailing slashes', async () => {
    for (const path of [
      '/info',
      '//info',
      '/info/',
      '/version/',
      '///version',
      '/healthz/',
      '/info?x=1',
    ]) {
      expect([path, (await get(path)).status]).toEqual([path, 200])
    }
    for (const path of ['//invoke', '/invoke/', '/invoke']) {
      expect([path, (await node.post('echo', { path })).status]).toEqual([path, 200])
    }
    for (const path of ['/Info', '/INVOKE', '/', '/nothing', '/invoke/more', '/x/y']) {
      expect([path, (await get(path)).status]).toEqual([path, 404])
    }
  })

  it('answer 404, never 405, to another method', async () => {
    for (const [method, path] of [
      ['GET', '/invoke'],
      ['PUT', '/invoke'],
      ['DELETE', '/version'],
      ['PATCH', '/delegate'],
      ['POST', '/version'],
      ['PROPFIND', '/version'],
    ] as const) {
      expect([method, path, (await get(path, { method })).status]).toEqual([method, path, 404])
    }
    const head = await get('/invoke', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([404, ''])
  })

  it('refuse a path that cannot be decoded', async () => {
    expect((await get('/%zz')).status).toBe(400)
    expect(await (await get('/peer/generate/%zz')).text()).toContain('400')
  })

  it('answer HEAD wherever they answer GET, with the headers of GET and no body (HTTP-7)', async () => {
    for (const path of ['/version', '/info', '/healthz', '/health', `/peer/generate/${SPACE}`]) {
      const [full, head] = [await get(path), await get(path, { method: 'HEAD' })]
      expect([path, head.status, await head.text()]).toEqual([path, 200, ''])
      expect(head.headers.get('content-length')).toBe(full.headers.get('content-length'))
    }
  })
})

describe('every answer', () => {
  it('has a trace id of its own, and forbids sniffing', async () => {
    const ids = new Set<string>()
    for (const answer of [
      await get('/version'),
      await get('/nothing'),
      await node.post('echo'),
      await node.post('fail INTERNAL'),
    ]) {
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('tinycloud-trace-id')).toMatch(/^[0-9a-f]{32}$/)
      ids.add(answer.headers.get('tinycloud-trace-id') ?? '')
    }
    expect(ids.size).toBe(4)
  })

  it('closes its connection while the node is going down', async () => {
    const stopping = await openStandInNode()
    stopping.setStopping()
    const answer = await fetch(`${stopping.url}/version`)
    expect(answer.headers.get('connection')).toBe('close')
    const refused = await stopping.post('echo')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    await stopping.close()
  })
})

describe('GET /peer/generate/:space', () => {
  it('gives the host DID as bare text, whatever the spelling of the address', async () => {
    const expected = hostDid(NODE_SECRET, SPACE)
    for (const path of [
      encodeURIComponent(SPACE),
      SPACE,
      SPACE.toLowerCase(),
      `${SPACE}/`,
      `${SPACE}?x`,
    ]) {
      const answer = await get(`/peer/generate/${path}`)
      expect([path, answer.status, await answer.text()]).toEqual([path, 200, expected])
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    }
  })

  it('decodes the space once, so that names may hold escapes', async () => {
    for (const name of ['a%20b', 'a%2Fb', 'n'.repeat(1000)]) {
      const space = SPACE.replace('default', name)
      const answer = await peer(space)
      expect([name, answer.status, await answer.text()]).toEqual([
        name,
        200,
        hostDid(NODE_SECRET, space),
      ])
    }
    expect((await peer(SPACE.replace('default', 'a%b'))).status).toBe(400)
  })

  it('refuses what is not a space id', async () => {
    for (const text of [
      'nonsense',
      'tinycloud:',
      `${SPACE}/kv`,
      `${SPACE}?q`,
      SPACE.replace('tinycloud', 'https'),
      `${SPACE}#f`,
    ]) {
      const answer = await peer(text)
      expect([text, answer.status, await answer.text()]).toEqual([text, 400, 'Invalid space ID'])
    }
    expect((await get('/peer/generate/')).status).toBe(404)
  })
})

describe('GET /healthz', () => {
  it('is 200 and empty, and probes with a write when asked', async () => {
    for (const path of ['/healthz', '/health', '/healthz?write=1']) {
      const answer = await get(path)
      expect([answer.status, await answer.text()]).toEqual([200, ''])
    }
  })

  it('is 503 when storage says so', async () => {
    const sick = await openStandInNode({ storage: { probe: 'fails' } })
    expect((await fetch(`${sick.url}/healthz?write=1`)).status).toBe(503)
    await sick.close()
  })
})

const refused = async (head: string): Promise<string> =>
  (await talk(node.port, [head])).text.split('\r\n')[0] ?? ''

const headOfBytes = (tokenBytes: number): string =>
  `POST /invoke HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\nauthorization: echo ${'a'.repeat(tokenBytes - 5)}\r\n\r\n`

const headOfFields = (count: number): string =>
  `GET /version HTTP/1.1\r\nconnection: close\r\n${'a: b\r\n'.repeat(count - 1)}\r\n`

describe('what the parser refuses', () => {
  it('is answered with a bare status line and no headers of ours', async () => {
    const { text, end } = await talk(node.port, ['NONSENSE\r\n\r\n'])
    expect([text.split('\r\n')[0], end]).toEqual(['HTTP/1.1 400 Bad Request', 'closed'])
    expect(text).not.toContain('tinycloud-trace-id')
    expect(await refused('BREW /version HTTP/1.1\r\nhost: x\r\n\r\n')).toBe(
      'HTTP/1.1 400 Bad Request',
    )
    expect(
      await refused(
        'POST /invoke HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      ),
    ).toBe('HTTP/1.1 400 Bad Request')
    expect(await refused('POST /invoke HTTP/1.1\r\nhost: x\r\ncontent-length: 1x\r\n\r\n')).toBe(
      'HTTP/1.1 400 Bad Request',
    )
  })

  it('resolves no dot segments', async () => {
    for (const path of ['/x/../info', '/./info', '/info/..', '/%2e/info']) {
      const line = await refused(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      expect([path, line]).toEqual([path, 'HTTP/1.1 404 Not Found'])
    }
  })

  it('takes HTTP/1.0 and a missing host', async () => {
    expect(await refused('GET /version HTTP/1.0\r\n\r\n')).toBe('HTTP/1.1 200 OK')
    expect(await refused('GET /version HTTP/1.1\r\nconnection: close\r\n\r\n')).toBe(
      'HTTP/1.1 200 OK',
    )
  })

  it('takes a token of 512 KiB, refuses a longer one with 431, and a longer head as well (TOKEN-2)', async () => {
    expect(await refused(headOfBytes(512 * 1024))).toBe('HTTP/1.1 200 OK')
    expect(await refused(headOfBytes(512 * 1024 + 1))).toBe(
      'HTTP/1.1 431 Request Header Fields Too Large',
    )
    expect(await refused(headOfBytes(600 * 1024))).toBe(
      'HTTP/1.1 431 Request Header Fields Too Large',
    )
  })

  it('refuses more than 100 header fields instead of dropping some', async () => {
    expect(await refused(headOfFields(100))).toBe('HTTP/1.1 200 OK')
    expect(await refused(headOfFields(101))).toBe('HTTP/1.1 431 Request Header Fields Too Large')
    expect(await refused(headOfFields(20_000))).toBe('HTTP/1.1 431 Request Header Fields Too Large')
  })

  it('answers OPTIONS for the server itself', async () => {
    expect(await refused('OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toBe(
      'HTTP/1.1 200 OK',
    )
  })
})
