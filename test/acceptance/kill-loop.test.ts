/**
 * SIGKILL at random moments. Goal: every acknowledged write, delete, delegation and revocation is there after the
 * restart, and an acknowledged invocation stays used up. What was not acknowledged may be there or not. Beside the node
 * that was started again `tinycloud verify` finds no damage.
 *
 * `TINYCLOUD_TEST_KILLS` sets the kills per run, `TINYCLOUD_TEST_SEED` repeats a run's choices.
 */
import { expect, it } from 'vitest'
import { runKillLoop } from '../_util/kill-loop/run.ts'
import { chooseSeed, countFromEnvironment } from '../_util/random.ts'

const KILLS = countFromEnvironment('TINYCLOUD_TEST_KILLS', 20)
/** `tinycloud verify` finds nothing after a restart: after each one of a short run, and as often in a long one. */
const VERIFICATIONS_MAX = 20
/** Restart, load and checks of one round on a slow machine. */
const ROUND_TIMEOUT_MS = 15_000
const PROGRESS_ROUNDS = 25

it.each([
  { name: 'the default configuration', kills: KILLS, changes: {} },
  {
    name: 'four compute workers and staging in files',
    kills: Math.ceil(KILLS / 2),
    changes: { computeWorkers: 4, environment: { TINYCLOUD_STORAGE_STAGING: 'FileSystem' } },
  },
])(
  'loses nothing that was acknowledged, on $name (KV-9)',
  async ({ name, changes, kills }) => {
    const seed = chooseSeed()
    const report = await runKillLoop({
      seed,
      kills,
      verifyEvery: Math.ceil(kills / VERIFICATIONS_MAX),
      ...changes,
      onRound: (round) => {
        if (round.kills % PROGRESS_ROUNDS === 0) process.stdout.write(`${JSON.stringify(round)}\n`)
      },
    })
    process.stdout.write(
      `kill loop, ${name}, seed ${seed}: ${report.kills} kills under load, ${report.startKills} while starting, ` +
        `${report.checkedCount} acknowledged operations checked, ${report.verifications} verifications, ` +
        `${report.losses.length} losses\n`,
    )
    expect(report.losses).toEqual([])
    expect(report.problems).toEqual([])
    expect(report.checkedCount).toBeGreaterThan(kills * 10)
    expect(report.verifications).toBeGreaterThan(Math.min(kills, VERIFICATIONS_MAX) / 2)
  },
  60_000 + KILLS * ROUND_TIMEOUT_MS,
)
