/** The usual question: how many requests per second, as a share of the limit, in a closed loop. */
import { atLeast, type Figure, type Target } from '../question.ts'
import {
  countedRounds,
  measureRounds,
  type Round,
  shareOfSide,
  spreadOfSide,
} from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { median, readMemory } from '../machine.ts'
import { type LoadReport } from './latency.ts'
import { type LoadSession, type LoadShape, openLoadSession, requestsFor } from './session.ts'

/** More tokens than the warm-up's rate asks for: it is slower than what follows. */
const TOKEN_RESERVE = 1.5
/** Bounds memory; a round that uses them up ends early. */
const TOKENS_PER_ROUND_MAX = 80_000

export interface LoadQuestion {
  readonly label: string
  readonly shape: LoadShape
  /** Least share of the limit, 0 to 1; undefined: no target. */
  readonly leastShare?: number
}

export interface LoadAnswer {
  readonly question: LoadQuestion
  readonly rounds: readonly Round<LoadReport>[]
  /** Of the node after the load. */
  readonly memory: { readonly residentBytes: number; readonly peakBytes: number }
}

export const tokensFor = (ratePerS: number, seconds: number): number =>
  Math.min(TOKENS_PER_ROUND_MAX, Math.ceil(ratePerS * seconds * TOKEN_RESERVE))

const rateOf = ({ requestsPerSecond }: LoadReport): number => requestsPerSecond

/** Rounds of a closed loop on all sides of a session. */
export const measureClosedLoop = (
  session: LoadSession,
  settings: BenchSettings,
): Promise<Round<LoadReport>[]> => {
  let fastest = session.ratePerS
  return measureRounds({
    sides: session.sides.all,
    rounds: settings.pairs,
    attemptsPerRoundMax: settings.attemptsPerPairMax,
    prepare: () => session.sign(tokensFor(fastest, settings.seconds)),
    async measure(side, load) {
      const requests = requestsFor(side, load)
      const report = await session.loaderOf(side).runClosedLoop(requests, settings.seconds)
      fastest = Math.max(fastest, report.requestsPerSecond)
      return report
    },
  })
}

export async function answerLoad(
  settings: BenchSettings,
  question: LoadQuestion,
): Promise<LoadAnswer> {
  const session = await openLoadSession(settings, question.shape, 'verify')
  try {
    const rounds = await measureClosedLoop(session, settings)
    return { question, rounds, memory: readMemory(session.sides.node.pid) }
  } finally {
    await session.close()
  }
}

/** Answers that are not 200, added up over all rounds; undefined where there were none. */
export function describeRefusals(rounds: readonly Round<LoadReport>[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { turns } of rounds)
    for (const [status, count] of Object.entries(turns.node?.report.statuses ?? {}))
      if (status !== '200') counts.set(status, (counts.get(status) ?? 0) + count)
  if (counts.size === 0) return undefined
  return [...counts].map(([status, count]) => `${count} × ${status}`).join(', ')
}

export function describeRounds(rounds: readonly Round<unknown>[]): string {
  const foreign = Math.max(...countedRounds(rounds).map(({ foreignShare }) => foreignShare))
  const clean = rounds.filter(({ isDisturbed }) => !isDisturbed).length
  const count =
    clean > 0 ? `${clean} of ${rounds.length} pairs` : `all ${rounds.length} pairs disturbed`
  return `${count}, foreign CPU ${(foreign * 100).toFixed(0)} %`
}

export function describeLoad({ question, rounds, memory }: LoadAnswer): Figure {
  const share = shareOfSide(rounds, 'limit', rateOf)
  const latencies = countedRounds(rounds).flatMap(({ turns }) => turns.node?.report.latencyMs ?? [])
  const refusals = describeRefusals(rounds)
  const p50 = median(latencies.map((latency) => latency.p50)).toFixed(2)
  const p99 = median(latencies.map((latency) => latency.p99)).toFixed(2)
  const target: Target | undefined =
    question.leastShare === undefined ? undefined : atLeast(share, question.leastShare)
  return {
    label: question.label,
    unit: '/s',
    node: spreadOfSide(rounds, 'node', rateOf) ?? NOTHING,
    limit: spreadOfSide(rounds, 'limit', rateOf),
    against: spreadOfSide(rounds, 'against', rateOf),
    share,
    shareOfAgainst: shareOfSide(rounds, 'against', rateOf),
    target,
    remarks: [
      `p50 ${p50} ms, p99 ${p99} ms`,
      `RSS ${(memory.residentBytes / 2 ** 20).toFixed(0)} MiB`,
      refusals === undefined ? 'no errors' : `**errors: ${refusals}**`,
      describeRounds(rounds),
    ],
  }
}

const NOTHING = { median: Number.NaN, least: Number.NaN, most: Number.NaN }
