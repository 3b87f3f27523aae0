/**
 * Moves the write-ahead log into the database file, after the replies of a group, because the log grows until somebody
 * does and SQLite's own automatic checkpoint swallows its I/O errors. An error here counts as an error of a sync.
 */
import { type LogState, type Transactor } from '../database/transactor.ts'

/** Pages that wait in the log before they are copied: 4 MiB. More gave worse tails (DESIGN §8). */
const PENDING_PAGES_MAX = 1000
/** Length at which the log must begin anew, waiting for readers: 64 MiB. */
const LOG_PAGES_MAX = 16_384

export class Checkpointer {
  readonly #transactor: Transactor
  #checkpoints = 0

  constructor(transactor: Transactor) {
    this.#transactor = transactor
  }

  get checkpoints(): number {
    return this.#checkpoints
  }

  /** Never while a group is open. */
  async runIfDue(): Promise<void> {
    const { logPages, checkpointedPages } = await this.#transactor.logState()
    if (logPages >= LOG_PAGES_MAX) await this.#run('RESTART')
    else if (logPages - checkpointedPages >= PENDING_PAGES_MAX) await this.#run('PASSIVE')
  }

  /** Everything moves, and the log is emptied. A reader in the way is no error: a start does it again. */
  async finish(): Promise<void> {
    await this.#run('TRUNCATE')
  }

  async #run(mode: 'PASSIVE' | 'RESTART' | 'TRUNCATE'): Promise<LogState> {
    this.#checkpoints += 1
    return this.#transactor.checkpoint(mode)
  }
}
