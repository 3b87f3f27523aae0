/**
 * What the walk over the history remembers: a few numbers for each space and each pack. Everything that appends is met
 * in the order in which it was committed, so the numbers at the end must be those of the baseline, which was read at the
 * moment at which the walk ends.
 */
import { type Baseline, type InspectedPack } from '../../database/inspector.ts'
import { type RunRow, type SpaceRow } from '../../database/rows.ts'

/** A space as its rows up to here make it. */
export interface SpaceWalk {
  readonly row: SpaceRow
  nextSeq: number
  /** Digest of the last epoch. */
  head: Uint8Array | undefined
  lastEpochNo: number | null
  lastEventNo: number | null
  liveBytes: number
  historyBytes: number
  /** A row of it is damaged, which was reported: what it adds up to says nothing. */
  isSuspect: boolean
}

/** A pack as the rows up to here make it. */
export interface PackTally {
  rows: number
  liveBytes: number
  historyBytes: number
  firstRowId: number
}

export class WalkState {
  readonly baseline: Baseline
  readonly #spaces: ReadonlyMap<number, SpaceWalk>
  readonly #spacesById: ReadonlyMap<string, SpaceWalk>
  readonly #packs: ReadonlyMap<number, InspectedPack>
  readonly #runs: ReadonlyMap<number, RunRow>
  readonly #tallies = new Map<number, PackTally>()
  /** Sections that were found broken through their rows, as `pack:offset`. */
  readonly brokenSections: Set<string> = new Set()
  /** Versions whose row fails its checksum: what names them cannot be compared with them. */
  readonly damagedVersions: Set<number> = new Set()
  /** Something is damaged, or left out, that names other rows: counting those that are named says nothing. */
  isCountSuspect = false
  statements = 0
  liveObjects = 0
  delegationSpaces = 0
  accountDelegations = 0

  constructor(baseline: Baseline) {
    this.baseline = baseline
    const spaces = baseline.spaces.map(startOf)
    this.#spaces = new Map(spaces.map((space) => [space.row.spaceNo, space]))
    this.#spacesById = new Map(spaces.map((space) => [space.row.spaceId, space]))
    this.#packs = new Map(baseline.packs.map((pack) => [pack.packNo, pack]))
    this.#runs = new Map(baseline.runs.map((run) => [run.runNo, run]))
  }

  get spaces(): Iterable<SpaceWalk> {
    return this.#spaces.values()
  }

  space(spaceNo: number): SpaceWalk | undefined {
    return this.#spaces.get(spaceNo)
  }

  spaceById(spaceId: string): SpaceWalk | undefined {
    return this.#spacesById.get(spaceId)
  }

  pack(packNo: number): InspectedPack | undefined {
    return this.#packs.get(packNo)
  }

  run(runNo: number): RunRow | undefined {
    return this.#runs.get(runNo)
  }

  /** Packs of which rows need something and that the baseline does not have. */
  get unknownPacks(): number[] {
    return [...this.#tallies]
      .filter(([packNo, { liveBytes }]) => liveBytes > 0 && !this.#packs.has(packNo))
      .map(([packNo]) => packNo)
  }

  tally(packNo: number): PackTally {
    const known = this.#tallies.get(packNo)
    if (known) return known
    const tally = { rows: 0, liveBytes: 0, historyBytes: 0, firstRowId: Infinity }
    this.#tallies.set(packNo, tally)
    return tally
  }

  /** A version names a value in the pack. */
  addValue(packNo: number, versionNo: number, lengthBytes: number): void {
    const tally = this.tally(packNo)
    tally.rows += 1
    tally.liveBytes += lengthBytes
    tally.firstRowId = Math.min(tally.firstRowId, versionNo)
  }

  /** A statement names its record in the pack. */
  addRecord(packNo: number, statementNo: number, lengthBytes: number): void {
    this.addValue(packNo, statementNo, lengthBytes)
    this.tally(packNo).historyBytes += lengthBytes
  }

  /** Length up to which the pack is committed. */
  committedBytes({ packNo, runNo, fileBytes }: InspectedPack): number {
    const run = this.#runs.get(runNo)
    return run?.packNo === packNo ? Math.max(run.packBytes, fileBytes) : fileBytes
  }
}

const startOf = (row: SpaceRow): SpaceWalk => ({
  row,
  nextSeq: 0,
  head: undefined,
  lastEpochNo: null,
  lastEventNo: null,
  liveBytes: 0,
  historyBytes: 0,
  isSuspect: false,
})
