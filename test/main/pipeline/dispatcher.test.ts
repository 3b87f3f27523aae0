import { afterEach, describe, expect, it } from 'vitest'

import { ComputeClient } from '../../../src/main/compute-client.ts'
import { Dispatcher, type Job, type Settled } from '../../../src/main/pipeline/dispatcher.ts'
import { emptyAnswer } from '../../../src/protocol/answer.ts'
import { PackedReader } from '../../../src/protocol/packed.ts'
import { COMPUTE_OPTIONS, STAND_IN_COMPUTE_URL } from '../../_util/stand-in-node.ts'

interface Bench {
  readonly dispatcher: Dispatcher
  readonly batchSizes: number[]
  /** Request ids of the commands that were sent to storage, by batch. */
  readonly commands: number[][]
  readonly faults: unknown[]
  close(): Promise<void>
}

const opened: Bench[] = []
afterEach(async () => {
  for (const bench of opened.splice(0)) await bench.close()
})

async function open(workerCount = 1): Promise<Bench> {
  const compute = await ComputeClient.open({
    workerUrl: STAND_IN_COMPUTE_URL,
    workerCount,
    workerData: COMPUTE_OPTIONS,
    events: { onWorkerLost: () => undefined },
  })
  const batchSizes: number[] = []
  const commands: number[][] = []
  const faults: unknown[] = []
  const dispatcher = new Dispatcher({
    compute,
    storage: {
      sendCommands: (batch) => {
        const reader = new PackedReader(batch)
        const ids: number[] = []
        while (!reader.isDone) ids.push(reader.u32())
        commands.push(ids)
      },
    },
    observer: {
      onBatch: (entryCount) => batchSizes.push(entryCount),
      onFault: (error) => faults.push(error),
    },
  })
  const bench = { dispatcher, batchSizes, commands, faults, close: () => compute.close() }
  opened.push(bench)
  return bench
}

function submit(
  { dispatcher }: Bench,
  token: string,
  options: { lane?: string; bytes?: number; isGone?: boolean; onVerified?: () => void } = {},
): Promise<Settled> {
  const job: Job = {
    lane: options.lane ?? 'lane',
    entry: {
      kind: 'token',
      requestId: dispatcher.createRequestId(),
      route: 'invoke',
      authorization: token,
      headers: [],
      body: { kind: 'none' },
    },
    bytes: options.bytes ?? 100,
    isAbandoned: () => options.isGone ?? false,
    onVerified: options.onVerified ?? (() => undefined),
  }
  return dispatcher.submit(job)
}

const kindOf = ({ outcome }: Settled): string =>
  outcome.kind === 'failure' ? outcome.failure.code : outcome.kind

describe('Dispatcher', () => {
  it('sends a single request at once, and what arrives together as batches of 32 at most', async () => {
    const bench = await open()
    expect(kindOf(await submit(bench, 'echo'))).toBe('answer')
    expect(bench.batchSizes).toEqual([1])
    await Promise.all(Array.from({ length: 100 }, () => submit(bench, 'echo')))
    expect(bench.batchSizes).toEqual([1, 16, 16, 16, 16, 16, 16, 4])
  })

  it('keeps a batch to 1 MiB', async () => {
    const bench = await open()
    await Promise.all(Array.from({ length: 9 }, () => submit(bench, 'echo', { bytes: 300_000 })))
    expect(bench.batchSizes).toEqual([3, 3, 3])
  })

  it('gives every lane its turn while a busy one has hundreds waiting', async () => {
    const bench = await open()
    const finished: string[] = []
    const busy = Array.from({ length: 300 }, async () => {
      await submit(bench, 'echo', { lane: 'busy' })
      finished.push('busy')
    })
    const quiet = submit(bench, 'echo', { lane: 'quiet' }).then(() => finished.push('quiet'))
    await Promise.all([...busy, quiet])
    expect(finished.indexOf('quiet')).toBeLessThan(32)
  })

  it('gives each request its own outcome', async () => {
    const bench = await open(2)
    const tokens = Array.from({ length: 200 }, (_, index) =>
      index % 3 ? `answer ${index}` : 'fail SPACE_NOT_FOUND',
    )
    const settled = await Promise.all(tokens.map((token) => submit(bench, token)))
    for (const [index, { outcome }] of settled.entries()) {
      const length = outcome.kind === 'answer' ? outcome.answer.body.length : -1
      expect(length).toBe(index % 3 ? index : -1)
    }
  })

  it('sends commands on unread, and settles them with what storage replies', async () => {
    const bench = await open()
    let verifiedCount = 0
    const onVerified = (): void => {
      verifiedCount += 1
    }
    const puts = [
      submit(bench, 'command', { onVerified }),
      submit(bench, 'command', { onVerified }),
    ]
    const read = await submit(bench, 'echo')
    expect(kindOf(read)).toBe('answer')
    expect(bench.commands).toEqual([[1, 2]])
    expect([verifiedCount, bench.dispatcher.atStorageCount]).toEqual([2, 2])
    bench.dispatcher.settleReplies([
      { requestId: 2, kind: 'failure', failure: { code: 'PRECONDITION_FAILED', detail: '' } },
      { requestId: 999, kind: 'answer', answer: emptyAnswer() },
      { requestId: 1, kind: 'answer', answer: emptyAnswer() },
    ])
    expect((await Promise.all(puts)).map(kindOf)).toEqual(['answer', 'PRECONDITION_FAILED'])
    expect(bench.dispatcher.atStorageCount).toBe(0)
  })

  it('drops what its client no longer waits for', async () => {
    const bench = await open()
    const settled = await Promise.all([
      submit(bench, 'die', { isGone: true }),
      submit(bench, 'echo'),
    ])
    expect(settled.map(kindOf)).toEqual(['REQUEST_MALFORMED', 'answer'])
    expect(bench.batchSizes).toEqual([1])
  })

  it('fails what a dying worker had, and goes on with the next one', async () => {
    const bench = await open()
    const settled = await Promise.all([
      ...Array.from({ length: 100 }, () => submit(bench, 'wait 1')),
      submit(bench, 'die', { lane: 'other' }),
    ])
    expect(new Set(settled.map(kindOf))).toEqual(new Set(['NODE_BUSY', 'answer']))
    expect(settled.filter((one) => kindOf(one) === 'NODE_BUSY').length).toBeGreaterThanOrEqual(32)
    expect(kindOf(await submit(bench, 'echo'))).toBe('answer')
  })

  it('answers 500 for a batch that it cannot read, and sends none of its commands', async () => {
    const bench = await open()
    const settled = await Promise.all([
      submit(bench, 'command'),
      submit(bench, 'garble'),
      submit(bench, 'echo'),
    ])
    expect(settled.map(kindOf)).toEqual(['INTERNAL', 'INTERNAL', 'INTERNAL'])
    expect([bench.commands, bench.dispatcher.atStorageCount]).toEqual([[], 0])
    expect(bench.faults).toHaveLength(1)
    expect(kindOf(await submit(bench, 'echo'))).toBe('answer')
  })
})
