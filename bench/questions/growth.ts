import { spreadOf, type Spread } from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { type LoadReport } from '../load/latency.ts'
import { tokensFor } from '../load/load-question.ts'
import { ONE_SPACE, openLoadSession } from '../load/session.ts'
import { atMost, type Figure, type Question } from '../question.ts'
import { type Plot } from '../report/plot.ts'

const KEYS = [1_000, 10_000, 100_000, 1_000_000]
const KEYS_QUICK = [200, 2_000]
const RUNS_MAX = 3
/** Latency at the largest size over that at the smallest. */
const RATIO_MAX = 1.3

const MODES = ['put', 'get', 'list'] as const
type Mode = (typeof MODES)[number]

interface Point {
  readonly mode: Mode
  readonly keys: number
  readonly reports: readonly LoadReport[]
}

/** One space of that many keys; one connection, so that nothing is hidden behind a queue. */
async function measureSize(settings: BenchSettings, keys: number): Promise<Point[]> {
  const alone = { ...settings, against: undefined }
  const shape = { ...ONE_SPACE, mode: 'get', connections: 1, keys } as const
  const session = await openLoadSession(alone, shape, undefined)
  const loader = session.loaderOf(session.sides.node)
  try {
    const reports = new Map<Mode, LoadReport[]>(MODES.map((mode) => [mode, []]))
    for (let run = 0; run < Math.min(RUNS_MAX, settings.pairs); run++) {
      for (const mode of MODES) {
        const { nodes } = await session.sign(tokensFor(session.ratePerS, settings.seconds), mode)
        reports.get(mode)?.push(await loader.runClosedLoop(nodes, settings.seconds))
      }
    }
    return MODES.map((mode) => ({ mode, keys, reports: reports.get(mode) ?? [] }))
  } finally {
    await session.close()
  }
}

const p50Of = ({ reports }: Point): Spread =>
  spreadOf(reports.map(({ latencyMs }) => latencyMs.p50))

function describeMode(mode: Mode, points: readonly Point[]): Figure[] {
  const own = points.filter((point) => point.mode === mode)
  const [first, last] = [own[0], own.at(-1)]
  if (!first || !last) throw new Error(`${mode} was not measured`)
  const ratio = p50Of(last).median / p50Of(first).median
  const figures = own.map((point): Figure => {
    const errors = point.reports.flatMap(({ statuses }) =>
      Object.keys(statuses).filter((status) => status !== '200'),
    )
    return {
      label: `${mode}, one connection, ${point.keys} keys, p50`,
      unit: 'ms',
      node: p50Of(point),
      remarks: [errors.length > 0 ? `**errors: ${errors.join(', ')}**` : 'no errors'],
    }
  })
  const growth: Figure = {
    label: `${mode}: p50 at ${last.keys} keys over ${first.keys}`,
    unit: '×',
    node: spreadOf([ratio]),
    target: atMost(ratio, RATIO_MAX, `≤ ${RATIO_MAX} ×`),
  }
  return [...figures, growth]
}

const plotGrowth = (points: readonly Point[]): Plot => ({
  name: 'growth',
  title: 'Latency over the number of keys in a space, one connection',
  xLabel: 'keys',
  yLabel: 'p50, ms',
  xScale: 'log',
  series: MODES.map((mode) => ({
    name: mode,
    points: points
      .filter((point) => point.mode === mode)
      .map((point) => [point.keys, p50Of(point).median]),
  })),
})

/** What is stored must not make what is asked slower. */
export const growth: Question = {
  name: 'growth',
  asks: 'How does latency change with the number of keys that a space holds?',
  async answer(settings) {
    const points: Point[] = []
    for (const keys of settings.isQuick ? KEYS_QUICK : KEYS)
      points.push(...(await measureSize(settings, keys)))
    return {
      figures: MODES.flatMap((mode) => describeMode(mode, points)),
      plots: [plotGrowth(points)],
      data: points,
    }
  },
}
