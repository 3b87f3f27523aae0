/** The figures of growing stores. */
import { countedRounds, type Spread, spreadOf } from '../compare/pairs.ts'
import { type LoadReport } from '../load/latency.ts'
import { median } from '../machine.ts'
import { atMost, type Figure } from '../question.ts'
import { type Plot } from '../report/plot.ts'
import { type Growth } from './measure-growth.ts'
import { storedBytesOf } from './population.ts'
import { CROWD, type Crowding, type GrowthTask, type StoreTurn } from './store-turn.ts'

/** Latency in the largest store over that in the smallest (DESIGN §8). */
const RATIO_MAX = 1.3
const MEBIBYTE = 2 ** 20

export interface GrowthTargets {
  /** For the start on the largest store; undefined: none. */
  readonly startMsMax?: number
}

const turnsOf = (growth: Growth, store: number): StoreTurn[] =>
  countedRounds(growth.rounds).flatMap(({ turns }) => turns[store] ?? [])

const reportsOf = (
  growth: Growth,
  store: number,
  task: GrowthTask,
  crowding: Crowding,
): LoadReport[] =>
  turnsOf(growth, store).flatMap(({ reports }) => reports[task.name]?.[crowding] ?? [])

const p50Of = (growth: Growth, store: number, task: GrowthTask): number[] =>
  reportsOf(growth, store, task, 'alone').map(({ latencyMs }) => latencyMs.p50)

const rateOf = (growth: Growth, store: number, task: GrowthTask): number[] =>
  reportsOf(growth, store, task, 'crowded').map(({ requestsPerSecond }) => requestsPerSecond)

/** Round by round. */
const ratioOf = (over: readonly number[], under: readonly number[]): Spread =>
  spreadOf(over.map((value, round) => value / (under[round] ?? Number.NaN)))

function describeErrors(reports: readonly LoadReport[]): string {
  const statuses = new Set(reports.flatMap((report) => Object.keys(report.statuses)))
  statuses.delete('200')
  return statuses.size === 0 ? 'no errors' : `**errors: ${[...statuses].join(', ')}**`
}

export function describeTask(growth: Growth, task: GrowthTask): Figure[] {
  const { stores } = growth
  const figures = stores.map(({ name }, store): Figure => {
    const crowded = reportsOf(growth, store, task, 'crowded')
    const p99 = median(crowded.map(({ latencyMs }) => latencyMs.p99))
    return {
      label: `${task.name}, one connection, ${name}, p50`,
      unit: 'ms',
      node: spreadOf(p50Of(growth, store, task)),
      remarks: [
        `${CROWD} connections: ${median(rateOf(growth, store, task)).toFixed(0)}/s, p99 ${p99.toFixed(1)} ms`,
        describeErrors([...crowded, ...reportsOf(growth, store, task, 'alone')]),
      ],
    }
  })
  const last = stores.length - 1
  const ratio = ratioOf(p50Of(growth, last, task), p50Of(growth, 0, task))
  const rates = ratioOf(rateOf(growth, last, task), rateOf(growth, 0, task))
  return [
    ...figures,
    {
      label: `${task.name}: p50 with ${stores[last]?.name} over ${stores[0]?.name}`,
      unit: '×',
      node: ratio,
      target: atMost(ratio.median, RATIO_MAX, `≤ ${RATIO_MAX} ×`),
      remarks: [
        `${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)}`,
        `requests/s at ${CROWD} connections × ${rates.median.toFixed(2)}`,
        describeRounds(growth),
      ],
    },
  ]
}

function describeRounds({ rounds }: Growth): string {
  const counted = countedRounds(rounds)
  const foreign = Math.max(...counted.map(({ foreignShare }) => foreignShare))
  const clean = rounds.filter(({ isDisturbed }) => !isDisturbed).length
  const count = clean > 0 ? `${clean} of ${rounds.length} rounds` : 'every round disturbed'
  return `${count}, foreign CPU ${(foreign * 100).toFixed(0)} %`
}

export function describeStores(growth: Growth, { startMsMax }: GrowthTargets = {}): Figure[] {
  return growth.stores.flatMap(({ name, population, diskBytes, seedingS }, store): Figure[] => {
    const start = spreadOf(turnsOf(growth, store).map(({ startMs }) => startMs))
    const resident = turnsOf(growth, store).map(({ residentBytes }) => residentBytes / MEBIBYTE)
    const { keysPerToken } = population
    const isLargest = store === growth.stores.length - 1
    return [
      {
        label: `start on ${name}`,
        unit: 'ms',
        node: start,
        ...(startMsMax !== undefined &&
          isLargest && { target: atMost(start.median, startMsMax, `< ${startMsMax} ms`) }),
      },
      {
        label: `bytes on disk per byte stored, ${name}`,
        unit: '×',
        node: spreadOf([diskBytes / storedBytesOf(population)]),
        remarks: [
          keysPerToken === 1 ? 'a token per key' : `a token per ${keysPerToken} keys`,
          `filled in ${seedingS.toFixed(0)} s`,
        ],
      },
      {
        label: `resident memory after these loads, ${name}`,
        unit: 'MiB',
        node: spreadOf(resident),
      },
    ]
  })
}

export const plotGrowth = (
  growth: Growth,
  { name, title, xLabel }: Pick<Plot, 'name' | 'title' | 'xLabel'>,
  sizes: readonly number[],
): Plot => ({
  name,
  title,
  xLabel,
  yLabel: 'p50, ms',
  xScale: 'log',
  series: growth.tasks.map((task) => ({
    name: task.name,
    points: sizes.map((size, store) => [size, median(p50Of(growth, store, task))]),
  })),
})
