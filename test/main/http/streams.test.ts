/** Uploads, downloads and long lists, with backpressure and with whatever can go wrong in the middle. */
import { createHash, randomBytes } from 'node:crypto'
import { type IncomingMessage, request as httpRequest } from 'node:http'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openStandInNode, type StandInNode, talk } from '../../_util/stand-in-node.ts'

const MEBIBYTE = 1024 * 1024

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300 && !isSo(); tries++)
    await new Promise((wake) => setTimeout(wake, 10))
  expect(isSo()).toBe(true)
}

const isIdle = (node: StandInNode): boolean => {
  const { operations, bytes, streams } = node.admission.load
  return operations === 0 && bytes === 0 && streams === 0
}

describe.each(['memory', 'file'] as const)('uploads, staging %s', (staging) => {
  let node: StandInNode
  beforeAll(async () => {
    node = await openStandInNode({ staging, workerCount: 2 })
  })
  afterAll(() => node.close())

  it('arrive whole and in order, whatever their length', async () => {
    for (const bytes of [256 * 1024 + 1, 256 * 1024 * 3, 5 * MEBIBYTE + 17]) {
      const body = randomBytes(bytes)
      const answer = await node.post('upload', { body })
      expect(await answer.text()).toBe(`${bytes} ${sha256(body)}`)
    }
    await until(() => isIdle(node))
  })

  it('of unknown length arrive whole', async () => {
    for (const chunks of [['a'], Array.from({ length: 50 }, () => randomBytes(10_000))]) {
      const answer = await node.post('upload', {
        body: ReadableStream.from(chunks.map((chunk) => Buffer.from(chunk))),
      })
      const whole = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)))
      expect(await answer.text()).toBe(`${whole.length} ${sha256(whole)}`)
    }
  })

  it('of unknown length and no bytes are an empty value', async () => {
    const head =
      'POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: upload\r\nconnection: close\r\n'
    const { text } = await talk(node.port, [
      `${head}transfer-encoding: chunked\r\n\r\n`,
      20,
      '0\r\n\r\n',
    ])
    expect(text.endsWith(`0 ${sha256(Buffer.alloc(0))}`)).toBe(true)
  })

  it('go on side by side without mixing', async () => {
    const bodies = Array.from({ length: 8 }, () => randomBytes(MEBIBYTE))
    const answers = await Promise.all(
      bodies.map(async (body) => (await node.post('upload', { body })).text()),
    )
    expect(answers).toEqual(bodies.map((body) => `${MEBIBYTE} ${sha256(body)}`))
  })
})

describe('uploads', () => {
  it('beyond the number of streams are refused with 503, and the others are not', async () => {
    const node = await openStandInNode({ limits: { streamsMax: 2 } })
    const head = `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: upload\r\ncontent-length: 300000\r\n\r\n`
    const first = talk(node.port, [head, 200, Buffer.alloc(300_000)], { untilText: '300000 ' })
    await until(() => node.admission.load.streams === 1)
    const second = await node.post('upload', { body: Buffer.alloc(300_000) })
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1'])
    expect((await first).end).toBe('seen')
    expect((await node.post('upload', { body: Buffer.alloc(300_000) })).status).toBe(200)
    await node.close()
  })

  it('over the limit in the middle are 413, never cut (KV-6)', async () => {
    const node = await openStandInNode()
    const chunk = Buffer.alloc(MEBIBYTE)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = httpRequest(`${node.url}/invoke`, {
        method: 'POST',
        headers: { authorization: 'upload' },
      })
      let sentBytes = 0
      const send = (): void => {
        for (;;) {
          if (sentBytes > 1_000_000_000) {
            outgoing.end()
            return
          }
          sentBytes += chunk.length
          if (!outgoing.write(chunk)) break
        }
        outgoing.once('drain', send)
      }
      outgoing.on('response', (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      outgoing.on('error', reject)
      send()
    })
    expect(status).toBe(413)
    await until(() => isIdle(node))
    await node.close()
  }, 60_000)

  it('are reset when the node goes down and their client is slow', async () => {
    const node = await openStandInNode()
    const head = `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: upload\r\ncontent-length: 300000\r\n\r\n`
    const slow = talk(node.port, [head, Buffer.alloc(1000)])
    await until(() => node.admission.load.streams === 1)
    node.signed.resetArriving()
    expect((await slow).end).not.toBe('late')
    await until(() => isIdle(node))
    await node.close()
  })
})

describe('downloads and lists', () => {
  let node: StandInNode
  beforeAll(async () => {
    node = await openStandInNode({ workerCount: 2 })
  })
  afterAll(() => node.close())

  it('arrive whole, with their length and headers', async () => {
    for (const bytes of [1, 100_000, 100_001, 3_000_000]) {
      const answer = await node.post(`download ${bytes}`)
      expect(answer.headers.get('content-length')).toBe(String(bytes))
      expect(answer.headers.get('etag')).toBe('"e"')
      expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.alloc(bytes, 100))).toBe(true)
    }
    await until(() => isIdle(node))
  })

  it('of lists join their windows to one text', async () => {
    const answer = await node.post('listing 200')
    expect(answer.headers.get('content-length')).toBeNull()
    const list: unknown = await answer.json()
    expect(list).toEqual([...Array.from({ length: 200 }, (_, index) => 200 - index), null])
  })

  it('that break in the middle reset the connection: never a short answer that looks whole', async () => {
    for (const token of ['download 300000 broken', 'listing 5 broken']) {
      const answer = await node.post(token)
      expect(answer.status).toBe(200)
      await expect(answer.arrayBuffer()).rejects.toThrow('terminated')
    }
    await until(() => isIdle(node))
  })

  it('wait for a slow client: windows are pulled as it takes them', async () => {
    const incoming = await new Promise<IncomingMessage>((resolve) => {
      const outgoing = httpRequest(`${node.url}/invoke`, {
        method: 'POST',
        headers: { authorization: 'download 500000000' },
      })
      outgoing.on('response', resolve)
      outgoing.end()
    })
    incoming.pause()
    await new Promise((wake) => setTimeout(wake, 300))
    const heldBytes = process.memoryUsage().arrayBuffers
    expect(heldBytes).toBeLessThan(100 * MEBIBYTE)
    expect(node.admission.load.streams).toBe(1)
    incoming.destroy()
    await until(() => isIdle(node))
  })

  it('end in a reset when their worker dies, and the node goes on with a new one', async () => {
    const single = await openStandInNode({ workerCount: 1 })
    const incoming = await new Promise<IncomingMessage>((resolve) => {
      const outgoing = httpRequest(`${single.url}/invoke`, {
        method: 'POST',
        headers: { authorization: 'download 500000000' },
      })
      outgoing.on('response', resolve)
      outgoing.end()
    })
    incoming.pause()
    expect((await single.post('die')).status).toBe(503)
    incoming.resume()
    await expect(
      new Promise((resolve, reject) => {
        incoming.on('error', reject)
        incoming.on('end', resolve)
      }),
    ).rejects.toThrow('aborted')
    await until(() => single.compute.workerCount === 1)
    expect((await single.post('echo')).status).toBe(200)
    await until(() => isIdle(single))
    await single.close()
  })
})
