import { describeStores, describeTask, plotGrowth } from '../growth/describe-growth.ts'
import { measureGrowth } from '../growth/measure-growth.ts'
import { createPopulation } from '../growth/population.ts'
import { type GrowthTask } from '../growth/store-turn.ts'
import { type Question } from '../question.ts'

const KEYS = [1_000, 10_000, 100_000, 1_000_000]
const KEYS_QUICK = [1_000, 10_000]
const START_MS_MAX = 3000

/** New keys fall between the old ones, as hashes do; lists begin anywhere. What adds keys comes last. */
const TASKS: readonly GrowthTask[] = [
  { name: 'put of an old key', mode: 'replace' },
  { name: 'get', mode: 'get' },
  { name: 'list of 100', mode: 'list' },
  { name: 'put of a new key', mode: 'put' },
]

/** What is stored must not make what is asked slower. */
export const growth: Question = {
  name: 'growth',
  asks: 'What changes with the number of keys that a space holds: latency, throughput, start, disk, memory?',
  async answer(settings) {
    const sizes = settings.isQuick ? KEYS_QUICK : KEYS
    const populations = sizes.map((keys) => ({
      name: `${keys} keys`,
      population: createPopulation(1, keys),
    }))
    const measured = await measureGrowth({ populations, tasks: TASKS }, settings)
    const title = 'Latency over the number of keys in a space, one connection'
    return {
      figures: [
        ...TASKS.flatMap((task) => describeTask(measured, task)),
        ...describeStores(measured, { startMsMax: START_MS_MAX }),
      ],
      plots: [plotGrowth(measured, { name: 'growth', title, xLabel: 'keys' }, sizes)],
      data: measured,
    }
  },
}
