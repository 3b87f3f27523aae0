/** Which packs are worth their copying. */
import { describe, expect, it } from 'vitest'
import {
  type BlockTotals,
  type RewritablePack,
} from '../../../../src/workers/database/pack-ledger.ts'
import { chooseSources } from '../../../../src/workers/storage/compaction/choose-sources.ts'
import {
  type CompactionLimits,
  SOURCE_PACKS_MAX,
} from '../../../../src/workers/storage/compaction/limits.ts'

const LIMITS: CompactionLimits = {
  deadShareMax: 0.2,
  deadBytesMin: 100,
  smallPackBytes: 50,
  smallPacksMax: 3,
}
const TARGET = 1000

/** A pack without history: what is not live of it is dead. */
const pack = (packNo: number, liveBytes: number, deadBytes: number): RewritablePack => ({
  packNo,
  firstRowId: packNo,
  fileBytes: liveBytes + deadBytes + 20,
  indexBytes: 20,
  liveBytes,
  historyBytes: 0,
})

const dead = ({ fileBytes, indexBytes, liveBytes }: RewritablePack): number =>
  fileBytes - indexBytes - liveBytes

function choose(packs: readonly RewritablePack[]): number[] {
  const totals: BlockTotals = {
    packedValueBytes: packs.reduce((sum, { liveBytes }) => sum + liveBytes, 0),
    objectBytes: 0,
    historyBytes: 0,
    deadPackedBytes: packs.reduce((sum, each) => sum + dead(each), 0),
    waitingBytes: 0,
    oldestDeadAtS: undefined,
  }
  const worst = packs.toSorted((a, b) => dead(b) / b.fileBytes - dead(a) / a.fileBytes)
  const smallest = packs.toSorted((a, b) => a.fileBytes - b.fileBytes)
  return chooseSources({ totals, worst, smallest }, LIMITS, TARGET).map(({ packNo }) => packNo)
}

describe('packs to be written anew', () => {
  it('are none while little is dead', () => {
    expect(choose([pack(1, 400, 90), pack(2, 400, 90)])).toEqual([])
  })

  it('are none while what is dead is too little to matter', () => {
    expect(choose([pack(1, 0, 99)])).toEqual([])
  })

  it('are the worst first, and no more than it takes', () => {
    expect(choose([pack(1, 400, 100), pack(2, 100, 400), pack(3, 300, 200)])).toEqual([2, 3])
  })

  it('are as many as one new pack takes', () => {
    expect(choose([pack(1, 600, 600), pack(2, 600, 600), pack(3, 300, 290)])).toEqual([1])
  })

  it('are at least one, however large', () => {
    expect(choose([pack(1, 2000, 2000)])).toEqual([1])
  })

  it('are the smallest when many are small', () => {
    expect(choose([pack(1, 25, 0), pack(2, 900, 0), pack(3, 10, 0), pack(4, 20, 0)])).toEqual([
      3, 4, 1,
    ])
  })

  it('are none when few are small', () => {
    expect(choose([pack(1, 30, 0), pack(2, 10, 0)])).toEqual([])
  })

  it('are never copied for what other packs keep', () => {
    const totals: BlockTotals = {
      packedValueBytes: 1000,
      objectBytes: 0,
      historyBytes: 0,
      deadPackedBytes: 900,
      waitingBytes: 0,
      oldestDeadAtS: undefined,
    }
    const clean = [pack(1, 500, 5), pack(2, 500, 0)]
    expect(chooseSources({ totals, worst: clean, smallest: [] }, LIMITS, TARGET)).toEqual([])
  })

  it('are bounded in number', () => {
    const packs = Array.from({ length: 100 }, (_, index) => pack(index, 1, 50))
    expect(choose(packs)).toHaveLength(SOURCE_PACKS_MAX)
  })
})
