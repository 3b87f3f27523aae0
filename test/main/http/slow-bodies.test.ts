/** Bodies that do not come: the limits of time, with a clock that the test moves. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { ComputeClient } from '../../../src/main/compute-client.ts'
import { readWholeBody } from '../../../src/main/http/request-body.ts'
import { UploadReceiver } from '../../../src/main/http/upload.ts'
import { VALUE_LIMIT } from '../../../src/main/pipeline/upload-rooms.ts'
import { COMPUTE_OPTIONS, STAND_IN_COMPUTE_URL } from '../../_util/stand-in-node.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const openRequest = (): IncomingMessage => new IncomingMessage(new Socket())

/** What a promise has come to by now. */
async function stateOf<T>(promise: Promise<T>): Promise<T | 'pending'> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  return Promise.race([promise, Promise.resolve('pending' as const)])
}

describe('a whole body', () => {
  it('is late after a minute, however it trickles', async () => {
    const request = openRequest()
    const body = readWholeBody(request, { lengthBytes: 1000, bytesMax: 1000 })
    for (let second = 0; second < 59; second++) {
      request.push(Buffer.alloc(1))
      vi.advanceTimersByTime(1000)
    }
    expect(await stateOf(body)).toBe('pending')
    vi.advanceTimersByTime(1000)
    expect(await stateOf(body)).toEqual({ kind: 'late' })
  })

  it('that came in time is not late afterwards', async () => {
    const request = openRequest()
    const body = readWholeBody(request, { lengthBytes: 3, bytesMax: 3 })
    request.push(Buffer.from('abc'))
    request.push(null)
    expect(await stateOf(body)).toMatchObject({ kind: 'whole', bytes: Buffer.from('abc') })
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('an upload', () => {
  it('goes on while it brings 16 KiB in half a minute, and is given up when it does not', async () => {
    vi.useRealTimers()
    const compute = await ComputeClient.open({
      workerUrl: STAND_IN_COMPUTE_URL,
      workerCount: 1,
      workerData: COMPUTE_OPTIONS,
      events: { onWorkerLost: () => undefined },
    })
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const worker = compute.workerForStream()
    if (!worker) throw new Error('no worker')
    const request = openRequest()
    const prepared = Buffer.from('prepared')
    const limit = VALUE_LIMIT
    const options = {
      compute,
      worker,
      streamId: 1,
      prepared,
      staging: 'memory',
      limit,
      isLowOnSpace: () => false,
    } as const
    const upload = new UploadReceiver(options).receive(request)
    for (let period = 0; period < 5; period++) {
      request.push(Buffer.alloc(16 * 1024))
      expect(await stateOf(upload)).toBe('pending')
      await new Promise((resolve) => setTimeout(resolve, 50))
      vi.advanceTimersByTime(30_000)
    }
    expect(await stateOf(upload)).toBe('pending')
    request.push(Buffer.alloc(1000))
    await new Promise((resolve) => setTimeout(resolve, 50))
    vi.advanceTimersByTime(30_000)
    expect(await upload).toEqual({ ok: false, failure: { code: 'UPLOAD_TIMEOUT', detail: '' } })
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    await compute.close()
  })
})
