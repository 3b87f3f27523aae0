import { createDirectory, removeDirectory } from '../../test/_util/node-process.ts'
import { type Round, shareOfSide, spreadOfSide } from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { type LoadReport } from '../load/latency.ts'
import { describeRefusals, describeRounds, measureClosedLoop } from '../load/load-question.ts'
import { ONE_SPACE, openLoadSession } from '../load/session.ts'
import { measureSyncMs } from '../machine.ts'
import { atMost, type Figure, type Question, type Target } from '../question.ts'

/** Blocks and rows: what an acknowledged put waits for at least. */
const SYNCS_PER_PUT = 2
const PUT_OWN_MS_MAX = 1
const GET_P50_MS_MAX = 0.6

const p50Of = ({ latencyMs }: LoadReport): number => latencyMs.p50

async function measureMode(
  settings: BenchSettings,
  mode: 'put' | 'get',
): Promise<Round<LoadReport>[]> {
  const session = await openLoadSession(settings, { ...ONE_SPACE, mode, connections: 1 }, 'verify')
  try {
    return await measureClosedLoop(session, settings)
  } finally {
    await session.close()
  }
}

function describe(
  mode: 'put' | 'get',
  rounds: readonly Round<LoadReport>[],
  targetFor: (p50Ms: number) => Target,
): Figure {
  const node = spreadOfSide(rounds, 'node', p50Of)
  if (!node) throw new Error('the node was not measured')
  return {
    label: `${mode} 1 KiB, one connection, p50`,
    unit: 'ms',
    node,
    limit: spreadOfSide(rounds, 'limit', p50Of),
    share: shareOfSide(rounds, 'limit', p50Of),
    against: spreadOfSide(rounds, 'against', p50Of),
    shareOfAgainst: shareOfSide(rounds, 'against', p50Of),
    target: targetFor(node.median),
    remarks: [describeRefusals(rounds) ?? 'no errors', describeRounds(rounds)],
  }
}

/** Nothing to group with and nobody to wait for: the bare way of one request. */
export const oneConnection: Question = {
  name: 'one-connection',
  asks: 'How long does a client wait that sends one request at a time?',
  async answer(settings) {
    const puts = await measureMode(settings, 'put')
    const directory = await createDirectory('bench-sync')
    const syncMs = measureSyncMs(directory)
    await removeDirectory(directory)
    const gets = await measureMode(settings, 'get')
    const putMsMax = SYNCS_PER_PUT * syncMs + PUT_OWN_MS_MAX
    const putTarget = `≤ two syncs + ${PUT_OWN_MS_MAX} ms = ${putMsMax.toFixed(2)} ms`
    return {
      figures: [
        describe('put', puts, (p50Ms) => atMost(p50Ms, putMsMax, putTarget)),
        describe('get', gets, (p50Ms) => atMost(p50Ms, GET_P50_MS_MAX, `≤ ${GET_P50_MS_MAX} ms`)),
      ],
      data: { puts, gets, syncMs },
    }
  },
}
