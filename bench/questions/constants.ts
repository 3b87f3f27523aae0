import { checkpointTrials, groupTrials } from '../constants/groups.ts'
import { packLengthTrials } from '../constants/pack-length.ts'
import { type Trial, type TrialResult } from '../constants/trial.ts'
import { thresholdTrials } from '../constants/value-threshold.ts'
import { spreadOf } from '../compare/pairs.ts'
import { type Figure, type Question } from '../question.ts'

const ROUNDS_MAX = 3
const SCALE_QUICK = 0.05

const describe = (trial: Trial, results: readonly TrialResult[]): Figure => ({
  label: trial.isInUse ? `**${trial.label}**` : trial.label,
  unit: trial.unit,
  node: spreadOf(results.map(({ value }) => value)),
  // Those of the last round, which met a warm process.
  remarks: results.at(-1)?.remarks ?? [],
})

/** In process, the storage actor alone: constants trade its throughput against waiting and room. */
export const constants: Question = {
  name: 'constants',
  asks: 'What would other constants of the storage cost or gain?',
  async answer(settings) {
    const scale = settings.isQuick ? SCALE_QUICK : 1
    const trials = [
      ...thresholdTrials(scale),
      ...packLengthTrials(scale),
      ...groupTrials(scale),
      ...checkpointTrials(scale),
    ]
    const results = trials.map((): TrialResult[] => [])
    // Round by round, so that what disturbs a while disturbs all values alike.
    for (
      let round = 0;
      round < (settings.isQuick ? 1 : Math.min(ROUNDS_MAX, settings.pairs));
      round++
    )
      for (const [index, trial] of trials.entries()) results[index]?.push(await trial.run())
    return {
      figures: trials.map((trial, index) => describe(trial, results[index] ?? [])),
      data: trials.map(({ label, isInUse }, index) => ({
        label,
        isInUse,
        results: results[index],
      })),
    }
  },
}
