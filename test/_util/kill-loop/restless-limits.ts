/**
 * Loaded into the program before its own modules (`node --import`), in every thread: packs are full after moments and
 * not worth keeping after a few overwrites, so that compaction never rests. The limits of the product are for days.
 */
import { RUN_LIMITS } from '../../../src/workers/storage/active-run.ts'
import { COMPACTION_LIMITS } from '../../../src/workers/storage/compaction/limits.ts'

const KIB = 1024

Object.assign(RUN_LIMITS, { packBytesTarget: 256 * KIB })
Object.assign(COMPACTION_LIMITS, {
  deadShareMax: 0.1,
  deadBytesMin: 32 * KIB,
  smallPackBytes: 64 * KIB,
  smallPacksMax: 3,
})
