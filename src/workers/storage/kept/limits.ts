/** How much of what is kept is let go at a time, so that no group waits long for it. */

/** Kept versions that one put lets go: one more takes the place of each, and the others catch up with a lowered number. */
export const LET_GO_PER_PUT_MAX = 4
/** Rows that one step of the sweep looks at. */
export const SWEPT_ROWS_MAX = 256
