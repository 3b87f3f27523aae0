/** The scrub of a running node: a thread that looks for damage, and storage, which writes down what it finds. */
import { formatScrubPosition, type ScrubCounters } from '../workers/maintenance/request.ts'
import { MAINTENANCE_WORKER_URL } from '../workers/worker-urls.ts'
import { type NodeConfig } from './config/node-config.ts'
import { logScrubFailed } from './events.ts'
import { type Logger } from './logger.ts'
import { ScrubClient } from './maintenance-client.ts'
import { type StorageClient } from './storage-client.ts'

/** The thread begins this long after the node, whose start is busy enough. */
const START_DELAY_MS = 5000

export class Scrub {
  readonly #config: NodeConfig
  readonly #storage: StorageClient
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #client: ScrubClient | undefined

  private constructor(config: NodeConfig, storage: StorageClient, log: Logger) {
    this.#config = config
    this.#storage = storage
    this.#log = log
    this.#timer = setTimeout(() => this.#begin(), START_DELAY_MS).unref()
  }

  /** Undefined: it is switched off, or the node keeps nothing. */
  static start(config: NodeConfig, storage: StorageClient, log: Logger): Scrub | undefined {
    const isWanted = config.scrubBytesPerS > 0 && config.temporaryDirectory === undefined
    return isWanted ? new Scrub(config, storage, log) : undefined
  }

  /** Undefined: it has not begun. */
  get counters(): ScrubCounters | undefined {
    return this.#client?.counters
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#client?.close()
  }

  #begin(): void {
    const { database, blocks, scrubBytesPerS } = this.#config
    const storage = this.#storage
    this.#client = ScrubClient.start({
      workerUrl: MAINTENANCE_WORKER_URL,
      workerData: { task: 'scrub', database, blocks, bytesPerS: scrubBytesPerS },
      events: {
        onDamages: (damages) => storage.quarantine(damages),
        onPosition: (position) => storage.keepScrubPosition(formatScrubPosition(position)),
        onFailed: (reason) => logScrubFailed(this.#log, reason),
      },
    })
  }
}
