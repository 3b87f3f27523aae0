/** When dead bytes are reclaimed, and in what portions, so that no group waits long for it. */

/** Tests use smaller ones. */
export interface CompactionLimits {
  /** Value bytes in packs that no row needs, as a share of all of them, above which packs are written anew. */
  readonly deadShareMax: number
  /** Dead bytes that are left alone whatever their share: a small node has nothing to gain. */
  readonly deadBytesMin: number
  /** A shorter pack is small. */
  readonly smallPackBytes: number
  /** So many small packs are written together into one. */
  readonly smallPacksMax: number
}

/**
 * With a share of 0.2 packed values take 1.25 times their live bytes at most, and what is copied in between is
 * bounded by the worst packs going first.
 */
export const COMPACTION_LIMITS: CompactionLimits = {
  deadShareMax: 0.2,
  deadBytesMin: 16 * 1024 * 1024,
  smallPackBytes: 8 * 1024 * 1024,
  smallPacksMax: 32,
}

/** Packs that one job reads. */
export const SOURCE_PACKS_MAX = 64
/** Rows that one job moves: their new places are held in memory. */
export const JOB_ROWS_MAX = 65_536
/** Rows that one step looks at. */
export const STEP_ROWS_MAX = 1024
/** Bytes that one step copies, unless a single record is longer. */
export const STEP_BYTES_MAX: number = 1024 * 1024
/** Rows that one transaction moves. */
export const MOVED_ROWS_MAX = 1024

/** A reader may hold a row that names a dead file for so long, and more. */
export const GRACE_S = 60
/** Objects, and packs, that one step removes. */
export const REMOVED_OBJECTS_MAX = 32
export const REMOVED_PACKS_MAX = 2
/** What is dead is counted so often. */
export const LOOK_INTERVAL_S = 10
/** A compaction that found no space is tried again after this. */
export const FULL_REST_S = 60
