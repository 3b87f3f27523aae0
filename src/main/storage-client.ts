/**
 * The door to the storage thread: the only writer. It is started once and never restarted inside the process: if it dies,
 * the outcome of what it was doing is unknown, and the process ends with it (DESIGN §2).
 */
import { Worker } from 'node:worker_threads'

import { type Failure } from '../protocol/answer.ts'
import {
  type Damage,
  type Fault,
  readReplies,
  type RoomLevel,
  type RunInfo,
  type StorageCounters,
  type StorageEvent,
  type StorageMessage,
  type StorageOptions,
  type StorageReply,
  StartFault,
} from '../workers/storage/request.ts'

/** A probe that takes longer means that storage hangs. */
const PROBE_TIMEOUT_MS = 5000

const UNAVAILABLE: Failure = { code: 'STORAGE_UNAVAILABLE', detail: '' }

export type StorageLogLine = Extract<StorageEvent, { kind: 'log' }>

export interface StorageEvents {
  onReplies(replies: readonly StorageReply[]): void
  onUnwritable(reason: string): void
  /** The disk has less free than `storage.reserve`, or again more. */
  onRoom(level: RoomLevel, freeBytes: number): void
  onLog(line: StorageLogLine): void
}

export class StorageClient {
  /** Settles when the thread ended although nobody had closed it. */
  readonly failed: Promise<Fault>
  readonly #thread: Worker
  readonly #events: StorageEvents
  readonly #probes = new Map<number, (failure: Failure | undefined) => void>()
  #countersWaiting: ((counters: StorageCounters | undefined) => void)[] = []
  #lastProbeId = 0
  #isWritable = true
  #isLowOnSpace = false
  #isClosing = false
  #ready: (run: RunInfo) => void = () => undefined
  #refuse: (fault: StartFault) => void = () => undefined
  #fail: (fault: Fault) => void = () => undefined
  #exited: () => void = () => undefined
  readonly #hasExited: Promise<void>

  private constructor(thread: Worker, events: StorageEvents) {
    this.#thread = thread
    this.#events = events
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.#hasExited = new Promise((resolve) => {
      this.#exited = resolve
    })
    thread.on('message', (event: StorageEvent) => this.#receive(event))
    thread.on('error', (error) => this.#end(error instanceof Error ? error.message : String(error)))
    thread.on('exit', (code) => {
      this.#end(`it ended with exit code ${code}`)
      this.#exited()
    })
  }

  /**
   * Starts the thread and waits until the database is open and an earlier run is cleaned up.
   * @throws {StartFault} the reason why storage cannot start
   */
  static async open(options: {
    workerUrl: URL
    workerData: StorageOptions
    events: StorageEvents
  }): Promise<{ client: StorageClient; run: RunInfo }> {
    const thread = new Worker(options.workerUrl, {
      workerData: options.workerData,
      name: 'storage',
    })
    const client = new StorageClient(thread, options.events)
    const run = await new Promise<RunInfo>((resolve, reject) => {
      client.#ready = resolve
      client.#refuse = reject
    })
    return { client, run }
  }

  /** False once a write or sync failed for good: changes are answered 503 by the actor. */
  get isWritable(): boolean {
    return this.#isWritable
  }

  /** True while puts are refused 507 by the actor, because the disk is nearly full. */
  get isLowOnSpace(): boolean {
    return this.#isLowOnSpace
  }

  /** Taken: the buffer is transferred. */
  sendCommands(batch: ArrayBuffer): void {
    this.#post({ kind: 'commands', batch }, [batch])
  }

  /** Reads, or with `write` commits and syncs, for real. Undefined: it worked. */
  probe(write: boolean): Promise<Failure | undefined> {
    this.#lastProbeId += 1
    const probeId = this.#lastProbeId
    return new Promise((resolve) => {
      const settle = (failure: Failure | undefined): void => {
        clearTimeout(timer)
        this.#probes.delete(probeId)
        resolve(failure)
      }
      const timer = setTimeout(settle, PROBE_TIMEOUT_MS, UNAVAILABLE)
      this.#probes.set(probeId, settle)
      this.#post({ kind: 'probe', probeId, write })
    })
  }

  /** What was found broken is written down between two groups. */
  quarantine(damages: readonly Damage[]): void {
    this.#post({ kind: 'quarantine', damages })
  }

  keepScrubPosition(position: Uint8Array): void {
    this.#post({ kind: 'scrub-position', position })
  }

  /** Undefined when the thread does not answer. */
  counters(): Promise<StorageCounters | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PROBE_TIMEOUT_MS, undefined)
      this.#countersWaiting.push((counters) => {
        clearTimeout(timer)
        resolve(counters)
      })
      this.#post({ kind: 'counters' })
    })
  }

  /** Commits what waits, ends the run and the thread. Resolves when the thread has ended. */
  close(): Promise<void> {
    this.#isClosing = true
    this.#post({ kind: 'close' })
    return this.#hasExited
  }

  /** Ends the thread where it stands. Safe at any moment, like a crash. */
  async terminate(): Promise<void> {
    this.#isClosing = true
    await this.#thread.terminate()
  }

  #post(message: StorageMessage, transfer: ArrayBuffer[] = []): void {
    this.#thread.postMessage(message, transfer)
  }

  #receive(event: StorageEvent): void {
    switch (event.kind) {
      case 'ready':
        this.#ready(event.run)
        break
      case 'fault':
        this.#isClosing = true
        this.#refuse(new StartFault(event.fault))
        break
      case 'replies':
        this.#events.onReplies(readReplies(event.batch))
        break
      case 'probed':
        this.#probes.get(event.probeId)?.(event.failure)
        break
      case 'counters':
        for (const settle of this.#countersWaiting.splice(0)) settle(event.counters)
        break
      case 'unwritable':
        this.#isWritable = false
        this.#events.onUnwritable(event.reason)
        break
      case 'room':
        this.#isLowOnSpace = event.level !== 'enough'
        this.#events.onRoom(event.level, event.freeBytes)
        break
      case 'log':
        this.#events.onLog(event)
        break
      case 'closed':
        break
    }
  }

  #end(why: string): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#isWritable = false
    const fault: Fault = {
      what: 'The storage thread ended',
      why,
      remedy:
        'Start the node again: what was answered is stored. If it happens again, report it with the log.',
    }
    this.#refuse(new StartFault(fault))
    this.#fail(fault)
  }
}
