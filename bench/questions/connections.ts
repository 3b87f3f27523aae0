import { measureRounds, type Round, shareOfSide, spreadOfSide } from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { type LoadReport } from '../load/latency.ts'
import { openLoader } from '../load/loader.ts'
import { describeRefusals, describeRounds, tokensFor } from '../load/load-question.ts'
import { ONE_SPACE, openLoadSession, requestsFor } from '../load/session.ts'
import { type Figure, type Question } from '../question.ts'
import { type Plot } from '../report/plot.ts'

const CONNECTIONS = [1, 2, 8, 32, 64, 128, 256]
const CONNECTIONS_QUICK = [1, 8, 64, 256]
/** A curve needs no more: every point of it is one. */
const PAIRS_MAX = 3

const MODES = ['put', 'get'] as const
type Mode = (typeof MODES)[number]

interface Point {
  readonly mode: Mode
  readonly connections: number
  readonly rounds: readonly Round<LoadReport>[]
}

const rateOf = ({ requestsPerSecond }: LoadReport): number => requestsPerSecond

/** One node for all points of a curve; each point has connections of its own. */
async function measureCurve(settings: BenchSettings, mode: Mode): Promise<Point[]> {
  const session = await openLoadSession(settings, { ...ONE_SPACE, mode }, 'verify')
  try {
    const points: Point[] = []
    let fastest = session.ratePerS
    for (const connections of settings.isQuick ? CONNECTIONS_QUICK : CONNECTIONS) {
      const rounds = await measureRounds({
        sides: session.sides.all,
        rounds: settings.isQuick ? 1 : Math.min(PAIRS_MAX, settings.pairs),
        attemptsPerRoundMax: settings.attemptsPerPairMax,
        prepare: () => session.sign(tokensFor(fastest, settings.seconds)),
        async measure(side, load) {
          const loader = openLoader(side.url, connections)
          try {
            const report = await loader.runClosedLoop(requestsFor(side, load), settings.seconds)
            fastest = Math.max(fastest, report.requestsPerSecond)
            return report
          } finally {
            await loader.close()
          }
        },
      })
      points.push({ mode, connections, rounds })
    }
    return points
  } finally {
    await session.close()
  }
}

function describePoint({ mode, connections, rounds }: Point): Figure {
  const node = spreadOfSide(rounds, 'node', rateOf)
  if (!node) throw new Error('the node was not measured')
  return {
    label: `${mode} 1 KiB, ${connections} connections`,
    unit: '/s',
    node,
    limit: spreadOfSide(rounds, 'limit', rateOf),
    share: shareOfSide(rounds, 'limit', rateOf),
    against: spreadOfSide(rounds, 'against', rateOf),
    shareOfAgainst: shareOfSide(rounds, 'against', rateOf),
    remarks: [describeRefusals(rounds) ?? 'no errors', describeRounds(rounds)],
  }
}

function plotCurves(points: readonly Point[]): Plot {
  const seriesOf = (mode: Mode, side: 'node' | 'limit' | 'against'): Plot['series'][number] => ({
    name: `${mode}, ${side}`,
    points: points
      .filter((point) => point.mode === mode)
      .map(({ connections, rounds }) => [
        connections,
        spreadOfSide(rounds, side, rateOf)?.median ?? Number.NaN,
      ]),
  })
  return {
    name: 'connections',
    title: 'Throughput over connections, 1 KiB, closed loop',
    xLabel: 'connections',
    yLabel: 'requests per second',
    xScale: 'log',
    series: MODES.flatMap((mode) => [
      seriesOf(mode, 'node'),
      seriesOf(mode, 'limit'),
      seriesOf(mode, 'against'),
    ]),
  }
}

/** Batches and groups grow under load: throughput has to rise with it, and to stay up. */
export const connections: Question = {
  name: 'connections',
  asks: 'How does throughput change with the number of connections?',
  async answer(settings) {
    const points: Point[] = []
    for (const mode of MODES) points.push(...(await measureCurve(settings, mode)))
    return { figures: points.map(describePoint), plots: [plotCurves(points)], data: points }
  },
}
