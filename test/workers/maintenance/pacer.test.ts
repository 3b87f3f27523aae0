/** How fast the scrub may go, on a clock of the test. */
import { describe, expect, it } from 'vitest'
import { EagerPacer, SteadyPacer } from '../../../src/workers/maintenance/pacer.ts'

const MIB = 1024 * 1024

interface TestClock {
  ms: number
  readonly slept: number[]
  nowMs(): number
  sleep(waitMs: number): Promise<void>
}

function createClock(): TestClock {
  return {
    ms: 1000,
    slept: [],
    nowMs() {
      return this.ms
    },
    sleep(waitMs) {
      this.slept.push(waitMs)
      this.ms += waitMs
      return Promise.resolve()
    },
  }
}

/** Spends `bytes` at a time, each of which takes `workMs`, until `totalBytes` are spent. Gives the bytes per second. */
async function rateOf(options: {
  bytesPerS: number
  bytes: number
  workMs: number
  totalBytes: number
}): Promise<number> {
  const clock = createClock()
  const pacer = new SteadyPacer(options.bytesPerS, {
    nowMs: () => clock.nowMs(),
    sleep: (waitMs) => clock.sleep(waitMs),
  })
  const startedMs = clock.ms
  while (pacer.spentBytes < options.totalBytes) {
    clock.ms += options.workMs
    await pacer.spend(options.bytes)
  }
  return (pacer.spentBytes / (clock.ms - startedMs)) * 1000
}

describe('SteadyPacer', () => {
  it.each([
    ['small blocks', 1500],
    ['blocks of a megabyte', MIB],
    ['large blocks', 16 * MIB],
  ])('holds its rate with %s', async (_name, bytes) => {
    const rate = await rateOf({ bytesPerS: 4 * MIB, bytes, workMs: 0, totalBytes: 64 * MIB })
    expect(rate).toBeGreaterThan(3.8 * MIB)
    expect(rate).toBeLessThan(4.2 * MIB)
  })

  it('leaves the core to the node where rows cost more time than bytes', async () => {
    const clock = createClock()
    const pacer = new SteadyPacer(4 * MIB, {
      nowMs: () => clock.nowMs(),
      sleep: (waitMs) => clock.sleep(waitMs),
    })
    const startedMs = clock.ms
    let workedMs = 0
    for (let count = 0; count < 10_000; count++) {
      clock.ms += 0.1
      workedMs += 0.1
      await pacer.spend(10)
    }
    expect(workedMs / (clock.ms - startedMs)).toBeLessThan(0.055)
  })

  it('saves short waits up, because a timer is not more precise', async () => {
    const clock = createClock()
    const pacer = new SteadyPacer(4 * MIB, {
      nowMs: () => clock.nowMs(),
      sleep: (waitMs) => clock.sleep(waitMs),
    })
    for (let count = 0; count < 1000; count++) await pacer.spend(1500)
    expect(clock.slept.length).toBeGreaterThan(5)
    expect(Math.min(...clock.slept)).toBeGreaterThanOrEqual(20)
  })
})

describe('EagerPacer', () => {
  it('takes a turn of the event loop every 512 KiB, and waits no longer', async () => {
    const pacer = new EagerPacer()
    let turns = 0
    let othersRan = 0
    let other = setImmediate(function run() {
      othersRan += 1
      other = setImmediate(run)
    })
    for (let count = 0; count < 1024; count++) {
      const turn = pacer.spend(5 * 1024)
      if (turn) turns += 1
      await turn
    }
    clearImmediate(other)
    expect(turns).toBe(9)
    expect(othersRan).toBe(9)
  })
})
