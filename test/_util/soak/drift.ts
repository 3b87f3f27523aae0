/** Whether what should stay level rises: the last third of a run beside the first one. */
import { type Sample } from './sample.ts'

export type Level = 'residentMiB' | 'descriptors' | 'files' | 'valuesMiB' | 'p50Ms'

/** The last third may have the first one's value, `share` of it more, and `slack`. */
export interface DriftLimit {
  readonly level: Level
  readonly share: number
  readonly slack: number
}

export interface Drift extends DriftLimit {
  readonly first: number
  readonly last: number
  readonly isTooMuch: boolean
}

/** `samples`: without those of the warm-up, in order of time. @throws {Error} where they are too few to be told apart */
export function measureDrift(
  samples: readonly Sample[],
  limits: readonly DriftLimit[],
): readonly Drift[] {
  const size = Math.floor(samples.length / 3)
  if (size < 2) throw new Error(`${samples.length} samples say nothing about drift`)
  const [early, late] = [samples.slice(0, size), samples.slice(-size)]
  return limits.map((limit): Drift => {
    const [first, last] = [early, late].map((part) =>
      medianOf(part.map(({ [limit.level]: value }) => value)),
    )
    if (first === undefined || last === undefined) throw new Error('no thirds')
    return { ...limit, first, last, isTooMuch: !(last <= first * (1 + limit.share) + limit.slack) }
  })
}

function medianOf(values: readonly number[]): number {
  const sorted = values
    .filter((value) => !Number.isNaN(value))
    .toSorted((left, right) => left - right)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

export const formatDrift = ({ level, first, last, isTooMuch }: Drift): string =>
  `${level} ${first.toFixed(1)} → ${last.toFixed(1)}${isTooMuch ? ' DRIFTS' : ''}`
