/** Which packs are written anew (DESIGN §4): the worst first, then the smallest, as many as one new pack takes. */
import { type BlockTotals, type RewritablePack } from '../../database/pack-ledger.ts'
import { type CompactionLimits, SOURCE_PACKS_MAX } from './limits.ts'

export interface Candidates {
  readonly totals: BlockTotals
  /** Those with the largest dead share first. */
  readonly worst: readonly RewritablePack[]
  readonly smallest: readonly RewritablePack[]
}

/** Empty: nothing is worth its copying. `packBytesTarget`: length at which a pack is full. */
export function chooseSources(
  { totals, worst, smallest }: Candidates,
  limits: CompactionLimits,
  packBytesTarget: number,
): readonly RewritablePack[] {
  const chosen = new Map<number, RewritablePack>()
  let copiedBytes = 0
  const take = (pack: RewritablePack): boolean => {
    if (chosen.has(pack.packNo)) return true
    const isRoom = chosen.size === 0 || copiedBytes + pack.liveBytes <= packBytesTarget
    if (!isRoom || chosen.size === SOURCE_PACKS_MAX) return false
    chosen.set(pack.packNo, pack)
    copiedBytes += pack.liveBytes
    return true
  }

  let { deadPackedBytes } = totals
  if (deadPackedBytes >= limits.deadBytesMin)
    for (const pack of worst) {
      const isWellAgain = deadShare(deadPackedBytes, totals.packedValueBytes) <= limits.deadShareMax
      if (isWellAgain || !isWorthIt(pack, limits) || !take(pack)) break
      deadPackedBytes -= deadBytesOf(pack)
    }
  const small = smallest.filter(({ fileBytes }) => fileBytes < limits.smallPackBytes)
  if (small.length >= limits.smallPacksMax) for (const pack of small) if (!take(pack)) break
  return [...chosen.values()]
}

const deadShare = (deadBytes: number, liveBytes: number): number =>
  deadBytes / Math.max(1, deadBytes + liveBytes)

const deadBytesOf = ({ fileBytes, indexBytes, liveBytes }: RewritablePack): number =>
  fileBytes - indexBytes - liveBytes

/**
 * What is dead may lie in packs that cannot be written anew, because they are damaged: then the others must not be
 * copied again and again.
 */
function isWorthIt(pack: RewritablePack, { deadShareMax }: CompactionLimits): boolean {
  const valueBytes = pack.liveBytes - pack.historyBytes
  return deadShare(deadBytesOf(pack), valueBytes) > deadShareMax / 2
}
