/**
 * One cycle of the scrub, inside its thread: everything that `verify` checks but signatures, at a bounded rate, beside
 * the node. Bits rot where nobody reads; the scrub reads there. A cycle that a stop interrupts goes on behind the blocks
 * that it has read; rows are walked from the first one, because what they say of each other needs all of them.
 */
import { openInspector } from '../../database/open-inspector.ts'
import { SteadyPacer } from '../pacer.ts'
import {
  type MaintenanceEvent,
  readScrubPosition,
  type ScrubOptions,
  type ScrubPosition,
} from '../request.ts'
import { Findings } from '../verify/findings.ts'
import { verifyNode } from '../verify/verify-node.ts'

/** How often the position is kept: what a restart reads again. */
const POSITION_INTERVAL_MS = 60_000
/** How often progress is told. */
const PROGRESS_INTERVAL_MS = 2000
/** Damages of one cycle that are told one by one; more are only counted. */
const DAMAGES_TOLD_MAX = 1000

export interface ScrubSurroundings {
  readonly post: (event: MaintenanceEvent) => void
  /** Unix seconds with fractions. */
  readonly nowS: () => number
  readonly nowMs: () => number
}

/** @throws what the database throws when it cannot be read at all */
export async function runScrubCycle(
  { database, blocks, bytesPerS }: ScrubOptions,
  { post, nowS, nowMs }: ScrubSurroundings,
): Promise<void> {
  const inspector = openInspector(database)
  try {
    const begin = startOf(readScrubPosition(await inspector.readScrubPosition()), nowS())
    const pacer = new SteadyPacer(bytesPerS)
    const findings = new Findings((damage) => {
      if (findings.total <= DAMAGES_TOLD_MAX) post({ kind: 'damages', damages: [damage] })
    })
    const tell = (): void =>
      post({ kind: 'scrubbed', bytes: pacer.spentBytes, problems: findings.total })
    const isTimeToTell = createInterval(PROGRESS_INTERVAL_MS, nowMs)
    const isTimeToKeep = createInterval(POSITION_INTERVAL_MS, nowMs)
    await verifyNode({
      inspector,
      root: blocks.path,
      findings,
      pacer,
      signatures: undefined,
      withStructure: false,
      isServed: true,
      blocksAfterNo: begin.afterNo,
      onProgress: () => {
        if (isTimeToTell()) tell()
      },
      onBlocksRead: (afterNo) => {
        // Never back behind where the cycle was taken up.
        if (afterNo > begin.afterNo && isTimeToKeep())
          post({ kind: 'position', position: { ...begin, afterNo } })
      },
    })
    tell()
    post({ kind: 'position', position: { ...begin, afterNo: 0 } })
    post({ kind: 'cycle', startedAtS: begin.cycleStartedAtS })
  } finally {
    inspector.close()
  }
}

/** Where an interrupted cycle goes on, or a new one begins. */
const startOf = (kept: ScrubPosition | undefined, nowS: number): ScrubPosition =>
  kept && kept.afterNo > 0 ? kept : { afterNo: 0, cycleStartedAtS: nowS }

/** True when the time has passed since it last was, or since now. */
function createInterval(intervalMs: number, nowMs: () => number): () => boolean {
  let lastMs = nowMs()
  return () => {
    if (nowMs() - lastMs < intervalMs) return false
    lastMs = nowMs()
    return true
  }
}
