/**
 * Row ids are given by the process, so they are known before the commit and always append (DESIGN §4):
 * run number × 2^32 + counter. One counter serves all tables of a run, so ids also say what was written first.
 */

/** Ids that one run can give. At 10,000 puts a second they last a day and a half; then the process begins a new run. */
export const ROW_IDS_PER_RUN: number = 2 ** 32

/** Runs of one database. Ids stay below 2^53, which JavaScript numbers hold exactly. */
export const RUNS_MAX: number = 2 ** 21 - 1

export const runOfRowId = (rowId: number): number => Math.floor(rowId / ROW_IDS_PER_RUN)

/** The part of an id that counts within its run. */
export const counterOfRowId = (rowId: number): number => rowId % ROW_IDS_PER_RUN

/** Gives the row ids of one run, each once. */
export class RowIds {
  #next: number
  readonly #end: number

  constructor(runNo: number) {
    if (runNo < 1 || runNo > RUNS_MAX)
      throw new RangeError(`run number ${runNo} is not in 1..${RUNS_MAX}`)
    this.#next = runNo * ROW_IDS_PER_RUN
    this.#end = this.#next + ROW_IDS_PER_RUN
  }

  /** How many more there are. */
  get left(): number {
    return this.#end - this.#next
  }

  next(): number {
    if (this.#next >= this.#end) throw new RangeError('the row ids of this run are spent')
    return this.#next++
  }
}
