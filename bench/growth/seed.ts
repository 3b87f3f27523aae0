/**
 * Fills a running node through its own door: everything is signed, sent over HTTP and acknowledged, so that what lies
 * on the disk afterwards is what clients would have left. The signing takes most of the time, so it has threads.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Population } from './population.ts'

/** What the threads do, one step after the other: a space must be hosted before keys are put into it. */
export type SeedingStep = 'host' | 'put'

export interface SeedingOrder {
  readonly url: string
  readonly population: Population
  /** The thread takes every `threads`-th account, or batch where there is one account, from this one on. */
  readonly thread: number
  readonly threads: number
}

/** @throws {Error} when the node refuses something */
export async function seedNode(url: string, population: Population): Promise<void> {
  const threads = availableParallelism()
  const workers = Array.from(
    { length: threads },
    (_, thread) =>
      new Worker(new URL('seeder.worker.ts', import.meta.url), {
        workerData: { url, population, thread, threads } satisfies SeedingOrder,
      }),
  )
  try {
    for (const step of ['host', 'put'] as const)
      await Promise.all(workers.map((worker) => runStep(worker, step)))
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

function runStep(worker: Worker, step: SeedingStep): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => {
      worker.off('error', reject)
      resolve()
    })
    worker.once('error', reject)
    worker.postMessage(step, [])
  })
}
