/**
 * The scrub: everything that `verify` checks but signatures, again and again, at a bounded rate, beside the node. Bits
 * rot where nobody reads; the scrub reads there. A cycle that a stop interrupts goes on behind the blocks that it has read;
 * rows are walked from the first one, because what they say of each other needs all of them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openInspector } from '../../database/open-inspector.ts'
import { type Damage } from '../../storage/request.ts'
import { SteadyPacer } from '../pacer.ts'
import {
  type MaintenanceEvent,
  readScrubPosition,
  type ScrubCounters,
  type ScrubOptions,
  type ScrubPosition,
} from '../request.ts'
import { Findings } from '../verify/findings.ts'
import { verifyNode } from '../verify/verify-node.ts'

/** From the begin of a cycle to that of the next one at least: a small node would otherwise read itself all day. */
const CYCLE_S_MIN: number = 24 * 3600
/** How often the position is kept: what a restart reads again. */
const POSITION_INTERVAL_MS = 60_000
/** How often the counters are told. */
const COUNTERS_INTERVAL_MS = 5000
/** A cycle that failed, because the database could not be read, is tried again after this time. */
const RETRY_MS = 60_000
/** Damages of one cycle that are told one by one; more are only counted. */
const DAMAGES_PER_CYCLE_MAX = 1000

export interface ScrubSurroundings {
  readonly post: (event: MaintenanceEvent) => void
  /** Unix seconds with fractions. */
  readonly nowS: () => number
  readonly nowMs: () => number
}

/** Never ends by itself: the thread is ended. */
export async function runScrub(
  options: ScrubOptions,
  surroundings: ScrubSurroundings,
): Promise<never> {
  const { post, nowS } = surroundings
  const scrub = new Scrub(options, surroundings)
  for (;;) {
    let waitMs = RETRY_MS
    try {
      const startedAtS = await scrub.runCycle()
      waitMs = Math.max(0, (startedAtS + CYCLE_S_MIN - nowS()) * 1000)
    } catch (error) {
      post({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) })
    }
    await sleep(waitMs)
  }
}

/** One scrub over many cycles. */
export class Scrub {
  readonly #options: ScrubOptions
  readonly #surroundings: ScrubSurroundings
  #counters: ScrubCounters = { bytes: 0, cycles: 0, lastCycleEndedAtS: undefined, problems: 0 }
  #toldMs = -Infinity
  #keptMs = -Infinity

  constructor(options: ScrubOptions, surroundings: ScrubSurroundings) {
    this.#options = options
    this.#surroundings = surroundings
  }

  /**
   * Reads everything once. Gives when the cycle began, in Unix seconds, which may have been before the last start.
   * @throws what the database throws when it cannot be read at all
   */
  async runCycle(): Promise<number> {
    const { nowS, nowMs } = this.#surroundings
    const { database, blocks, bytesPerS } = this.#options
    const inspector = openInspector(database)
    try {
      const position = startOf(readScrubPosition(await inspector.readScrubPosition()), nowS())
      const pacer = new SteadyPacer(bytesPerS)
      const findings = new Findings((damage) => this.#onDamage(damage, findings.total))
      const bytesBefore = this.#counters.bytes
      this.#keptMs = nowMs()
      this.#update({ problems: 0 })
      await verifyNode({
        inspector,
        root: blocks.path,
        findings,
        pacer,
        withSignatures: false,
        withStructure: false,
        isServed: true,
        blocksAfterNo: position.afterNo,
        onProgress: () => this.#update({ bytes: bytesBefore + pacer.spentBytes }),
        onBlocksRead: (afterNo) => this.#keep({ ...position, afterNo }, position),
      })
      this.#surroundings.post({ kind: 'position', position: { ...position, afterNo: 0 } })
      this.#update({
        bytes: bytesBefore + pacer.spentBytes,
        cycles: this.#counters.cycles + 1,
        lastCycleEndedAtS: nowS(),
      })
      this.#tell()
      return position.cycleStartedAtS
    } finally {
      inspector.close()
    }
  }

  /** Never goes back behind where the cycle was taken up. */
  #keep(position: ScrubPosition, begin: ScrubPosition): void {
    const { post, nowMs } = this.#surroundings
    if (position.afterNo <= begin.afterNo || nowMs() - this.#keptMs < POSITION_INTERVAL_MS) return
    this.#keptMs = nowMs()
    post({ kind: 'position', position })
  }

  #onDamage(damage: Damage, problems: number): void {
    this.#update({ problems })
    if (problems <= DAMAGES_PER_CYCLE_MAX)
      this.#surroundings.post({ kind: 'damages', damages: [damage] })
  }

  #update(changes: Partial<ScrubCounters>): void {
    this.#counters = { ...this.#counters, ...changes }
    if (this.#surroundings.nowMs() - this.#toldMs >= COUNTERS_INTERVAL_MS) this.#tell()
  }

  #tell(): void {
    this.#toldMs = this.#surroundings.nowMs()
    this.#surroundings.post({ kind: 'scrubbed', counters: this.#counters })
  }
}

/** Where an interrupted cycle goes on, or a new one begins. */
const startOf = (kept: ScrubPosition | undefined, nowS: number): ScrubPosition =>
  kept && kept.afterNo > 0 ? kept : { afterNo: 0, cycleStartedAtS: nowS }
