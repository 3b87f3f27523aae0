/**
 * The scrub of a running node: reads everything that is stored, a cycle at a time, each in a thread that ends with it,
 * and hands what is damaged to storage, which writes it down.
 */
import { formatScrubPosition } from '../workers/maintenance/request.ts'
import { MAINTENANCE_WORKER_URL } from '../workers/worker-urls.ts'
import { type NodeConfig } from './config/node-config.ts'
import { logScrubbed, logScrubFailed } from './events.ts'
import { type Logger } from './logger.ts'
import { ScrubThread } from './maintenance-client.ts'
import { type StorageClient } from './storage-client.ts'

/** The first cycle begins this long after the node: its clients come back first, and a thread that loads is no help. */
const START_DELAY_MS = 30_000
/** From the begin of a cycle to that of the next one at least: a small node would otherwise read itself all day. */
const CYCLE_MS_MIN: number = 24 * 3600 * 1000
/** A cycle that failed, because the database could not be read, is tried again after this time. */
const RETRY_MS = 60_000

export interface ScrubCounters {
  /** Bytes of rows and files read since the start. */
  readonly bytes: number
  /** Cycles that came to their end since the start. */
  readonly cycles: number
  /** Unix seconds; undefined: none has ended since the start. */
  readonly lastCycleEndedAtS: number | undefined
  /** Problems of the cycle under way, or of the last one while none is. */
  readonly problems: number
}

export type ScrubConfig = Pick<
  NodeConfig,
  'database' | 'blocks' | 'scrubBytesPerS' | 'temporaryDirectory'
>

export interface ScrubParts {
  readonly storage: Pick<StorageClient, 'quarantine' | 'keepScrubPosition'>
  readonly log: Logger
  readonly startDelayMs?: number
}

export class Scrub {
  readonly #config: ScrubConfig
  readonly #parts: ScrubParts
  #timer: NodeJS.Timeout | undefined
  #thread: ScrubThread | undefined
  #counters: ScrubCounters = { bytes: 0, cycles: 0, lastCycleEndedAtS: undefined, problems: 0 }
  #isClosing = false

  private constructor(config: ScrubConfig, parts: ScrubParts) {
    this.#config = config
    this.#parts = parts
    this.#beginAfter(parts.startDelayMs ?? START_DELAY_MS)
  }

  /** Undefined: it is switched off, or the node keeps nothing. */
  static start(config: ScrubConfig, parts: ScrubParts): Scrub | undefined {
    const isWanted = config.scrubBytesPerS > 0 && config.temporaryDirectory === undefined
    return isWanted ? new Scrub(config, parts) : undefined
  }

  get counters(): ScrubCounters {
    return this.#counters
  }

  async close(): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#timer)
    await this.#thread?.close()
  }

  #beginAfter(waitMs: number): void {
    this.#timer = setTimeout(() => void this.#runCycle(), waitMs).unref()
  }

  async #runCycle(): Promise<void> {
    const { log } = this.#parts
    const thread = this.#startThread()
    this.#thread = thread
    let waitMs = RETRY_MS
    try {
      const startedAtS = await thread.cycle
      const { cycles, problems, bytes } = this.#counters
      const nowMs = Date.now()
      this.#counters = {
        ...this.#counters,
        cycles: cycles + 1,
        lastCycleEndedAtS: Math.floor(nowMs / 1000),
      }
      logScrubbed(log, { problems, bytes })
      waitMs = Math.max(0, Math.min(CYCLE_MS_MIN, startedAtS * 1000 + CYCLE_MS_MIN - nowMs))
    } catch (error) {
      if (!this.#isClosing)
        logScrubFailed(log, error instanceof Error ? error.message : String(error))
    }
    this.#thread = undefined
    if (!this.#isClosing) this.#beginAfter(waitMs)
  }

  #startThread(): ScrubThread {
    const { database, blocks, scrubBytesPerS } = this.#config
    const { storage } = this.#parts
    const bytesBefore = this.#counters.bytes
    this.#counters = { ...this.#counters, problems: 0 }
    return new ScrubThread(
      MAINTENANCE_WORKER_URL,
      { task: 'scrub', database, blocks, bytesPerS: scrubBytesPerS },
      {
        onDamages: (damages) => storage.quarantine(damages),
        onPosition: (position) => storage.keepScrubPosition(formatScrubPosition(position)),
        onProgress: (bytes, problems) => {
          this.#counters = { ...this.#counters, bytes: bytesBefore + bytes, problems }
        },
      },
    )
  }
}
