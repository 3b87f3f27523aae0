/** What the threads of a profiled node observed of themselves, inside a stretch of time. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { type Window } from './cpu-profile.ts'
import { type Observation } from './observe.ts'

export interface ThreadHealth {
  readonly threadNo: number
  /** How late the event loop ran: the mean of the samples' means, and the largest. */
  readonly delayMeanMs: number
  readonly delayMaxMs: number
  /** Share of the window's time spent in garbage collection, 0 to 1. */
  readonly collectionShare: number
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

export async function readObservations(directory: string, window: Window): Promise<ThreadHealth[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jsonl'))
  const threads = await Promise.all(
    names.map(async (name) => {
      const lines = (await readFile(path.join(directory, name), 'utf8')).split('\n')
      const observations = lines
        .filter((line) => line !== '')
        .map((line): Observation => JSON.parse(line))
      return { threadNo: Number(/\d+/.exec(name)?.[0]), ...summarise(observations, window) }
    }),
  )
  return threads.toSorted((left, right) => left.threadNo - right.threadNo)
}

function summarise(
  observations: readonly Observation[],
  { fromUs, toUs }: Window,
): Omit<ThreadHealth, 'threadNo'> {
  const seen = observations.filter(({ atUs }) => atUs >= fromUs && atUs <= toUs)
  return {
    delayMeanMs: sum(seen.map(({ delayMeanMs }) => delayMeanMs)) / Math.max(1, seen.length),
    delayMaxMs: Math.max(0, ...seen.map(({ delayMaxMs }) => delayMaxMs)),
    collectionShare: (sum(seen.map(({ collectedMs }) => collectedMs)) * 1000) / (toUs - fromUs),
  }
}
