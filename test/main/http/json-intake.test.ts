/** How routes that take JSON take it in (HTTP-5): whole, of any framing, up to 1 MiB, and nothing is left behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openStandInNode, type StandInNode, talk } from '../../_util/stand-in-node.ts'

const PATH = '/delegation/status'
const JSON_BYTES_MAX = 1024 * 1024

let node: StandInNode
beforeAll(async () => {
  node = await openStandInNode()
})
afterAll(() => node.close())

const head = (fields: string, type = 'application/json'): string =>
  `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: echo\r\ncontent-type: ${type}\r\n${fields}\r\n\r\n`

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const END = '0\r\n\r\n'

const statusLines = (text: string): string[] => text.match(/HTTP\/1\.1 \d+/g) ?? []

async function untilIdle(): Promise<unknown> {
  for (let tries = 0; tries < 200 && node.admission.load.operations > 0; tries++)
    await new Promise((wake) => setTimeout(wake, 10))
  return node.admission.load
}

const IDLE = { operations: 0, bytes: 0, streams: 0 }

describe('a JSON body', () => {
  it('of unknown length arrives whole, in many pieces', async () => {
    const { text } = await talk(node.port, [
      head('connection: close\r\ntransfer-encoding: chunked'),
      chunk('{"cid"'),
      5,
      chunk(':'),
      5,
      chunk('"x"}'),
      END,
    ])
    expect(statusLines(text)).toEqual(['HTTP/1.1 200'])
    expect(text.endsWith('{"cid":"x"}')).toBe(true)
  })

  it('of unknown length may be empty', async () => {
    const { text } = await talk(node.port, [
      head('connection: close\r\ntransfer-encoding: chunked'),
      END,
    ])
    expect([statusLines(text), text.endsWith('\r\n\r\n')]).toEqual([['HTTP/1.1 200'], true])
  })

  it('is continued when its client waits for that, and not for another type', async () => {
    const fields = 'connection: close\r\nexpect: 100-continue\r\ncontent-length: 2'
    const taken = await talk(node.port, [head(fields), 30, '{}'])
    expect(statusLines(taken.text)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200'])
    const refused = await talk(node.port, [head(fields, 'text/plain')], { untilText: '\r\n\r\n' })
    expect(statusLines(refused.text)).toEqual(['HTTP/1.1 404'])
  })

  it('that is declared too long is 413 before a byte of it, and the connection goes on', async () => {
    const { text, end } = await talk(node.port, [
      head(`content-length: ${JSON_BYTES_MAX + 1}`),
      50,
      Buffer.alloc(JSON_BYTES_MAX + 1),
      head('connection: close\r\ncontent-length: 2'),
      '{}',
    ])
    expect([statusLines(text), end]).toEqual([['HTTP/1.1 413', 'HTTP/1.1 200'], 'closed'])
  })

  it('that turns out too long is 413 at once, and the connection goes on', async () => {
    const part = chunk(' '.repeat(256 * 1024))
    const { text, end } = await talk(node.port, [
      head('transfer-encoding: chunked'),
      ...Array.from({ length: 5 }, () => part),
      100,
      ...Array.from({ length: 8 }, () => part),
      END,
      head('connection: close\r\ncontent-length: 2'),
      '{}',
    ])
    expect([statusLines(text), end]).toEqual([['HTTP/1.1 413', 'HTTP/1.1 200'], 'closed'])
    expect(await untilIdle()).toEqual(IDLE)
  })

  it('that is cut off leaves nothing behind', async () => {
    for (const parts of [
      [head('transfer-encoding: chunked'), chunk('{"cid"'), 30],
      [head('transfer-encoding: chunked'), '5\r\n{"c', 30],
      [head('content-length: 100'), '{"cid"', 30],
    ]) {
      await talk(node.port, parts, { timeoutMs: 100 })
      expect(await untilIdle()).toEqual(IDLE)
    }
  })

  it('counts at its full limit while its length is unknown', async () => {
    const small = await openStandInNode({ limits: { bytesMax: JSON_BYTES_MAX, share: 1 } })
    try {
      const { text } = await talk(small.port, [
        head('connection: close\r\ntransfer-encoding: chunked'),
        END,
      ])
      expect(statusLines(text)).toEqual(['HTTP/1.1 503'])
      const known = await talk(small.port, [head('connection: close\r\ncontent-length: 2'), '{}'])
      expect(statusLines(known.text)).toEqual(['HTTP/1.1 200'])
    } finally {
      await small.close()
    }
  })
})
