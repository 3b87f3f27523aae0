/**
 * Removes large values that no version names any more, a grace after they were dropped: a reader may hold a row that
 * still names one, and opens it at once.
 */
import { type ObjectFiles } from '../blocks/objects/object-files.ts'
import { type RunLedger } from '../database/run-ledger.ts'

const GRACE_S = 60
/** Files that one sweep removes, so that no group waits long for it. */
const SWEPT_OBJECTS_MAX = 32

/** Files first, then rows: a crash in between is swept again. Gives the number removed. */
export async function sweepObjects(
  ledger: RunLedger,
  files: ObjectFiles,
  nowS: number,
): Promise<number> {
  const dead = await ledger.readDeadObjects(nowS - GRACE_S, SWEPT_OBJECTS_MAX)
  if (dead.length === 0) return 0
  files.remove(dead)
  await ledger.deleteObjects(dead)
  return dead.length
}
