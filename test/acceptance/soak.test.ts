/**
 * Everything at once for some time: puts, overwrites, deletes, gets, lists, delegations, revocations and large values,
 * beside compaction. Goal: memory, descriptors, files, room on the disk and latency are at the end what they were at
 * the beginning; nothing acknowledged is lost, every answer is one that a correct node gives, and `tinycloud verify`
 * finds nothing.
 *
 * `TINYCLOUD_TEST_SOAK_MINUTES` sets the time; `TINYCLOUD_TEST_SEED` repeats a run's choices.
 */
import { describe, expect, it } from 'vitest'
import { chooseSeed } from '../_util/random.ts'
import { type DriftLimit, formatDrift, type Level, measureDrift } from '../_util/soak/drift.ts'
import { runSoak, type SoakReport } from '../_util/soak/run.ts'
import { type Sample } from '../_util/soak/sample.ts'

const MEBIBYTE = 2 ** 20
const MINUTES = Number(process.env['TINYCLOUD_TEST_SOAK_MINUTES'] ?? 0.1)
const SECONDS = MINUTES * 60
/** From here on the graces of dead files, a minute each, have an end within the run. */
const IS_LONG = MINUTES >= 4
const WARM_UP_S = IS_LONG ? 80 : SECONDS / 4
const LEAKING_S = 4
/** Start, rest, checks and the verification of all that was stored. */
const TIMEOUT_MS = 180_000 + SECONDS * 4000
/** Packs under way, and what is not worth its copying. */
const SETTLED_SLACK_BYTES = 2 * 64 * MEBIBYTE + 16 * MEBIBYTE

const LIMITS: readonly DriftLimit[] = [
  // A short run ends before the heaps have found their size.
  { level: 'residentMiB', share: IS_LONG ? 0.15 : 0.3, slack: 48 },
  // Readers keep packs open, and small ones are many.
  { level: 'descriptors', share: 0, slack: IS_LONG ? 24 : 120 },
  { level: 'p50Ms', share: IS_LONG ? 0.5 : 2, slack: 1 },
]
/** Only where dead files go within the run. */
const DISK_LIMITS: readonly DriftLimit[] = [
  { level: 'files', share: 0.25, slack: 64 },
  { level: 'valuesMiB', share: 0.25, slack: 96 },
]

const mebibytes = (bytes: number): string => (bytes / MEBIBYTE).toFixed(0)

function tell(name: string, { requests, drifts, settled }: SoakReport): void {
  const room = settled
    ? `; at rest ${mebibytes(settled.diskBytes - settled.historyBytes)} MiB beside history for ${mebibytes(settled.liveBytes)} MiB live`
    : ''
  process.stdout.write(
    `soak, ${name}: ${requests} requests; ${drifts.map(formatDrift).join(', ')}${room}\n`,
  )
}

describe('a run', () => {
  it(
    'ends as it began',
    async () => {
      const seed = chooseSeed()
      const report = await runSoak({
        seed,
        seconds: SECONDS,
        warmUpS: WARM_UP_S,
        limits: IS_LONG ? [...LIMITS, ...DISK_LIMITS] : LIMITS,
        isRestless: !IS_LONG,
        isSettled: IS_LONG,
        // Kept versions go from the fourth overwrite on: the room that they take stays level.
        environment: { TINYCLOUD_STORAGE_HISTORY: '3' },
      })
      tell(`${MINUTES} minutes, seed ${seed}`, report)
      expect(report.problems).toEqual([])
      expect(report.drifts.filter(({ isTooMuch }) => isTooMuch)).toEqual([])
      expect(report.requests).toBeGreaterThan(SECONDS * 20)
      if (!report.settled) return
      const { diskBytes, liveBytes, historyBytes } = report.settled
      expect(diskBytes).toBeLessThan(1.3 * liveBytes + 1.1 * historyBytes + SETTLED_SLACK_BYTES)
    },
    TIMEOUT_MS,
  )

  it('shows a program that leaks', async () => {
    const report = await runSoak({
      seed: 1,
      seconds: LEAKING_S,
      warmUpS: LEAKING_S / 4,
      limits: LIMITS,
      isRestless: true,
      isSettled: false,
      nodeOptions: ['--import', new URL('../_util/soak/leak.ts', import.meta.url).href],
    })
    tell('leaking', report)
    const tooMuch = report.drifts.filter(({ isTooMuch }) => isTooMuch).map(({ level }) => level)
    expect(tooMuch).toContain('descriptors')
    expect(report.problems).toEqual([])
  })
})

const levelsOf = (samples: readonly Sample[]): Level[] =>
  measureDrift(samples, [...LIMITS, ...DISK_LIMITS])
    .filter(({ isTooMuch }) => isTooMuch)
    .map(({ level }) => level)

describe('drift', () => {
  const LEVEL: Sample = {
    atS: 0,
    residentMiB: 300,
    descriptors: 60,
    files: 100,
    valuesMiB: 200,
    databaseMiB: 10,
    p50Ms: 2,
  }
  const rising = (level: Level, by: number): Sample[] =>
    Array.from({ length: 30 }, (_, index) => ({
      ...LEVEL,
      atS: index,
      [level]: LEVEL[level] + by * index,
    }))

  it('is none where all stays level, or falls, or has a peak', () => {
    expect(levelsOf(rising('residentMiB', 0))).toEqual([])
    expect(levelsOf(rising('descriptors', -1))).toEqual([])
    expect(levelsOf([...rising('files', 0), { ...LEVEL, files: 9000 }])).toEqual([])
  })

  it.each<[Level, number]>([
    ['residentMiB', 20],
    ['descriptors', 10],
    ['files', 10],
    ['valuesMiB', 15],
    ['p50Ms', 1],
  ])('is seen in %s', (level, by) => {
    expect(levelsOf(rising(level, by))).toEqual([level])
  })

  it('is not told from next to nothing, and not missed where nothing was answered', () => {
    expect(() => measureDrift(rising('files', 0).slice(0, 5), LIMITS)).toThrow('5 samples')
    const silent = rising('files', 0).map((sample, index) =>
      index < 20 ? sample : { ...sample, p50Ms: Number.NaN },
    )
    expect(levelsOf(silent)).toEqual(['p50Ms'])
  })
})
