/** Stores of several sizes take turns, so that what slows the machine for a while slows all of them. */
import { FOREIGN_SHARE_MAX } from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { type GrownStore, growStore } from './grown-store.ts'
import { type Population } from './population.ts'
import { type GrowthTask, StoreMeter, type StoreTurn } from './store-turn.ts'

const ROUNDS_MAX = 3
const ROUNDS_QUICK = 1
/** Of each load; more would only let the small stores grow. */
const SECONDS_MAX = 2

export interface GrowthPlan {
  /** From the smallest to the largest. */
  readonly populations: readonly { readonly name: string; readonly population: Population }[]
  readonly tasks: readonly GrowthTask[]
}

export interface GrowthRound {
  /** In the order of the stores. */
  readonly turns: readonly StoreTurn[]
  readonly foreignShare: number
  readonly isDisturbed: boolean
}

export interface Growth {
  readonly stores: readonly Pick<GrownStore, 'name' | 'population' | 'seedingS' | 'diskBytes'>[]
  readonly tasks: readonly GrowthTask[]
  readonly rounds: readonly GrowthRound[]
}

export async function measureGrowth(
  { populations, tasks }: GrowthPlan,
  settings: BenchSettings,
): Promise<Growth> {
  const stores: GrownStore[] = []
  try {
    for (const { name, population } of populations)
      stores.push(await growStore(name, population, settings))
    const meters = stores.map((store) => new StoreMeter(store))
    const wanted = settings.isQuick ? ROUNDS_QUICK : Math.min(ROUNDS_MAX, settings.pairs)
    const rounds: GrowthRound[] = []
    while (rounds.length < wanted)
      rounds.push(
        await measureRound(meters, tasks, Math.min(SECONDS_MAX, settings.seconds), rounds.length),
      )
    return {
      stores: stores.map(({ name, population, seedingS, diskBytes }) => ({
        name,
        population,
        seedingS,
        diskBytes,
      })),
      tasks,
      rounds,
    }
  } finally {
    for (const store of stores) await store.remove()
  }
}

/** Each round starts with another store. */
async function measureRound(
  meters: readonly StoreMeter[],
  tasks: readonly GrowthTask[],
  seconds: number,
  roundNo: number,
): Promise<GrowthRound> {
  const turns = new Map<StoreMeter, StoreTurn>()
  const shift = roundNo % meters.length
  for (const meter of [...meters.slice(shift), ...meters.slice(0, shift)])
    turns.set(meter, await meter.takeTurn(tasks, seconds))
  const inOrder = meters.flatMap((meter) => turns.get(meter) ?? [])
  const foreignShare = Math.max(...inOrder.map((turn) => turn.foreignShare))
  return { turns: inOrder, foreignShare, isDisturbed: foreignShare > FOREIGN_SHARE_MAX }
}
