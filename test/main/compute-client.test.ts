import { afterEach, describe, expect, it } from 'vitest'

import { ComputeClient } from '../../src/main/compute-client.ts'
import { StartFault } from '../../src/workers/storage/request.ts'
import { PackedWriter } from '../../src/protocol/packed.ts'
import { readResults, writeEntry } from '../../src/workers/compute/request.ts'
import { COMPUTE_OPTIONS, STAND_IN_COMPUTE_URL } from '../_util/stand-in-node.ts'

const opened: ComputeClient[] = []
afterEach(async () => {
  for (const client of opened.splice(0)) await client.close()
})

async function open(
  workerCount: number,
  lost: string[] = [],
  workerUrl: URL = STAND_IN_COMPUTE_URL,
): Promise<ComputeClient> {
  const client = await ComputeClient.open({
    workerUrl,
    workerCount,
    workerData: COMPUTE_OPTIONS,
    events: { onWorkerLost: (_threadId, reason) => lost.push(reason) },
  })
  opened.push(client)
  return client
}

function batchOf(...tokens: string[]): ArrayBuffer {
  const writer = new PackedWriter()
  for (const [requestId, authorization] of tokens.entries()) {
    const body = { kind: 'none' } as const
    writeEntry(writer, {
      kind: 'token',
      requestId,
      route: 'invoke',
      authorization,
      headers: [],
      body,
    })
  }
  return writer.finish()
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300 && !isSo(); tries++)
    await new Promise((wake) => setTimeout(wake, 10))
  expect(isSo()).toBe(true)
}

describe('ComputeClient', () => {
  it('gives each worker two batches, the idlest first, and no more', async () => {
    const client = await open(2)
    const chosen: number[] = []
    const running = []
    for (let worker = client.workerForBatch(); worker; worker = client.workerForBatch()) {
      chosen.push(worker.threadId)
      running.push(client.runBatch(worker, batchOf('wait 50')))
    }
    const [first, second] = chosen
    expect(new Set(chosen).size).toBe(2)
    expect(chosen).toEqual([first, second, first, second])
    for (const ran of await Promise.all(running)) expect(ran.ok).toBe(true)
    expect(client.workerForBatch()).toBeDefined()
  })

  it('moves the batch to the worker that was chosen, and the results back', async () => {
    const client = await open(1)
    const worker = client.workerForBatch()
    if (!worker) throw new Error('no worker')
    const batch = batchOf('echo', 'fail NODE_BUSY')
    const ran = await client.runBatch(worker, batch)
    expect(batch.byteLength).toBe(0)
    if (!ran.ok) throw new Error(ran.failure.code)
    expect([...readResults(ran.value.results)].map((result) => result.kind)).toEqual([
      'answer',
      'failure',
    ])
  })

  it('keeps more stream tasks than a worker may have in order, and loses none', async () => {
    const client = await open(1)
    const worker = client.workerForStream()
    if (!worker) throw new Error('no worker')
    const prepared = Buffer.from('prepared')
    const opening = client.runStreamTask(worker, 'open', { streamId: 1, prepared })
    const appends = Array.from({ length: 50 }, (_, index) =>
      client.runStreamTask(worker, 'append', { streamId: 1, chunk: Uint8Array.of(index) }),
    )
    const finish = client.runStreamTask(worker, 'finish', { streamId: 1 })
    const outcomes = await Promise.all([opening, ...appends])
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true)
    const finished = await finish
    expect(finished.ok && Buffer.from(finished.value).toString()).toMatch(/^50 /)
  })

  it('spreads streams over the workers by how many are pinned', async () => {
    const client = await open(2)
    const first = client.workerForStream()
    if (!first) throw new Error('no worker')
    const release = client.pinStream(first)
    expect(client.workerForStream()?.threadId).not.toBe(first.threadId)
    release()
    expect(client.workerForStream()?.threadId).toBe(first.threadId)
  })

  it('fails what a dying worker had, and replaces it', async () => {
    const lost: string[] = []
    const client = await open(1, lost)
    let capacityCalls = 0
    client.onCapacity = () => {
      capacityCalls += 1
    }
    const worker = client.workerForBatch()
    if (!worker) throw new Error('no worker')
    const [dead, beside] = await Promise.all([
      client.runBatch(worker, batchOf('die')),
      client.runBatch(worker, batchOf('wait 1000')),
    ])
    for (const ran of [dead, beside])
      expect(ran).toEqual({ ok: false, failure: { code: 'NODE_BUSY', detail: '' } })
    expect(lost).toEqual(['exit code 3'])
    const late = await client.runStreamTask(worker, 'append', {
      streamId: 1,
      chunk: Uint8Array.of(1),
    })
    expect(late.ok).toBe(false)
    await until(() => client.workerCount === 1 && capacityCalls === 1)
    const next = client.workerForBatch()
    if (!next) throw new Error('no worker')
    expect(next.threadId).not.toBe(worker.threadId)
    expect((await client.runBatch(next, batchOf('echo'))).ok).toBe(true)
  })

  it('takes a thrown error for a bug: 500 without detail, and the worker is replaced', async () => {
    const lost: string[] = []
    const client = await open(1, lost)
    const worker = client.workerForBatch()
    if (!worker) throw new Error('no worker')
    const ran = await client.runBatch(worker, batchOf('throw'))
    expect(ran).toEqual({ ok: false, failure: { code: 'INTERNAL', detail: '' } })
    expect(lost).toHaveLength(1)
    expect(lost[0]).toContain('planted')
    await until(() => client.workerCount === 1)
    const next = client.workerForBatch()
    if (!next) throw new Error('no worker')
    expect((await client.runBatch(next, batchOf('echo'))).ok).toBe(true)
  })

  it('refuses to start on a worker that cannot', async () => {
    const broken = new URL('data:text/javascript,throw new Error("no")')
    await expect(open(1, [], broken)).rejects.toBeInstanceOf(StartFault)
    await expect(
      open(2, [], new URL('./no-such.worker.ts', import.meta.url)),
    ).rejects.toBeInstanceOf(StartFault)
  })
})
