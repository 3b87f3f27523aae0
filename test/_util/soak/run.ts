/** The soak: the real program under a steady load for some time, watched from outside, and verified at the end. */
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAccount, openConnections } from '../client.ts'
import { Journal } from '../kill-loop/journal.ts'
import { RESTLESS_OPTIONS, trackKeys } from '../kill-loop/run.ts'
import { verifyJournal } from '../kill-loop/verify.ts'
import {
  createDirectory,
  findFreePort,
  type NodeProcess,
  removeDirectory,
  startNodeProcess,
} from '../node-process.ts'
import { createRandom, type Random } from '../random.ts'
import { runVerifyProcess } from '../verify-process.ts'
import { type Drift, type DriftLimit, measureDrift } from './drift.ts'
import { LatencyLog, runSoakLane } from './load.ts'
import {
  measureFiles,
  readStorageBytes,
  type Sample,
  type SampledNode,
  takeSample,
} from './sample.ts'

const LANES = 16
const ACCOUNTS = 4
const SAMPLES = 120
const SAMPLE_S_MIN = 0.25
/** Older delegations are forgotten by the load, so that its own work stays the same. */
const SHARES_MAX = 300
/** Without load at the end: dead files outlive their grace, and compaction comes to an end. */
const REST_S = 90
/** Verifying takes longer than storing did. */
const VERIFY_TIMEOUT_MS = 1_800_000

export interface SoakOptions {
  readonly seed: number
  readonly seconds: number
  /** Samples before this do not count: code is compiled, caches and graces fill. */
  readonly warmUpS: number
  readonly limits: readonly DriftLimit[]
  /** Packs are small and compaction never rests: for runs that are too short for the limits of the product. */
  readonly isRestless: boolean
  /** Ends with a rest, after which the disk holds hardly more than what is live. */
  readonly isSettled: boolean
  /** More `TINYCLOUD_…` variables. */
  readonly environment?: Readonly<Record<string, string>>
  /** Options of `node` itself. */
  readonly nodeOptions?: readonly string[]
  readonly onSample?: (sample: Sample) => void
}

export interface SoakReport {
  readonly requests: number
  readonly samples: readonly Sample[]
  readonly drifts: readonly Drift[]
  /** Blocks on the disk after the rest, and what they hold; undefined: there was no rest. */
  readonly settled: Settled | undefined
  /** Everything that is wrong but drift: odd answers, lost changes, damage, an exit code. */
  readonly problems: readonly string[]
}

export interface Settled {
  readonly diskBytes: number
  readonly liveBytes: number
  readonly historyBytes: number
}

interface Soak {
  readonly node: NodeProcess
  readonly sampled: SampledNode
  readonly journal: Journal
  readonly random: Random
}

export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const directory = await createDirectory('soak')
  const metricsPort = await findFreePort()
  const node = await startNodeProcess({
    directory,
    environment: { TINYCLOUD_PROMETHEUS_PORT: String(metricsPort), ...options.environment },
    nodeOptions: [...(options.isRestless ? RESTLESS_OPTIONS : []), ...(options.nodeOptions ?? [])],
  })
  const journal = new Journal()
  const metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`
  const sampled = { pid: node.pid, directory, metricsUrl }
  const soak = { node, sampled, journal, random: createRandom(options.seed) }
  const { samples, requests } = await load(soak, options)
  const settled = options.isSettled ? await settle(sampled) : undefined
  const { code } = await node.stop()
  const problems = [...journal.problems]
  if (code !== 0) problems.push(`SIGTERM: exit ${code}\n${node.output()}`)
  const { exitCode, output } = await runVerifyProcess(directory, VERIFY_TIMEOUT_MS)
  if (exitCode !== 0) problems.push(`verify: exit ${exitCode}\n${output}`)
  const counted = samples.filter(({ atS }) => atS >= options.warmUpS)
  const drifts = measureDrift(counted, options.limits)
  await removeDirectory(directory)
  return { requests, samples, drifts, settled, problems }
}

async function load(
  { node, sampled, journal, random }: Soak,
  { seconds, onSample }: SoakOptions,
): Promise<Pick<SoakReport, 'samples' | 'requests'>> {
  const log = new LatencyLog()
  const plain = openConnections(node.url, LANES)
  const connections = log.watch(plain)
  const accounts = await Promise.all(
    Array.from({ length: ACCOUNTS }, () => openAccount(connections)),
  )
  const startedMs = performance.now()
  const elapsedS = (): number => (performance.now() - startedMs) / 1000
  const context = { connections, journal, random, accounts, isStopped: () => elapsedS() >= seconds }
  const lanes = trackKeys(journal, accounts, random, LANES)
  const running = lanes.map((keys) => runSoakLane(context, keys))
  const samples: Sample[] = []
  log.takeP50()
  while (elapsedS() < seconds) {
    await sleep(Math.max(SAMPLE_S_MIN, seconds / SAMPLES) * 1000)
    journal.shares.splice(0, Math.max(0, journal.shares.length - SHARES_MAX))
    const sample = await takeSample(sampled, { atS: elapsedS(), p50Ms: log.takeP50() })
    samples.push(sample)
    onSample?.(sample)
  }
  await Promise.all(running)
  const { requests } = log
  const { losses } = await verifyJournal(plain, journal, accounts)
  journal.problems.push(...losses)
  await plain.close()
  return { samples, requests }
}

async function settle({ directory, metricsUrl }: SampledNode): Promise<Settled> {
  await sleep(REST_S * 1000)
  const { liveBytes, historyBytes } = await readStorageBytes(metricsUrl)
  const { bytes } = measureFiles(path.join(directory, 'data/blocks'))
  return { diskBytes: bytes, liveBytes, historyBytes }
}
