/**
 * The door to the compute pool, and the only user of Piscina.
 *
 * Piscina never queues here: main decides which worker runs what. At most two batches are in flight per worker (it never
 * sleeps while main sends replies) and a few stream tasks; what is more waits in main. The chosen worker rides under
 * `queueOptionsSymbol`, where the pool's balancer finds it.
 *
 * A worker that dies, or throws (workers return, they do not throw: a bug), fails its batches and its streams, and is
 * replaced. Its streams are never resumed elsewhere. Wait for `failed`: the pool cannot go on.
 */
import { type Worker } from 'node:worker_threads'

import { Piscina, queueOptionsSymbol } from 'piscina'

import { type Failure } from '../protocol/answer.ts'
import {
  type BatchResult,
  type ComputeOptions,
  type StreamTasks,
  type TaskOutcome,
} from '../workers/compute/request.ts'
import { type Damage, type Fault, StartFault } from '../workers/storage/request.ts'
import { Fifo } from './pipeline/fifo.ts'

const BATCHES_PER_WORKER_MAX = 2
/** More wait in main, so that a batch never stands behind a long row of chunks. */
const STREAM_TASKS_PER_WORKER_MAX = 4
/** Tasks that run when the pool is closed get this long. */
const CLOSE_TIMEOUT_MS = 2000

const LOST: Failure = { code: 'NODE_BUSY', detail: '' }
const BUG: Failure = { code: 'INTERNAL', detail: '' }

/** One thread of the pool, as main sees it. It is never used again once it is lost. */
export interface ComputeWorker {
  readonly threadId: number
}

class Member implements ComputeWorker {
  readonly threadId: number
  readonly thread: Worker
  isLost = false
  batchCount = 0
  streamTaskCount = 0
  /** Streams pinned to it, for choosing where the next one goes. */
  streamCount = 0
  /** Stream tasks that wait for a place. */
  readonly waiting = new Fifo<() => void>()

  constructor(thread: Worker) {
    this.threadId = thread.threadId
    this.thread = thread
  }
}

export interface ComputeEvents {
  onWorkerLost(threadId: number, reason: string): void
  /** A stream met stored data that is broken. */
  onDamage?(damage: Damage): void
}

interface PoolOptions {
  readonly workerUrl: URL
  readonly workerCount: number
  readonly workerData: ComputeOptions
  readonly events: ComputeEvents
}

type TaskName = keyof StreamTasks

export class ComputeClient {
  /** Called when a worker can take a batch again, or a new worker has come. */
  onCapacity: () => void = () => undefined
  /** Settles when no worker is left and none can be started. */
  readonly failed: Promise<Fault>
  readonly #pool: Piscina
  readonly #members = new Map<number, Member>()
  readonly #events: ComputeEvents
  #fail: (fault: Fault) => void = () => undefined
  #isClosing = false

  private constructor(options: PoolOptions) {
    this.#events = options.events
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.#pool = new Piscina({
      filename: options.workerUrl.href,
      name: 'batch',
      workerData: options.workerData,
      minThreads: options.workerCount,
      maxThreads: options.workerCount,
      idleTimeout: Infinity,
      maxQueue: 0,
      concurrentTasksPerWorker: BATCHES_PER_WORKER_MAX + STREAM_TASKS_PER_WORKER_MAX,
      atomics: 'async',
      recordTiming: false,
      closeTimeout: CLOSE_TIMEOUT_MS,
      loadBalancer: (task, workers) => {
        const member = task[queueOptionsSymbol]
        if (!(member instanceof Member)) return null
        return workers.find((worker) => worker.id === member.threadId) ?? null
      },
    })
    this.#pool.on('workerCreate', (worker: { id: number }) => this.#join(worker.id))
    this.#pool.on('error', () => undefined)
  }

  /**
   * Starts the pool and runs an empty batch on each worker, so that the first request meets loaded code.
   * @throws {StartFault} when a worker cannot start
   */
  static async open(options: PoolOptions): Promise<ComputeClient> {
    const client = new ComputeClient(options)
    // Piscina announces its first workers in a microtask.
    await Promise.resolve()
    const warmed = await Promise.all(
      [...client.#members.values()].map((member) => client.runBatch(member, new ArrayBuffer(0))),
    )
    if (warmed.length === options.workerCount && warmed.every((outcome) => outcome.ok))
      return client
    await client.close()
    throw new StartFault(POOL_FAULT)
  }

  get workerCount(): number {
    return this.#members.size
  }

  /** The worker with the fewest batches in flight, if any may take one more. */
  workerForBatch(): ComputeWorker | undefined {
    let best: Member | undefined
    for (const member of this.#members.values()) {
      if (member.batchCount < (best?.batchCount ?? BATCHES_PER_WORKER_MAX)) best = member
    }
    return best
  }

  /** The worker with the fewest streams; undefined while the pool has none. */
  workerForStream(): ComputeWorker | undefined {
    let best: Member | undefined
    for (const member of this.#members.values()) {
      if (!best || member.streamCount < best.streamCount) best = member
    }
    return best
  }

  /** Notes that a stream is pinned to the worker, until the returned function is called. */
  pinStream(worker: ComputeWorker): () => void {
    const member = this.#members.get(worker.threadId)
    if (!member) return () => undefined
    member.streamCount += 1
    return () => {
      member.streamCount -= 1
    }
  }

  /** Taken: the batch is transferred. */
  async runBatch(worker: ComputeWorker, batch: ArrayBuffer): Promise<TaskOutcome<BatchResult>> {
    const member = this.#members.get(worker.threadId)
    if (!member) return { ok: false, failure: LOST }
    member.batchCount += 1
    try {
      return { ok: true, value: await this.#run(member, 'batch', batch, [batch]) }
    } catch (error) {
      return { ok: false, failure: this.#explain(member, error) }
    } finally {
      member.batchCount -= 1
    }
  }

  /** Runs a stream task on the worker that holds the stream. Taken: what is in `transfer`. */
  async runStreamTask<N extends TaskName>(
    worker: ComputeWorker,
    name: N,
    args: StreamTasks[N]['args'],
    transfer: ArrayBuffer[] = [],
  ): Promise<StreamTasks[N]['result']> {
    const member = this.#members.get(worker.threadId)
    if (!member) return { ok: false, failure: LOST }
    if (member.streamTaskCount >= STREAM_TASKS_PER_WORKER_MAX) {
      await new Promise<void>((resume) => {
        member.waiting.push(resume)
      })
    } else {
      member.streamTaskCount += 1
    }
    try {
      const outcome: StreamTasks[N]['result'] = await this.#run(member, name, args, transfer)
      if (!outcome.ok && outcome.damage) this.#events.onDamage?.(outcome.damage)
      return outcome
    } catch (error) {
      return { ok: false, failure: this.#explain(member, error) }
    } finally {
      // The place goes to who waited longest; it is given back when nobody does.
      const resume = member.waiting.shift()
      if (resume) resume()
      else member.streamTaskCount -= 1
    }
  }

  /** Lets running tasks end, within a limit, and ends the threads. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#pool.close()
    this.#members.clear()
  }

  /** The result is what the worker's contract says. Rejects when the worker throws or dies. */
  #run<R>(member: Member, name: string, task: object, transferList: ArrayBuffer[]): Promise<R> {
    if (member.isLost) return Promise.reject(new Error('the worker is lost'))
    const routed = Object.assign(task, { [queueOptionsSymbol]: member })
    return this.#pool.run(routed, { name, transferList })
  }

  #join(threadId: number): void {
    const thread = this.#pool.threads.find((candidate) => candidate.threadId === threadId)
    if (!thread) return
    const member = new Member(thread)
    this.#members.set(threadId, member)
    // Piscina drops a worker on the same events, earlier in the same turn: main never routes to one that it dropped.
    thread.once('error', (error) => this.#lose(member, String(error)))
    thread.once('exit', (code) => this.#lose(member, `exit code ${code}`))
    this.onCapacity()
  }

  #lose(member: Member, reason: string): void {
    if (member.isLost) return
    member.isLost = true
    this.#members.delete(member.threadId)
    for (let resume = member.waiting.shift(); resume; resume = member.waiting.shift()) resume()
    if (this.#isClosing) return
    this.#events.onWorkerLost(member.threadId, reason)
    if (this.#members.size === 0 && this.#pool.threads.length === 0) this.#fail(POOL_FAULT)
  }

  /** A task was rejected: the worker died under it, or it threw, which costs it its life. */
  #explain(member: Member, error: unknown): Failure {
    if (member.isLost) return LOST
    this.#lose(member, error instanceof Error ? (error.stack ?? error.message) : String(error))
    void member.thread.terminate()
    return BUG
  }
}

const POOL_FAULT: Fault = {
  what: 'The compute workers cannot run',
  why: 'A worker thread failed while it started.',
  remedy: 'See the log lines above; if memory or threads are short, set fewer workers.',
}
