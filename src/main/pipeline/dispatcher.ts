/**
 * Hands waiting requests to the compute workers in batches, and what comes of them to whoever waits (DESIGN §2).
 *
 * A batch is filled from the lanes when a worker has fewer than two in flight, on `setImmediate`: what arrives in one
 * turn of the event loop travels together, so batches grow under load and are single requests when idle. No timers.
 *
 * A request that becomes a command waits on for the storage actor's reply; its command travels there unread.
 */
import { type Failure } from '../../protocol/answer.ts'
import { PackedWriter } from '../../protocol/packed.ts'
import {
  BATCH_BYTES_MAX,
  type BatchResult,
  type Entry,
  ENTRIES_PER_BATCH_MAX,
  type Result,
  readResults,
  writeEntry,
} from '../../workers/compute/request.ts'
import { type StorageReply } from '../../workers/storage/request.ts'
import { type ComputeClient, type ComputeWorker } from '../compute-client.ts'
import { Lanes } from './lanes.ts'

/** What a request comes to. Bodies and claims are borrowed: they are views into a batch. */
export type Outcome = Exclude<Result, { kind: 'command' }>

export interface Settled {
  readonly outcome: Outcome
  /** The worker that holds the stream of a download; undefined when storage answered. */
  readonly worker: ComputeWorker | undefined
}

export interface Job {
  readonly lane: string
  readonly entry: Entry
  /** Bytes that the entry adds to a batch, roughly. */
  readonly bytes: number
  /** The client went away: the entry is dropped if it has not left yet. */
  readonly isAbandoned: () => boolean
  /** The token is verified and its command is with storage. */
  readonly onVerified: () => void
}

interface WaitingJob extends Job {
  readonly settle: (settled: Settled) => void
}

/** What the dispatcher needs of storage. */
export interface CommandSink {
  /** Taken: the buffer is transferred. */
  sendCommands(batch: ArrayBuffer): void
}

export interface BatchObserver {
  onBatch(entryCount: number, result: BatchResult): void
  /** A batch could not be written or read: a bug of ours. */
  onFault(error: unknown): void
}

/** Nobody reads this answer: its client is gone. */
const GONE: Failure = { code: 'REQUEST_MALFORMED', detail: '' }
const INTERNAL: Failure = { code: 'INTERNAL', detail: '' }

export class Dispatcher {
  readonly #compute: ComputeClient
  readonly #storage: CommandSink
  readonly #observer: BatchObserver
  readonly #lanes = new Lanes<WaitingJob>()
  /** Used within one turn only: a batch is written and taken at once. */
  readonly #writer = new PackedWriter()
  /** Requests whose command storage has, by request id. */
  readonly #atStorage = new Map<number, WaitingJob>()
  #lastRequestId = 0
  #isScheduled = false

  constructor(parts: { compute: ComputeClient; storage: CommandSink; observer: BatchObserver }) {
    this.#compute = parts.compute
    this.#storage = parts.storage
    this.#observer = parts.observer
    this.#compute.onCapacity = () => this.#schedule()
  }

  get waitingCount(): number {
    return this.#lanes.itemCount
  }

  get laneCount(): number {
    return this.#lanes.laneCount
  }

  get atStorageCount(): number {
    return this.#atStorage.size
  }

  /** Unique among the requests in flight: far fewer than 2^32 are. */
  createRequestId(): number {
    this.#lastRequestId = (this.#lastRequestId + 1) >>> 0
    return this.#lastRequestId
  }

  /** Never rejects: whatever goes wrong is an outcome. */
  submit(job: Job): Promise<Settled> {
    return new Promise((settle) => {
      this.#lanes.push({
        lane: job.lane,
        entry: job.entry,
        bytes: job.bytes,
        isAbandoned: job.isAbandoned,
        onVerified: job.onVerified,
        settle,
      })
      this.#schedule()
    })
  }

  /** What storage decided about commands. */
  settleReplies(replies: readonly StorageReply[]): void {
    for (const reply of replies) {
      const job = this.#atStorage.get(reply.requestId)
      if (!job) continue
      this.#atStorage.delete(reply.requestId)
      const outcome: Outcome = reply.kind === 'answer' ? { ...reply, claim: undefined } : reply
      job.settle({ outcome, worker: undefined })
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#lanes.itemCount === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#dispatch()
    })
  }

  #dispatch(): void {
    for (;;) {
      const worker = this.#compute.workerForBatch()
      if (!worker) return
      const jobs = this.#lanes.take({ itemsMax: ENTRIES_PER_BATCH_MAX, bytesMax: BATCH_BYTES_MAX })
      if (jobs.length === 0) return
      const kept = jobs.filter((job) => !this.#dropAbandoned(job))
      if (kept.length > 0) void this.#run(worker, kept)
    }
  }

  #dropAbandoned(job: WaitingJob): boolean {
    if (!job.isAbandoned()) return false
    job.settle(failed(job, GONE))
    return true
  }

  async #run(worker: ComputeWorker, jobs: readonly WaitingJob[]): Promise<void> {
    const open = new Map<number, WaitingJob>()
    for (const job of jobs) open.set(job.entry.requestId, job)
    let failure = INTERNAL
    try {
      const ran = await this.#compute.runBatch(worker, this.#pack(jobs))
      if (ran.ok) this.#settleBatch(worker, open, ran.value)
      else failure = ran.failure
    } catch (error) {
      this.#observer.onFault(error)
    }
    // A worker answers every entry. What is left here lost its worker, or met a bug of ours.
    for (const job of open.values()) job.settle(failed(job, failure))
    this.#schedule()
  }

  #pack(jobs: readonly WaitingJob[]): ArrayBuffer {
    this.#writer.clear()
    for (const job of jobs) writeEntry(this.#writer, job.entry)
    return this.#writer.take()
  }

  /** Settles what the batch answered and takes it out of `open`. */
  #settleBatch(worker: ComputeWorker, open: Map<number, WaitingJob>, batch: BatchResult): void {
    // All of it is read before anything is done: of a batch that cannot be read nothing is sent on, so that what is
    // answered with a fault was not applied either.
    const results = [...readResults(batch.results)]
    this.#observer.onBatch(open.size, batch)
    for (const result of results) {
      const job = open.get(result.requestId)
      if (!job) continue
      if (result.kind !== 'command') {
        open.delete(result.requestId)
        job.settle({ outcome: result, worker })
      } else if (batch.commands) {
        open.delete(result.requestId)
        this.#atStorage.set(result.requestId, job)
        job.onVerified()
      }
    }
    if (batch.commands) this.#storage.sendCommands(batch.commands)
  }
}

const failed = (job: Job, failure: Failure): Settled => ({
  outcome: { requestId: job.entry.requestId, kind: 'failure', failure },
  worker: undefined,
})
