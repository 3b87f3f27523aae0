/** How fast maintenance may go: the scrub shares disk and cores with the node, verify takes what it gets. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

export interface Pacer {
  /** Bytes were read. Waits until the next may be. */
  spend(bytes: number): Promise<void> | undefined
}

/** Bytes between two turns of the event loop. */
const TURN_BYTES: number = 512 * 1024

/**
 * As fast as it goes, with a turn of the event loop now and then: what native code allocates is let go of only there.
 * Measured: without, a walk holds 340 bytes for each hash to its end.
 */
export class EagerPacer implements Pacer {
  #sinceTurnBytes = 0

  spend(bytes: number): Promise<void> | undefined {
    this.#sinceTurnBytes += bytes
    if (this.#sinceTurnBytes < TURN_BYTES) return undefined
    this.#sinceTurnBytes = 0
    return nextTurn()
  }
}

/** Shorter waits than this are saved up: a timer is not more precise, and waking costs. */
const WAIT_MS_MIN = 20
/** Part of one core that a slow walk may take: rows cost time where they have few bytes. */
const BUSY_SHARE_MAX = 0.05

/** Bounds bytes per second, and the share of one core. */
export class SteadyPacer implements Pacer {
  readonly #bytesPerMs: number
  readonly #nowMs: () => number
  readonly #sleep: (waitMs: number) => Promise<unknown>
  #workingSinceMs: number
  #owedMs = 0
  #spentBytes = 0

  constructor(
    bytesPerS: number,
    clock: { nowMs: () => number; sleep: (waitMs: number) => Promise<unknown> } = {
      nowMs: () => performance.now(),
      sleep,
    },
  ) {
    this.#bytesPerMs = bytesPerS / 1000
    this.#nowMs = clock.nowMs
    this.#sleep = clock.sleep
    this.#workingSinceMs = this.#nowMs()
  }

  get spentBytes(): number {
    return this.#spentBytes
  }

  spend(bytes: number): Promise<void> | undefined {
    this.#spentBytes += bytes
    this.#owedMs += bytes / this.#bytesPerMs
    const busyMs = this.#nowMs() - this.#workingSinceMs
    const waitMs = Math.max(this.#owedMs - busyMs, busyMs / BUSY_SHARE_MAX - busyMs)
    return waitMs < WAIT_MS_MIN ? undefined : this.#rest(waitMs)
  }

  async #rest(waitMs: number): Promise<void> {
    await this.#sleep(waitMs)
    this.#owedMs = 0
    this.#workingSinceMs = this.#nowMs()
  }
}
