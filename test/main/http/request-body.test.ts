/** Bodies on their way in: read whole, dropped after an early answer, continued when asked, abandoned. */
import { connect } from 'node:net'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openStandInNode, type StandInNode, talk } from '../../_util/stand-in-node.ts'

let node: StandInNode
beforeAll(async () => {
  node = await openStandInNode()
})
afterAll(() => node.close())

const head = (token: string, fields: string, path = '/invoke'): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\n${fields}\r\n\r\n`

const statusLines = (text: string): string[] => text.match(/HTTP\/1\.1 \d+/g) ?? []

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !isSo(); tries++)
    await new Promise((wake) => setTimeout(wake, 10))
  expect(isSo()).toBe(true)
}

describe('a body of known, small length', () => {
  it('arrives whole, also in many pieces', async () => {
    const pieces = Array.from({ length: 10 }, (_, index) => `part ${index} `)
    const body = pieces.join('')
    const { text } = await talk(node.port, [
      head('echo', `connection: close\r\ncontent-length: ${body.length}`),
      ...pieces.flatMap((piece) => [piece, 5]),
    ])
    expect(statusLines(text)).toEqual(['HTTP/1.1 200'])
    expect(text.endsWith(body)).toBe(true)
  })

  it('is told apart from none: length 0, no length', async () => {
    for (const fields of ['content-length: 0', 'x: y']) {
      const { text } = await talk(node.port, [head('echo', `connection: close\r\n${fields}`)])
      expect([fields, text.endsWith('none')]).toEqual([fields, true])
    }
  })

  it('of 256 KiB is whole, of one byte more is for later', async () => {
    expect(await (await node.post('upload', { body: Buffer.alloc(256 * 1024) })).text()).toBe(
      'whole whole',
    )
    expect(
      await (await node.post('upload', { body: Buffer.alloc(256 * 1024 + 1) })).text(),
    ).toMatch(/^262145 /)
  })

  it('is ignored, and dropped, by the routes that take none', async () => {
    const body = 'x'.repeat(5000)
    for (const path of ['/delegate', '/revoke']) {
      const { text } = await talk(node.port, [
        head('echo', `content-length: ${body.length}`, path),
        20,
        body,
        head('echo', 'connection: close', path),
      ])
      expect([path, ...statusLines(text)]).toEqual([path, 'HTTP/1.1 200', 'HTTP/1.1 200'])
      expect(text.match(/none/g)).toHaveLength(2)
    }
  })
})

describe('a body that nobody asked for', () => {
  it('is dropped on every route, and the connection goes on', async () => {
    const body = Buffer.alloc(300_000)
    for (const start of ['GET /version', 'GET /nothing', 'PUT /invoke']) {
      const request = `${start} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`
      const { text, end } = await talk(node.port, [
        request,
        body,
        head('echo', 'connection: close'),
      ])
      expect([start, end, statusLines(text).at(-1)]).toEqual([start, 'closed', 'HTTP/1.1 200'])
      expect(statusLines(text)).toHaveLength(2)
    }
  })
})

describe('an early answer (HTTP-4)', () => {
  it('is seen while the body is still coming, and the connection goes on after it', async () => {
    const bytes = 2 * 1024 * 1024
    const parts: (string | number | Uint8Array)[] = [
      head('fail UNAUTHORIZED_INVOKER', `content-length: ${bytes}`),
      50,
    ]
    for (let sent = 0; sent < bytes; sent += 65_536) parts.push(Buffer.alloc(65_536), 1)
    const { text, end } = await talk(node.port, [...parts, head('echo', 'connection: close')])
    expect(statusLines(text)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200'])
    expect(end).toBe('closed')
  })

  it('comes before a large body is read: while it stalls', async () => {
    for (const [token, status] of [
      ['fail UNAUTHORIZED_INVOKER', 401],
      ['', 401],
      ['fail NODE_BUSY', 503],
    ] as const) {
      const line = token === '' ? 'x: y' : `authorization: ${token}`
      const request = `POST /invoke HTTP/1.1\r\nhost: x\r\n${line}\r\ncontent-length: 5000000\r\n\r\n`
      const { text, end } = await talk(node.port, [request, Buffer.alloc(65_536)], {
        untilText: '\r\n\r\n',
      })
      expect([statusLines(text), end]).toEqual([[`HTTP/1.1 ${status}`], 'seen'])
    }
  })

  it('is 413 when the declared length is over the limit, before a byte of it (KV-6)', async () => {
    const { text } = await talk(node.port, [head('upload', 'content-length: 1000000001')], {
      untilText: '\r\n\r\n',
    })
    expect(statusLines(text)).toEqual(['HTTP/1.1 413'])
    const allowed = await talk(node.port, [head('upload', 'content-length: 1000000000'), 100], {
      untilText: 'HTTP',
      timeoutMs: 300,
    })
    expect(allowed.text).toBe('')
  })

  it('holds nothing afterwards', async () => {
    await until(() => node.admission.load.operations === 0)
    expect(node.admission.load).toEqual({ operations: 0, bytes: 0, streams: 0 })
  })
})

describe('Expect: 100-continue', () => {
  it('is continued when the body will be read', async () => {
    const small = await talk(node.port, [
      head('echo', 'connection: close\r\nexpect: 100-continue\r\ncontent-length: 5'),
      30,
      'hello',
    ])
    expect(statusLines(small.text)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200'])
    const large = await talk(node.port, [
      head('upload', 'connection: close\r\nexpect: 100-Continue\r\ncontent-length: 300000'),
      30,
      Buffer.alloc(300_000),
    ])
    expect(statusLines(large.text)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200'])
  })

  it('is not continued when the request is refused, or the body is not wanted', async () => {
    const refused = await talk(
      node.port,
      [head('fail UNAUTHORIZED_INVOKER', 'expect: 100-continue\r\ncontent-length: 300000')],
      { untilText: '\r\n\r\n' },
    )
    expect(statusLines(refused.text)).toEqual(['HTTP/1.1 401'])
    const ignored = await talk(
      node.port,
      [head('echo', 'expect: 100-continue\r\ncontent-length: 5', '/delegate')],
      { untilText: 'none' },
    )
    expect(statusLines(ignored.text)).toEqual(['HTTP/1.1 200'])
  })
})

describe('a client that goes away', () => {
  it('in the middle of a small body leaves nothing behind', async () => {
    await talk(node.port, [head('echo', 'content-length: 100'), 'half', 30], { timeoutMs: 100 })
    await until(() => node.admission.load.operations === 0)
    expect(node.admission.load).toEqual({ operations: 0, bytes: 0, streams: 0 })
  })

  it('in the middle of an upload leaves nothing behind', async () => {
    await talk(node.port, [head('upload', 'content-length: 5000000'), Buffer.alloc(400_000), 30], {
      timeoutMs: 100,
    })
    await until(() => node.admission.load.operations === 0)
    expect(node.admission.load).toEqual({ operations: 0, bytes: 0, streams: 0 })
  })

  it('by a reset before its turn costs no work', async () => {
    const busy: Promise<Response>[] = []
    for (let batch = 0; batch < 2; batch++) {
      busy.push(node.post('wait 200'))
      await new Promise((wake) => setTimeout(wake, 30))
    }
    // One that only closes its side waits for its answer (HTTP-11).
    const leaving = connect(node.port, '127.0.0.1')
    leaving.write(head('die', 'content-length: 0'))
    await until(() => node.admission.load.operations === 3)
    leaving.resetAndDestroy()
    await Promise.all(busy)
    await until(() => node.admission.load.operations === 0)
    expect(node.lostWorkers).toEqual([])
  })
})
