/**
 * Where does the time of a request go? Runs the node with a CPU profile per thread under one load. Prints self time in
 * microseconds per request, by stage, file and function, and how late each thread's event loop ran; leaves a flame
 * graph. A thread that waits inside a system call (fdatasync) counts as busy.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createDirectory, removeDirectory } from '../test/_util/node-process.ts'
import { PROJECT_ROOT } from '../test/_util/paths.ts'
import { FULL_SETTINGS } from './compare/settings.ts'
import { type LoadReport } from './load/latency.ts'
import { tokensFor } from './load/load-question.ts'
import { LOAD_MODES, type LoadMode } from './load/plan.ts'
import { ONE_SPACE, openLoadSession } from './load/session.ts'
import { readProfiles, type SelfTime, type ThreadProfile } from './profiling/cpu-profile.ts'
import { readObservations, type ThreadHealth } from './profiling/read-observations.ts'
import { sumByStage } from './profiling/stages.ts'
import { formatFlameGraph } from './report/flame-graph.ts'

const OBSERVE_URL = new URL('profiling/observe.ts', import.meta.url).href

export const PROFILE_USAGE = `npm run bench -- --profile [--mode ${LOAD_MODES.join('|')}] [--connections 64] [--spaces 1] [--bytes 1024]
                 [--depth 1] [--seconds 10] [--workers N] [--rows 20] [--keep DIRECTORY]
`

interface ProfileOptions {
  readonly mode: LoadMode
  readonly connections: number
  readonly spaces: number
  readonly valueBytes: number
  readonly depth: number
  readonly seconds: number
  readonly computeWorkers: number | undefined
  readonly rows: number
  /** Where the raw profiles are to go as well. */
  readonly keep: string | undefined
}

/** @throws {Error} for options that do not exist */
function parseProfileOptions(argv: readonly string[]): ProfileOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      mode: { type: 'string', default: 'put' },
      connections: { type: 'string', default: '64' },
      spaces: { type: 'string', default: '1' },
      bytes: { type: 'string', default: '1024' },
      depth: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '10' },
      workers: { type: 'string' },
      rows: { type: 'string', default: '20' },
      keep: { type: 'string' },
    },
  })
  const mode = LOAD_MODES.find((name) => name === values.mode)
  if (mode === undefined) throw new Error(`--mode is one of ${LOAD_MODES.join(', ')}`)
  return {
    mode,
    connections: Number(values.connections),
    spaces: Number(values.spaces),
    valueBytes: Number(values.bytes),
    depth: Number(values.depth),
    seconds: Number(values.seconds),
    computeWorkers: values.workers === undefined ? undefined : Number(values.workers),
    rows: Number(values.rows),
    keep: values.keep,
  }
}

const monotonicUs = (): number => Number(process.hrtime.bigint() / 1000n)

interface Profiled {
  readonly report: LoadReport
  readonly threads: readonly ThreadProfile[]
  readonly health: readonly ThreadHealth[]
}

async function runProfiled(options: ProfileOptions, profiles: string): Promise<Profiled> {
  const { mode, connections, spaces, valueBytes, depth, seconds, computeWorkers } = options
  const session = await openLoadSession(
    {
      ...FULL_SETTINGS,
      isQuick: false,
      computeWorkers,
      against: undefined,
      nodeExtras: {
        nodeOptions: [`--import=${OBSERVE_URL}`, '--cpu-prof', `--cpu-prof-dir=${profiles}`],
        environment: { BENCH_OBSERVATIONS: profiles },
      },
    },
    { ...ONE_SPACE, mode, connections, spaces, valueBytes, depth },
    undefined,
  )
  try {
    const { nodes: requests } = await session.sign(tokensFor(session.ratePerS, seconds))
    const fromUs = monotonicUs()
    const report = await session.loaderOf(session.sides.node).runClosedLoop(requests, seconds)
    const window = { fromUs, toUs: monotonicUs() }
    // The profiles are written when the node ends.
    await session.close()
    return {
      report,
      threads: await readProfiles(profiles, window),
      health: await readObservations(profiles, window),
    }
  } finally {
    await session.close()
  }
}

function printProfile(options: ProfileOptions, { report, threads, health }: Profiled): void {
  const perRequest = (selfUs: number): string => (selfUs / report.requests).toFixed(1)
  const printTable = (kind: string, rows: readonly SelfTime[]): void => {
    process.stdout.write(`\n| ${kind} | µs per request |\n| --- | ---: |\n`)
    for (const { name, selfUs } of rows.slice(0, options.rows))
      process.stdout.write(`| ${name.replaceAll('|', '\\|')} | ${perRequest(selfUs)} |\n`)
  }
  process.stdout.write(
    `${options.mode}, ${options.connections} connections: ${report.requests} requests, ` +
      `${report.requestsPerSecond.toFixed(0)}/s, answers ${JSON.stringify(report.statuses)}\n\n` +
      '| thread | event loop late, mean ms | longest ms | garbage collection |\n| --- | ---: | ---: | ---: |\n',
  )
  for (const { threadNo, delayMeanMs, delayMaxMs, collectionShare } of health)
    process.stdout.write(
      `| ${threads.find((thread) => thread.threadNo === threadNo)?.thread ?? threadNo} | ${delayMeanMs.toFixed(2)} | ${delayMaxMs.toFixed(1)} | ${(collectionShare * 100).toFixed(1)} % |\n`,
    )
  for (const { thread, busyUs, files, functions } of threads) {
    process.stdout.write(`\n### ${thread}: ${perRequest(busyUs)} µs per request\n`)
    printTable('stage', sumByStage(files))
    printTable('file', files)
    printTable('function', functions)
  }
}

/** `npm run bench -- --profile`. @throws {Error} for options that do not exist */
export async function profileNode(argv: readonly string[]): Promise<void> {
  const options = parseProfileOptions(argv)
  const profiles = await createDirectory('profiles')
  try {
    const profiled = await runProfiled(options, profiles)
    printProfile(options, profiled)
    if (options.keep !== undefined) await cp(profiles, options.keep, { recursive: true })
    const title = `${options.mode}, ${options.connections} connections, ${options.valueBytes} bytes`
    const flames = profiled.threads.map(({ flame }) => flame)
    const file = path.join(PROJECT_ROOT, 'bench/results', `flame-${options.mode}.svg`)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, formatFlameGraph(title, flames))
    process.stdout.write(`\nwritten: ${path.relative(PROJECT_ROOT, file)}\n`)
  } finally {
    await removeDirectory(profiles)
  }
}
