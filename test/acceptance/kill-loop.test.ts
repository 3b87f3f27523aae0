/**
 * SIGKILL at random moments. Goal: every acknowledged write, delete, delegation and revocation is there after the
 * restart, and an acknowledged invocation stays used up. What was not acknowledged may be there or not. Beside the node
 * that was started again `tinycloud verify` finds no damage.
 *
 * `TINYCLOUD_TEST_KILLS` sets the kills per run, `TINYCLOUD_TEST_SEED` repeats a run's choices.
 */
import { expect, it } from 'vitest'
import { type KillLoopReport, runKillLoop } from '../_util/kill-loop/run.ts'
import { chooseSeed, countFromEnvironment } from '../_util/random.ts'

const KILLS = countFromEnvironment('TINYCLOUD_TEST_KILLS', 20)
/** `tinycloud verify` reads everything: after each restart of a short run, and as often in a long one. */
const VERIFICATIONS_MAX = 20
/** Kills on one directory where each restart is followed by a verification: its time grows with the history. */
const SERIES_KILLS = 20
/** Restart, load and checks of one round on a slow machine. */
const ROUND_TIMEOUT_MS = 15_000
const TIMEOUT_MS = 60_000 + KILLS * ROUND_TIMEOUT_MS
const PROGRESS_ROUNDS = 25

function tell(name: string, seed: number, report: KillLoopReport): void {
  process.stdout.write(
    `kill loop, ${name}, seed ${seed}: ${report.kills} kills under load, ${report.startKills} while starting, ` +
      `${report.compactions} compactions, ${report.checkedCount} acknowledged operations checked, ` +
      `${report.verifications} verifications, ${report.losses.length} losses\n`,
  )
}

function expectNoLoss({ kills, losses, problems, checkedCount }: KillLoopReport): void {
  expect(losses).toEqual([])
  expect(problems).toEqual([])
  expect(checkedCount).toBeGreaterThan(kills * 10)
}

it(
  'loses nothing that was acknowledged, on the default configuration (KV-9)',
  async () => {
    const seed = chooseSeed()
    const report = await runKillLoop({
      seed,
      kills: KILLS,
      verifyEvery: Math.ceil(KILLS / VERIFICATIONS_MAX),
      onRound: (round) => {
        if (round.kills % PROGRESS_ROUNDS === 0) process.stdout.write(`${JSON.stringify(round)}\n`)
      },
    })
    tell('the default configuration', seed, report)
    expectNoLoss(report)
    expect(report.verifications).toBeGreaterThan(Math.min(KILLS, VERIFICATIONS_MAX) / 2)
  },
  TIMEOUT_MS,
)

/** Options that change what is stored belong here, so that kills meet all of them at once. */
const EVERYTHING_ON = {
  computeWorkers: 4,
  environment: { TINYCLOUD_STORAGE_STAGING: 'FileSystem', TINYCLOUD_STORAGE_HISTORY: '3' },
  isRestless: true,
}

it(
  'loses nothing with everything on, and verifies after each restart (KV-9)',
  async () => {
    for (let left = Math.ceil(KILLS / 2); left > 0; left -= SERIES_KILLS) {
      const seed = chooseSeed()
      const kills = Math.min(left, SERIES_KILLS)
      const report = await runKillLoop({ seed, kills, verifyEvery: 1, ...EVERYTHING_ON })
      tell('everything on', seed, report)
      expectNoLoss(report)
      expect(report.verifications).toBe(kills)
      expect(report.compactions).toBeGreaterThan(0)
    }
  },
  TIMEOUT_MS,
)
