/**
 * Moves the write-ahead log into the database file, after the replies of a group, because the log grows until somebody
 * does and SQLite's own automatic checkpoint swallows its I/O errors. An error here counts as an error of a sync.
 */
import { type LogState, type Transactor } from '../database/transactor.ts'

/** Of the log, in pages of 4 KiB. */
export interface CheckpointLimits {
  /** Pages that wait in the log before they are copied. */
  readonly pendingPagesMax: number
  /** Length at which the log must begin anew, waiting for readers. */
  readonly logPagesMax: number
}

/** 4 MiB and 64 MiB. More that waits gives worse tails (DESIGN §8; bench, `constants`). */
export const CHECKPOINT_LIMITS: CheckpointLimits = { pendingPagesMax: 1000, logPagesMax: 16_384 }

export class Checkpointer {
  readonly #transactor: Transactor
  readonly #limits: CheckpointLimits
  #checkpoints = 0

  constructor(transactor: Transactor, limits: CheckpointLimits) {
    this.#transactor = transactor
    this.#limits = limits
  }

  get checkpoints(): number {
    return this.#checkpoints
  }

  /** Never while a group is open. */
  async runIfDue(): Promise<void> {
    const { logPagesMax, pendingPagesMax } = this.#limits
    const { logPages, checkpointedPages } = await this.#transactor.logState()
    if (logPages >= logPagesMax) await this.#run('RESTART')
    else if (logPages - checkpointedPages >= pendingPagesMax) await this.#run('PASSIVE')
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
