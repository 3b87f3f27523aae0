/** The door to maintenance threads: a verification, which ends by itself, and the scrub of a running node. */
import { Worker } from 'node:worker_threads'

import {
  type MaintenanceEvent,
  type ScrubCounters,
  type ScrubOptions,
  type ScrubPosition,
  type VerifyOptions,
  type VerifyReport,
} from '../workers/maintenance/request.ts'
import { type Damage } from '../workers/storage/request.ts'
import { StartFault } from './fault.ts'

/** Its garbage is short-lived, and it shares the memory of the node. MiB. */
const YOUNG_GENERATION_MIB = 4

export type VerifyProgress = Extract<MaintenanceEvent, { kind: 'progress' }>

/**
 * Runs one verification in a thread of its own.
 * @throws {StartFault} when it cannot be done
 */
export function runVerification(
  workerUrl: URL,
  workerData: VerifyOptions,
  onProgress: (progress: VerifyProgress) => void,
): Promise<VerifyReport> {
  const thread = new Worker(workerUrl, { workerData, name: 'verify' })
  return new Promise((resolve, reject) => {
    thread.on('message', (event: MaintenanceEvent) => {
      if (event.kind === 'progress') onProgress(event)
      if (event.kind === 'report') resolve(event.report)
      if (event.kind === 'fault') reject(new StartFault(event.fault))
    })
    thread.on('error', reject)
    // Without effect once it was settled.
    thread.on('exit', (code) => reject(new Error(`the thread ended with exit code ${code}`)))
  })
}

export interface ScrubEvents {
  onDamages(damages: readonly Damage[]): void
  onPosition(position: ScrubPosition): void
  /** A cycle failed, or the thread ended; the node goes on without it. */
  onFailed(reason: string): void
}

export class ScrubClient {
  readonly #thread: Worker
  #counters: ScrubCounters = { bytes: 0, cycles: 0, lastCycleEndedAtS: undefined, problems: 0 }
  #isClosing = false

  private constructor(thread: Worker, events: ScrubEvents) {
    this.#thread = thread
    thread.on('message', (event: MaintenanceEvent) => this.#receive(event, events))
    thread.on('error', (error) =>
      events.onFailed(error instanceof Error ? error.message : String(error)),
    )
    thread.on('exit', (code) => {
      if (!this.#isClosing) events.onFailed(`the thread ended with exit code ${code}`)
    })
    // It never keeps the process alive.
    thread.unref()
  }

  static start(options: {
    workerUrl: URL
    workerData: ScrubOptions
    events: ScrubEvents
  }): ScrubClient {
    const thread = new Worker(options.workerUrl, {
      workerData: options.workerData,
      name: 'scrub',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    })
    return new ScrubClient(thread, options.events)
  }

  get counters(): ScrubCounters {
    return this.#counters
  }

  /** It only reads, so it may be ended anywhere. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#thread.terminate()
  }

  #receive(event: MaintenanceEvent, events: ScrubEvents): void {
    if (event.kind === 'scrubbed') this.#counters = event.counters
    else if (event.kind === 'damages') events.onDamages(event.damages)
    else if (event.kind === 'position') events.onPosition(event.position)
    else if (event.kind === 'failed') events.onFailed(event.reason)
    else if (event.kind === 'fault') events.onFailed(event.fault.why)
  }
}
