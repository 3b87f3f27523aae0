/**
 * How fast are durable puts and gets of 1 KiB, as a share of the limit, at 1, 8 and 64 connections over one space and
 * 32 spaces? Node and limit server take turns under the same load; see bench/README.md.
 *
 *     node bench/first-figures.ts [--modes put,get] [--connections 1,8,64] [--spaces 1,32] [--seconds 8] [--pairs 3]
 *                                 [--workers N] [--bytes 1024] [--depth 1] [--name first-figures]
 */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createDirectory, removeDirectory, startNodeProcess } from '../test/_util/node-process.ts'
import { PROJECT_ROOT } from '../test/_util/paths.ts'
import { type LimitProcess, startLimitProcess } from './limit-process.ts'
import { LOAD_MODES, type LoadQuestion, type LoadReport, runLoad } from './load.ts'
import {
  assertRealDisk,
  describeMachine,
  measureSyncMs,
  median,
  readMemory,
  type Usage,
  watchProcessors,
} from './machine.ts'

/** A pair of runs during which others used more than this share of the processors does not count. */
const FOREIGN_SHARE_MAX = 0.04
/** Disturbed pairs are repeated, up to this many pairs per question for each wanted one. */
const ATTEMPTS_PER_PAIR_MAX = 3

interface Options {
  readonly questions: readonly LoadQuestion[]
  readonly seconds: number
  readonly pairs: number
  readonly computeWorkers: number | undefined
  readonly name: string
}

const numbers = (text: string): number[] => text.split(',').map(Number)

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      modes: { type: 'string', default: 'put,get' },
      connections: { type: 'string', default: '1,8,64' },
      spaces: { type: 'string', default: '1,32' },
      seconds: { type: 'string', default: '8' },
      pairs: { type: 'string', default: '3' },
      workers: { type: 'string' },
      bytes: { type: 'string', default: '1024' },
      depth: { type: 'string', default: '1' },
      name: { type: 'string', default: 'first-figures' },
    },
  })
  const wantedModes = values.modes.split(',')
  const modes = LOAD_MODES.filter((mode) => wantedModes.includes(mode))
  const questions = modes.flatMap((mode) =>
    numbers(values.connections).flatMap((connections) =>
      numbers(values.spaces).map((spaces) => ({
        mode,
        connections,
        spaces,
        valueBytes: Number(values.bytes),
        depth: Number(values.depth),
      })),
    ),
  )
  return {
    questions,
    seconds: Number(values.seconds),
    pairs: Number(values.pairs),
    computeWorkers: values.workers === undefined ? undefined : Number(values.workers),
    name: values.name,
  }
}

interface Side {
  readonly report: LoadReport
  readonly usage: Usage
}

interface Pair {
  readonly node: Side
  readonly limit: Side
  readonly share: number
  readonly isDisturbed: boolean
}

interface Figures {
  readonly question: LoadQuestion
  readonly pairs: readonly Pair[]
  readonly memory: { readonly residentBytes: number; readonly peakBytes: number }
}

interface Servers {
  readonly node: { readonly url: string; readonly pid: number }
  readonly limit: LimitProcess
  readonly directory: string
}

async function measurePair(
  question: LoadQuestion,
  servers: Servers,
  options: { readonly seconds: number; readonly isNodeFirst: boolean },
): Promise<Pair> {
  const measure = async (which: 'node' | 'limit'): Promise<Side> => {
    const server = servers[which]
    const other = servers[which === 'node' ? 'limit' : 'node']
    const { result, usage } = await watchProcessors(
      { serverPid: server.pid, otherPids: [other.pid] },
      () =>
        runLoad(question, {
          url: server.url,
          seconds: options.seconds,
          directory: servers.directory,
        }),
    )
    return { report: result, usage }
  }
  const first = await measure(options.isNodeFirst ? 'node' : 'limit')
  const second = await measure(options.isNodeFirst ? 'limit' : 'node')
  const [node, limit] = options.isNodeFirst ? [first, second] : [second, first]
  return {
    node,
    limit,
    share: node.report.requestsPerSecond / limit.report.requestsPerSecond,
    isDisturbed: [node, limit].some(({ usage }) => usage.foreignShare > FOREIGN_SHARE_MAX),
  }
}

/** Every question meets a node of its own, on an empty directory. */
async function answerQuestion(
  question: LoadQuestion,
  limit: LimitProcess,
  options: Options,
): Promise<Figures> {
  const directory = await createDirectory('bench')
  assertRealDisk(directory)
  const { computeWorkers } = options
  const node = await startNodeProcess({
    directory,
    ...(computeWorkers === undefined ? {} : { computeWorkers }),
  })
  try {
    const pairs: Pair[] = []
    const isWanting = (): boolean =>
      pairs.filter(({ isDisturbed }) => !isDisturbed).length < options.pairs &&
      pairs.length < options.pairs * ATTEMPTS_PER_PAIR_MAX
    while (isWanting()) {
      const isNodeFirst = pairs.length % 2 === 0
      const pair = await measurePair(
        question,
        { node, limit, directory },
        { seconds: options.seconds, isNodeFirst },
      )
      pairs.push(pair)
    }
    return { question, pairs, memory: readMemory(node.pid) }
  } finally {
    await node.stop()
    await removeDirectory(directory)
  }
}

const HEADINGS = [
  'question',
  'node/s',
  'limit/s',
  'share',
  'p50 ms',
  'p99 ms',
  'limit p50',
  'RSS MiB',
  'foreign CPU',
  'pairs',
  'answers',
]

function describeFigures({ question, pairs, memory }: Figures): string[] {
  const clean = pairs.filter(({ isDisturbed }) => !isDisturbed)
  const counted = clean.length > 0 ? clean : pairs
  const of = (pick: (pair: Pair) => number): number => median(counted.map(pick))
  const statuses = new Map<string, number>()
  for (const { node } of pairs)
    for (const [status, count] of Object.entries(node.report.statuses))
      statuses.set(status, (statuses.get(status) ?? 0) + count)
  const foreign = Math.max(
    ...counted.map(({ node, limit }) =>
      Math.max(node.usage.foreignShare, limit.usage.foreignShare),
    ),
  )
  return [
    `${question.mode} ${question.valueBytes} B, ${question.connections} conn, ${question.spaces} spaces`,
    of(({ node }) => node.report.requestsPerSecond).toFixed(0),
    of(({ limit }) => limit.report.requestsPerSecond).toFixed(0),
    of(({ share }) => share).toFixed(2),
    of(({ node }) => node.report.latencyMs.p50).toFixed(2),
    of(({ node }) => node.report.latencyMs.p99).toFixed(2),
    of(({ limit }) => limit.report.latencyMs.p50).toFixed(2),
    (memory.residentBytes / 2 ** 20).toFixed(0),
    `${(foreign * 100).toFixed(1)} %`,
    clean.length > 0 ? `${clean.length} of ${pairs.length}` : `0 of ${pairs.length}, all disturbed`,
    [...statuses].map(([status, count]) => `${status}: ${count}`).join(' '),
  ]
}

const toRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`

const options = parseOptions()
const limit = await startLimitProcess()
const probeDirectory = await createDirectory('bench-probe')
assertRealDisk(probeDirectory)
const syncMs = measureSyncMs(probeDirectory)
await removeDirectory(probeDirectory)
const machine = describeMachine()
process.stdout.write(
  `${machine.cores} × ${machine.model}, Linux ${machine.kernel}, Node ${machine.node}; ` +
    `1 KiB append with fdatasync: p50 ${syncMs.toFixed(2)} ms\n\n${toRow(HEADINGS)}${toRow(HEADINGS.map(() => '---'))}`,
)
const figures: Figures[] = []
try {
  for (const question of options.questions) {
    const answer = await answerQuestion(question, limit, options)
    figures.push(answer)
    process.stdout.write(toRow(describeFigures(answer)))
  }
} finally {
  await limit.stop()
}
const startedAt = new Date().toISOString()
const resultsDirectory = path.join(PROJECT_ROOT, 'bench/results')
await mkdir(resultsDirectory, { recursive: true })
const file = path.join(resultsDirectory, `${options.name}-${startedAt.slice(0, 10)}.json`)
const command = `node bench/first-figures.ts ${process.argv.slice(2).join(' ')}`.trim()
await writeFile(
  file,
  `${JSON.stringify({ startedAt, command, machine, syncMs, figures }, null, 2)}\n`,
)
process.stdout.write(`\nwritten: ${path.relative(PROJECT_ROOT, file)}\n`)
