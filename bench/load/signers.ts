/** Worker threads that sign the tokens of a load, before its figures are taken. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type LoadAccount, type NumberedAccounts } from './accounts.ts'
import { type LoadPlan } from './plan.ts'

export interface SigningOrder {
  readonly plan: LoadPlan
  /** Number of the first request. */
  readonly from: number
  readonly count: number
}

export interface Signers {
  /** The tokens of requests `from` … `from + count - 1`. One order at a time. */
  sign(order: SigningOrder): Promise<string[]>
  close(): Promise<void>
}

export function openSigners(accounts: readonly LoadAccount[] | NumberedAccounts): Signers {
  const workers = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL('signer.worker.ts', import.meta.url), { workerData: accounts }),
  )
  return {
    async sign({ plan, from, count }) {
      const share = Math.ceil(count / workers.length)
      const parts = workers.map((worker, index) => {
        const offset = Math.min(count, index * share)
        const size = Math.min(share, count - offset)
        return signOn(worker, { plan, from: from + offset, count: size })
      })
      return (await Promise.all(parts)).flat()
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

function signOn(worker: Worker, order: SigningOrder): Promise<string[]> {
  return new Promise((resolve, reject) => {
    worker.once('message', (tokens: string[]) => {
      worker.off('error', reject)
      resolve(tokens)
    })
    worker.once('error', reject)
    worker.postMessage(order, [])
  })
}
