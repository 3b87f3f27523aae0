/** One start of a grown store, and all of its figures: nothing else runs meanwhile, not even the other stores. */
import { type NodeProcess } from '../../test/_util/node-process.ts'
import { type LoadReport } from '../load/latency.ts'
import { openLoader } from '../load/loader.ts'
import { type LoadMode, type LoadPlan } from '../load/plan.ts'
import { createRequests } from '../load/requests.ts'
import { openSigners, type Signers } from '../load/signers.ts'
import { readMemory, watchProcessors } from '../machine.ts'
import { type GrownStore, readThrough } from './grown-store.ts'

/** One thing that is asked of every store. */
export interface GrowthTask {
  readonly name: string
  readonly mode: LoadMode
  /** Asks only the first so many spaces. */
  readonly spacesMax?: number
}

export interface TaskReport {
  /** One connection: nothing is hidden behind a queue. */
  readonly alone: LoadReport
  readonly crowded: LoadReport
}

export interface StoreTurn {
  /** From the command to the first healthy answer. */
  readonly startMs: number
  /** Of the node after all tasks. */
  readonly residentBytes: number
  readonly reports: Readonly<Record<string, TaskReport>>
  /** The largest of its loads. */
  readonly foreignShare: number
}

export const CROWD = 64
const WARM_UP_REQUESTS = 600
const TOKEN_RESERVE = 1.4
const TOKENS_MAX = 80_000
/** A load adds no more new keys than the store had, so that a small one stays small; but enough to measure. */
const NEW_KEYS_MIN = 2000
/** Rates for which the first round is signed; the later ones know better. */
const FIRST_RATE_PER_S = { alone: 3500, crowded: 12_000 } as const

export type Crowding = keyof typeof FIRST_RATE_PER_S

/** Measures one store, each time with requests that nobody sent before. */
export class StoreMeter {
  readonly store: GrownStore
  readonly #rates = new Map<string, number>()
  #nextRequest = 0

  constructor(store: GrownStore) {
    this.store = store
  }

  async takeTurn(tasks: readonly GrowthTask[], seconds: number): Promise<StoreTurn> {
    await readThrough(this.store)
    const startedMs = performance.now()
    const node = await this.store.start()
    const startMs = performance.now() - startedMs
    const signers = openSigners(this.store.population.accounts)
    const reports: Record<string, TaskReport> = {}
    let foreignShare = 0
    const measure = async (task: GrowthTask, crowding: Crowding): Promise<LoadReport> => {
      const { result, usage } = await this.#measureTask(node, signers, task, crowding, seconds)
      foreignShare = Math.max(foreignShare, usage.foreignShare)
      return result
    }
    try {
      await this.#warmUp(node, signers, tasks)
      for (const task of tasks) {
        const crowded = await measure(task, 'crowded')
        reports[task.name] = { crowded, alone: await measure(task, 'alone') }
      }
      const { residentBytes } = readMemory(node.pid)
      return { startMs, residentBytes, reports, foreignShare }
    } finally {
      await signers.close()
      await node.stop()
    }
  }

  get #newKeysMax(): number {
    const { accounts, keysPerSpace } = this.store.population
    return Math.min(TOKENS_MAX, Math.max(NEW_KEYS_MIN, accounts.count * keysPerSpace))
  }

  async #warmUp(node: NodeProcess, signers: Signers, tasks: readonly GrowthTask[]): Promise<void> {
    const loader = openLoader(node.url, CROWD)
    for (const task of tasks.filter(({ mode }) => mode !== 'put'))
      await loader.runClosedLoop(await this.#sign(signers, task, WARM_UP_REQUESTS), Infinity)
    await loader.close()
  }

  async #measureTask(
    node: NodeProcess,
    signers: Signers,
    task: GrowthTask,
    crowding: Crowding,
    seconds: number,
  ): ReturnType<typeof watchProcessors<LoadReport>> {
    const rateName = `${task.name} ${crowding}`
    const ratePerS = this.#rates.get(rateName) ?? FIRST_RATE_PER_S[crowding]
    const count = Math.min(
      Math.ceil(ratePerS * seconds * TOKEN_RESERVE),
      task.mode === 'put' ? this.#newKeysMax : TOKENS_MAX,
    )
    const requests = await this.#sign(signers, task, count)
    const loader = openLoader(node.url, crowding === 'alone' ? 1 : CROWD)
    const watched = { serverPid: node.pid, otherPids: [] }
    const measured = await watchProcessors(watched, () => loader.runClosedLoop(requests, seconds))
    await loader.close()
    this.#rates.set(rateName, measured.result.requestsPerSecond)
    return measured
  }

  async #sign(
    signers: Signers,
    { mode, spacesMax = Infinity }: GrowthTask,
    count: number,
  ): Promise<ReturnType<typeof createRequests>> {
    const { accounts, keysPerSpace, valueBytes } = this.store.population
    const plan: LoadPlan = {
      mode,
      spaces: Math.min(accounts.count, spacesMax),
      keys: keysPerSpace,
      isScattered: true,
    }
    const from = this.#nextRequest
    this.#nextRequest += count
    const tokens = await signers.sign({ plan, from, count })
    return createRequests({ plan, from, tokens, valueBytes })
  }
}
