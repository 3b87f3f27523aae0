import { setTimeout as sleep } from 'node:timers/promises'
import { type Spread, spreadOf } from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { type LoadReport } from '../load/latency.ts'
import { openLoader } from '../load/loader.ts'
import { tokensFor } from '../load/load-question.ts'
import { ONE_SPACE, openLoadSession } from '../load/session.ts'
import { readMemory } from '../machine.ts'
import { atMost, type Question } from '../question.ts'

const CONNECTIONS = 1000
/** A thousand that wait for each other in a closed loop; what takes longer was forgotten. */
const P99_MS_MAX = 2000
const RECOVERY_MS_MAX = 1000
/** A thousand connections group better than the warm-up did: the tokens must last to the end. */
const RATE_RESERVE = 3
const PROBE_EVERY_MS = 5
const PROBES_MAX = 400
/** Requests behind a full house may be told to come back; nothing else is an answer. */
const ALLOWED = new Set(['200', '503'])

interface Saturated {
  readonly report: LoadReport
  /** From the end of the load to the first answer that takes no longer than before it. */
  readonly recoveryMs: number
  readonly calmMs: number
  readonly peakBytes: number
}

async function saturate(settings: BenchSettings): Promise<Saturated> {
  const shape = { ...ONE_SPACE, mode: 'put', connections: CONNECTIONS } as const
  const session = await openLoadSession({ ...settings, against: undefined }, shape, undefined)
  const { node } = session.sides
  const probe = openLoader(node.url, 1)
  try {
    const seconds = Math.max(1, settings.seconds)
    const probes = (await session.sign(PROBES_MAX)).nodes
    const requests = (await session.sign(tokensFor(session.ratePerS * RATE_RESERVE, seconds))).nodes
    const slice = (from: number, length: number): typeof probes => ({
      length,
      at: (index) => probes.at(from + index),
    })
    const calm = await probe.runClosedLoop(slice(0, PROBES_MAX / 4), 1)
    const calmMs = calm.latencyMs.p99
    const report = await session.loaderOf(node).runClosedLoop(requests, seconds)
    const endedMs = performance.now()
    let recoveryMs = Number.POSITIVE_INFINITY
    for (let index = PROBES_MAX / 4; index < PROBES_MAX; index++) {
      const { latencyMs, statuses } = await probe.runClosedLoop(slice(index, 1), 1)
      if (statuses['200'] === 1 && latencyMs.max <= calmMs) {
        recoveryMs = performance.now() - endedMs
        break
      }
      await sleep(PROBE_EVERY_MS)
    }
    return { report, recoveryMs, calmMs, peakBytes: readMemory(node.pid).peakBytes }
  } finally {
    await probe.close()
    await session.close()
  }
}

const one = (value: number): Spread => spreadOf([value])

/** More clients than the node can serve at once: it must stay quick to those it takes, and honest to the others. */
export const saturation: Question = {
  name: 'saturation',
  asks: 'What do a thousand connections get that all put at once, and how soon is the node calm after?',
  async answer(settings) {
    const answer = await saturate(settings)
    const { report, recoveryMs, calmMs, peakBytes } = answer
    const errors = Object.entries(report.statuses).filter(([status]) => !ALLOWED.has(status))
    const errorCount = errors.reduce((total, [, count]) => total + count, 0)
    return {
      figures: [
        {
          label: `${CONNECTIONS} connections of puts`,
          unit: '/s',
          node: one(report.requestsPerSecond),
          remarks: [
            `answers ${JSON.stringify(report.statuses)}`,
            `peak RSS ${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
          ],
        },
        {
          label: `${CONNECTIONS} connections: answers but 200 and 503 with Retry-After`,
          unit: '',
          node: one(errorCount),
          target: atMost(errorCount, 0, 'none'),
        },
        {
          label: `${CONNECTIONS} connections, p99`,
          unit: 'ms',
          node: one(report.latencyMs.p99),
          target: atMost(report.latencyMs.p99, P99_MS_MAX, `≤ ${P99_MS_MAX} ms`),
        },
        {
          label: 'calm again after the load',
          unit: 'ms',
          node: one(recoveryMs),
          target: atMost(recoveryMs, RECOVERY_MS_MAX, `≤ ${RECOVERY_MS_MAX} ms`),
          remarks: [`calm: a put within ${calmMs.toFixed(1)} ms, the p99 before`],
        },
      ],
      data: answer,
    }
  },
}
