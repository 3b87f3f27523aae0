import { measureRounds, type Round, spreadOfSide } from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { type LoadReport } from '../load/latency.ts'
import { describeRefusals, describeRounds, tokensFor } from '../load/load-question.ts'
import { type LoadSession, ONE_SPACE, openLoadSession, requestsFor } from '../load/session.ts'
import { type Figure, type Question } from '../question.ts'
import { type Plot } from '../report/plot.ts'

/** Of what the node answers in a closed loop. */
const LOADS = [0.1, 0.25, 0.5, 0.65, 0.8, 0.9]
const LOADS_QUICK = [0.25, 0.5, 0.8]
const PAIRS_MAX = 3

const MODES = ['put', 'get'] as const
type Mode = (typeof MODES)[number]

interface Point {
  readonly mode: Mode
  /** Share of the node's own most, 0 to 1. */
  readonly load: number
  readonly ratePerS: number
  readonly rounds: readonly Round<LoadReport>[]
}

const p50Of = ({ latencyMs }: LoadReport): number => latencyMs.p50
const p99Of = ({ latencyMs }: LoadReport): number => latencyMs.p99

async function measureMost(session: LoadSession, settings: BenchSettings): Promise<number> {
  const { node } = session.sides
  const load = await session.sign(tokensFor(session.ratePerS, settings.seconds))
  const report = await session
    .loaderOf(node)
    .runClosedLoop(requestsFor(node, load), settings.seconds)
  return report.requestsPerSecond
}

async function measureCurve(settings: BenchSettings, mode: Mode): Promise<Point[]> {
  const session = await openLoadSession(settings, { ...ONE_SPACE, mode }, 'verify')
  try {
    const most = await measureMost(session, settings)
    const points: Point[] = []
    for (const load of settings.isQuick ? LOADS_QUICK : LOADS) {
      const ratePerS = most * load
      const rounds = await measureRounds({
        sides: session.sides.all,
        rounds: settings.isQuick ? 1 : Math.min(PAIRS_MAX, settings.pairs),
        attemptsPerRoundMax: settings.attemptsPerPairMax,
        prepare: () => session.sign(Math.ceil(ratePerS * settings.seconds)),
        measure: (side, prepared) =>
          session
            .loaderOf(side)
            .runConstantRate(requestsFor(side, prepared), ratePerS, settings.seconds),
      })
      points.push({ mode, load, ratePerS, rounds })
    }
    return points
  } finally {
    await session.close()
  }
}

function describePoint({ mode, load, ratePerS, rounds }: Point): Figure {
  const node = spreadOfSide(rounds, 'node', p99Of)
  const p50 = spreadOfSide(rounds, 'node', p50Of)
  if (!node || !p50) throw new Error('the node was not measured')
  return {
    label: `${mode} 1 KiB at a constant ${ratePerS.toFixed(0)}/s (${(load * 100).toFixed(0)} % of its most), p99`,
    unit: 'ms',
    node,
    limit: spreadOfSide(rounds, 'limit', p99Of),
    against: spreadOfSide(rounds, 'against', p99Of),
    remarks: [
      `p50 ${p50.median.toFixed(2)} ms`,
      describeRefusals(rounds) ?? 'no errors',
      describeRounds(rounds),
    ],
  }
}

function plotCurves(points: readonly Point[]): Plot {
  const seriesOf = (
    mode: Mode,
    side: 'node' | 'limit',
    [name, pick]: readonly [string, (report: LoadReport) => number],
  ): Plot['series'][number] => ({
    name: `${mode} ${name}, ${side}`,
    points: points
      .filter((point) => point.mode === mode)
      .map(({ ratePerS, rounds }) => [
        ratePerS,
        spreadOfSide(rounds, side, pick)?.median ?? Number.NaN,
      ]),
  })
  return {
    name: 'rate',
    title: 'Latency over load, constant rate, from when a request was due',
    xLabel: 'requests per second',
    yLabel: 'latency, ms',
    xScale: 'linear',
    series: MODES.flatMap((mode) => [
      seriesOf(mode, 'node', ['p50', p50Of]),
      seriesOf(mode, 'node', ['p99', p99Of]),
      seriesOf(mode, 'limit', ['p99', p99Of]),
    ]),
  }
}

/** A closed loop slows down with the server and so hides its pauses; clients that do not know each other do not. */
export const rate: Question = {
  name: 'rate',
  asks: 'How long do clients wait who send at a constant rate, whatever the answers do?',
  async answer(settings) {
    const points: Point[] = []
    for (const mode of MODES) points.push(...(await measureCurve(settings, mode)))
    return { figures: points.map(describePoint), plots: [plotCurves(points)], data: points }
  },
}
