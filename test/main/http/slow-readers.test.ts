/** Clients that do not take their answers: what they hold, for how long, and that others go on meanwhile (HTTP-12). */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, describe, expect, it } from 'vitest'

import {
  openStandInNode,
  type StandInNode,
  type StandInOptions,
} from '../../_util/stand-in-node.ts'

const MEBIBYTE = 1024 * 1024

let node: StandInNode
const readers: Socket[] = []

afterEach(async () => {
  for (const reader of readers.splice(0)) reader.destroy()
  await node.close()
})

const open = async (options: StandInOptions): Promise<void> => {
  node = await openStandInNode(options)
}

interface Reader {
  readonly socket: Socket
  receivedBytes: number
  /** Milliseconds from the start until the connection was gone. */
  readonly gone: Promise<number>
}

/** Asks, and takes nothing of the answer until it is told to. */
function ask(token: string): Reader {
  const startedMs = performance.now()
  const socket = connect(node.port, '127.0.0.1')
  readers.push(socket)
  socket.on('error', () => undefined)
  const gone = new Promise<number>((resolve) => {
    socket.on('close', () => resolve(performance.now() - startedMs))
  })
  socket.pause()
  socket.write(
    `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\ncontent-length: 0\r\n\r\n`,
  )
  const reader: Reader = { socket, receivedBytes: 0, gone }
  socket.on('data', (part) => (reader.receivedBytes += part.length))
  socket.pause()
  return reader
}

/** Takes what comes within a moment. */
async function takeSome({ socket }: Reader): Promise<void> {
  socket.resume()
  await sleep(2)
  socket.pause()
}

/** Takes a little now and then, until the connection is gone. */
async function trickle(reader: Reader, everyMs: number): Promise<void> {
  while (!reader.socket.destroyed) {
    await takeSome(reader)
    await sleep(everyMs)
  }
}

async function untilBusy(): Promise<void> {
  for (let tries = 0; tries < 200 && node.admission.load.operations === 0; tries++) await sleep(5)
  expect(node.admission.load.operations).toBe(1)
}

async function untilIdle(limitMs: number): Promise<number> {
  const startedMs = performance.now()
  while (node.admission.load.operations > 0) {
    const elapsedMs = performance.now() - startedMs
    if (elapsedMs > limitMs) throw new Error(`still ${JSON.stringify(node.admission.load)}`)
    await sleep(20)
  }
  expect(node.admission.load).toEqual({ operations: 0, bytes: 0, streams: 0 })
  return performance.now() - startedMs
}

describe('a reader that stalls', () => {
  it('in a large value holds two windows, and is cut after its time while others go on', async () => {
    await open({ connections: { takeMs: 1500 } })
    ask('download 500000000')
    await sleep(300)
    const { streams, bytes } = node.admission.load
    expect(streams).toBe(1)
    expect(bytes).toBeLessThan(2 * MEBIBYTE + 10_000)
    for (let count = 0; count < 5; count++) {
      const startedMs = performance.now()
      const whole = await node.post('download 3000000')
      expect((await whole.arrayBuffer()).byteLength).toBe(3_000_000)
      expect(performance.now() - startedMs).toBeLessThan(1000)
    }
    await untilIdle(5000)
  })

  it('in a whole answer is cut as well', async () => {
    await open({ connections: { takeMs: 400 } })
    ask('answer 50000000')
    await untilBusy()
    expect(await untilIdle(5000)).toBeGreaterThan(200)
  })

  it('is cut by the time in which nothing moves, where that is shorter', async () => {
    await open({ connections: { idleMs: 500 } })
    ask('download 500000000')
    await sleep(100)
    expect(node.admission.load.streams).toBe(1)
    await untilIdle(5000)
  })
})

it('a reader that trickles is cut: what moves a little is not idle, and holds as much', async () => {
  await open({ connections: { takeMs: 1000, idleMs: 2000 } })
  const reader = ask('answer 200000000')
  await untilBusy()
  void trickle(reader, 50)
  const elapsedMs = await untilIdle(10_000)
  expect(elapsedMs).toBeGreaterThan(500)
  expect(reader.receivedBytes).toBeGreaterThan(0)
  expect(reader.receivedBytes).toBeLessThan(200_000_000)
  reader.socket.resume()
  await reader.gone
})

it('a reader that is only slow gets all of it', async () => {
  await open({ connections: { takeMs: 500, idleMs: 2000 } })
  const reader = ask('download 30000000')
  const startedMs = performance.now()
  while (reader.receivedBytes < 30_000_000) {
    await takeSome(reader)
    await sleep(100)
    if (reader.socket.destroyed) throw new Error(`cut after ${reader.receivedBytes} bytes`)
  }
  expect(performance.now() - startedMs).toBeGreaterThan(600)
  await untilIdle(2000)
})

it('readers beyond the number of streams are refused at once, and get in when one is cut', async () => {
  await open({ limits: { streamsMax: 4 }, connections: { takeMs: 700 } })
  // One client may take half of them.
  for (let count = 0; count < 2; count++) ask('download 500000000')
  await sleep(200)
  expect((await node.post('download 3000000')).status).toBe(503)
  expect((await node.post('echo')).status).toBe(200)
  await untilIdle(5000)
  const whole = await node.post('download 3000000')
  expect((await whole.arrayBuffer()).byteLength).toBe(3_000_000)
})
