/** Heads that begin and do not end have one budget, and nobody else pays for them (HTTP-6). */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { openStandInNode, type StandInNode } from '../../_util/stand-in-node.ts'

const KIB = 1024
const BUDGET = 1024 * KIB

let node: StandInNode
const sockets: Socket[] = []

beforeEach(async () => {
  node = await openStandInNode({ connections: { unfinishedHeadBytesMax: BUDGET } })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await node.close()
})

interface Sender {
  readonly socket: Socket
  text: string
  isClosed: boolean
}

function begin(headBytes: number, before = ''): Sender {
  const socket = connect(node.port, '127.0.0.1')
  sockets.push(socket)
  const sender: Sender = { socket, text: '', isClosed: false }
  socket.on('data', (part) => (sender.text += part.toString('latin1')))
  socket.on('error', () => undefined)
  socket.on('close', () => (sender.isClosed = true))
  socket.write(
    `${before}POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${'a'.repeat(headBytes)}`,
  )
  return sender
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300 && !isSo(); tries++) await sleep(10)
  expect(isSo()).toBe(true)
}

const SMALL = 'POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: echo\r\ncontent-length: 0\r\n\r\n'

it('within the budget may take their time', async () => {
  const senders = [begin(500 * KIB), begin(400 * KIB)]
  await sleep(400)
  expect(senders.map(({ isClosed }) => isClosed)).toEqual([false, false])
  for (const { socket } of senders) socket.write('\r\ncontent-length: 0\r\n\r\n')
  await until(() => senders.every(({ text }) => text.startsWith('HTTP/1.1 401 ')))
})

it('beyond it the longest are refused with 503, until the others fit', async () => {
  const short = begin(10 * KIB)
  const middle = begin(300 * KIB)
  const long = [begin(500 * KIB), begin(480 * KIB)]
  await until(() => long.some(({ isClosed }) => isClosed))
  await sleep(300)
  expect([short, middle, ...long].filter(({ isClosed }) => isClosed)).toEqual([long[0]])
  expect(long[0]?.text).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1\r\n/)
  short.socket.write('\r\ncontent-length: 0\r\n\r\n')
  await until(() => short.text.startsWith('HTTP/1.1 401 '))
})

it('do not count what came before on the same connection, and count behind it', async () => {
  const before = SMALL.repeat(2)
  const quiet = begin(1, before)
  await until(() => quiet.text.split('HTTP/1.1 200').length === 3)
  // A chunk of each, 64 KiB, was read with what came before.
  const senders = Array.from({ length: 6 }, () => begin(400 * KIB, before))
  await until(() => senders.filter(({ isClosed }) => isClosed).length >= 3)
  await sleep(300)
  expect(senders.filter(({ isClosed }) => !isClosed).length).toBeGreaterThanOrEqual(2)
  expect(quiet.isClosed).toBe(false)
})

it('are not bodies: neither one that is read, nor one that is dropped after an early answer', async () => {
  const body = Buffer.alloc(8 * BUDGET, 7)
  for (const given of [body, ReadableStream.from([body])]) {
    const uploaded = await node.post('upload', { body: given })
    expect(await uploaded.text()).toMatch(new RegExp(`^${body.length} `))
  }
  const socket = connect(node.port, '127.0.0.1')
  sockets.push(socket)
  let text = ''
  socket.on('data', (part) => (text += part.toString('latin1')))
  socket.write(
    `POST /delegate HTTP/1.1\r\nhost: x\r\nauthorization: echo\r\ncontent-length: ${body.length}\r\n\r\n`,
  )
  await until(() => text.startsWith('HTTP/1.1 200 '))
  for (let offset = 0; offset < body.length; offset += BUDGET) {
    socket.write(body.subarray(offset, offset + BUDGET))
    await sleep(120)
  }
  socket.write(SMALL)
  await until(() => text.split('HTTP/1.1 200').length === 3)
})
