import { describeStores, describeTask, plotGrowth } from '../growth/describe-growth.ts'
import { measureGrowth } from '../growth/measure-growth.ts'
import { createPopulation } from '../growth/population.ts'
import { type GrowthTask } from '../growth/store-turn.ts'
import { type Question } from '../question.ts'

const SPACES = [1_000, 100_000]
const SPACES_QUICK = [50, 500]
const KEYS_PER_SPACE = 10

/**
 * Every request is of another space, so that its owner, its delegation and its rows were seldom seen before. Gets of
 * few spaces rest on delegations that are as many in every store: what they lose is lost by looking among more.
 */
const tasksFor = (fewSpaces: number): GrowthTask[] => [
  { name: 'get', mode: 'get' },
  { name: `get of ${fewSpaces} spaces`, mode: 'get', spacesMax: fewSpaces },
  { name: 'list', mode: 'list' },
  { name: 'put of an old key', mode: 'replace' },
  { name: 'delegate', mode: 'delegate' },
]

/** Two delegations are stored per space: its hosting and a session. */
export const manySpaces: Question = {
  name: 'many-spaces',
  asks: 'What changes with the number of spaces and of stored delegations, ten keys in each space?',
  async answer(settings) {
    const sizes = settings.isQuick ? SPACES_QUICK : SPACES
    const tasks = tasksFor(sizes[0] ?? 0)
    const populations = sizes.map((spaces) => ({
      name: `${spaces} spaces`,
      population: createPopulation(spaces, KEYS_PER_SPACE),
    }))
    const measured = await measureGrowth({ populations, tasks }, settings)
    const title = 'Latency over the number of spaces of ten keys, one connection'
    return {
      figures: [
        ...tasks.flatMap((task) => describeTask(measured, task)),
        ...describeStores(measured),
      ],
      plots: [plotGrowth(measured, { name: 'many-spaces', title, xLabel: 'spaces' }, sizes)],
      data: measured,
    }
  },
}
