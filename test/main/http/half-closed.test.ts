/** Clients that close their side of the connection once they have sent everything, and wait for the answer (HTTP-11). */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { openStandInNode, type StandInNode } from '../../_util/stand-in-node.ts'

interface Ending {
  readonly text: string
  readonly isReset: boolean
  readonly elapsedMs: number
}

let node: StandInNode
beforeAll(async () => {
  node = await openStandInNode({ connections: { halfClosedIdleMs: 600 } })
})
afterAll(() => node.close())

afterEach(async () => {
  for (let tries = 0; tries < 300 && node.admission.load.operations > 0; tries++) await sleep(10)
  if (node.admission.load.operations > 0 || node.faults.length > 0)
    throw new Error(`something is left: ${JSON.stringify([node.admission.load, node.faults])}`)
})

/** Sends, closes its side, and gives what comes until the node closes the other one. */
function sendAndClose(bytes: string | Uint8Array, afterMs = 0): Promise<Ending> {
  return new Promise((resolve) => {
    const startedMs = performance.now()
    let text = ''
    const settle = (isReset: boolean): void =>
      resolve({ text, isReset, elapsedMs: performance.now() - startedMs })
    const socket = connect({ port: node.port, host: '127.0.0.1', allowHalfOpen: true })
    socket.on('data', (part) => (text += part.toString('latin1')))
    socket.on('error', () => settle(true))
    socket.on('end', () => settle(false))
    socket.write(bytes)
    setTimeout(() => socket.end(), afterMs)
  })
}

const request = (token: string, body: string | Uint8Array = ''): Buffer =>
  Buffer.concat([
    Buffer.from(
      `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\ncontent-length: ${body.length}\r\n\r\n`,
    ),
    Buffer.from(body),
  ])

const answersIn = (text: string): number => text.split('HTTP/1.1 200').length - 1

describe('a client that closes its side after its request', () => {
  it.each([0, 50])('gets its answer, and then the end (%i ms later)', async (afterMs) => {
    const got = await sendAndClose(request('wait 200'), afterMs)
    expect(got).toMatchObject({ isReset: false })
    expect(got.text).toMatch(/^HTTP\/1\.1 200 [^]*waited$/)
    const put = await sendAndClose(request('echo', 'a small value'), afterMs)
    expect(put.text).toMatch(/a small value$/)
  })

  it('gets what a large body came to, and a large value whole', async () => {
    const uploaded = await sendAndClose(request('upload', randomBytes(3_000_000)))
    expect(uploaded.text).toMatch(/3000000 [0-9a-f]{64}$/)
    const downloaded = await sendAndClose(request('download 3000000'))
    expect(downloaded.isReset).toBe(false)
    expect(downloaded.text.length).toBeGreaterThan(3_000_000)
    const listed = await sendAndClose(request('listing 200'))
    expect(listed.text).toMatch(/null\]\r\n0\r\n\r\n$/)
  })

  it('gets the answers to all the requests that it sent at once, in their order', async () => {
    const bytes = Buffer.concat([request('wait 100'), request('echo', 'two'), request('wait 50')])
    const { text } = await sendAndClose(bytes)
    expect(answersIn(text)).toBe(3)
    expect(text).toMatch(/waited[^]*two[^]*waited$/)
  })
})

describe('a client that closes its side too early', () => {
  it('in the middle of a head is refused with a bare status, at once', async () => {
    const { text, elapsedMs } = await sendAndClose('POST /invoke HTTP/1.1\r\nhost: x\r\nauth')
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(elapsedMs).toBeLessThan(500)
  })

  it.each([
    ['small', 100],
    ['large', 300_000],
  ])('in the middle of a %s body changes nothing, and lets go of it at once', async (_, length) => {
    const token = length === 100 ? 'echo' : 'upload'
    const head = `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\ncontent-length: ${length}\r\n\r\n`
    const { text, elapsedMs } = await sendAndClose(`${head}only a part`, 100)
    expect(answersIn(text)).toBe(0)
    expect(elapsedMs).toBeLessThan(500)
  })

  it('without a request is let go at once', async () => {
    const { text, elapsedMs } = await sendAndClose('')
    expect(text).toBe('')
    expect(elapsedMs).toBeLessThan(500)
  })
})

describe('a half-closed connection', () => {
  it('on which nothing moves is cut after its time, long before an open one', async () => {
    const { text, elapsedMs } = await sendAndClose(request('wait 3000'))
    expect(text).toBe('')
    expect(elapsedMs).toBeGreaterThan(500)
    expect(elapsedMs).toBeLessThan(2500)
    for (let tries = 0; tries < 400 && node.admission.load.operations > 0; tries++) await sleep(10)
  })

  it('whose client does not take its answer is cut as well', async () => {
    const socket = connect({ port: node.port, host: '127.0.0.1', allowHalfOpen: true })
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('error', () => undefined)
    socket.pause()
    socket.end(request('download 500000000'))
    for (let tries = 0; tries < 200 && node.admission.load.streams === 0; tries++) await sleep(10)
    expect(node.admission.load.streams).toBe(1)
    for (let tries = 0; tries < 300 && node.admission.load.streams > 0; tries++) await sleep(10)
    expect(node.admission.load.streams).toBe(0)
    socket.destroy()
    await closed
  })
})
