/** The door to maintenance threads: a verification, and a cycle of the scrub. Both end by themselves. */
import { Worker } from 'node:worker_threads'

import {
  type MaintenanceEvent,
  type ScrubOptions,
  type ScrubPosition,
  type VerifyOptions,
  type VerifyReport,
} from '../workers/maintenance/request.ts'
import { type Damage, StartFault } from '../workers/storage/request.ts'

/** A walk makes much garbage and keeps little. Measured at 170,000 statements: 190 MiB resident, 350 MiB without. */
const VERIFY_LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 1024 } as const
/** Of the memory of the node, which the scrub shares. Measured: 20 MiB resident at these, 40 MiB without. */
const SCRUB_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 } as const

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
  const thread = new Worker(workerUrl, {
    workerData,
    name: 'verify',
    resourceLimits: VERIFY_LIMITS,
  })
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
  /** What this cycle has read and found so far. */
  onProgress(bytes: number, problems: number): void
}

/** A thread that reads everything once. */
export class ScrubThread {
  /** When the cycle began, in Unix seconds; rejects when it could not be brought to its end. */
  readonly cycle: Promise<number>
  readonly #thread: Worker

  constructor(workerUrl: URL, workerData: ScrubOptions, events: ScrubEvents) {
    const thread = new Worker(workerUrl, {
      workerData,
      name: 'scrub',
      resourceLimits: SCRUB_LIMITS,
    })
    // It never keeps the process alive.
    thread.unref()
    this.#thread = thread
    this.cycle = new Promise((resolve, reject) => {
      thread.on('message', (event: MaintenanceEvent) => {
        if (event.kind === 'damages') events.onDamages(event.damages)
        else if (event.kind === 'position') events.onPosition(event.position)
        else if (event.kind === 'scrubbed') events.onProgress(event.bytes, event.problems)
        else if (event.kind === 'cycle') resolve(event.startedAtS)
        else if (event.kind === 'fault') reject(new StartFault(event.fault))
      })
      thread.on('error', reject)
      thread.on('exit', (code) => reject(new Error(`the thread ended with exit code ${code}`)))
    })
  }

  /** It only reads, so it may be ended anywhere. */
  async close(): Promise<void> {
    await this.#thread.terminate()
  }
}
