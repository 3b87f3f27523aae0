/**
 * `npm run bench`: asks every question, prints the figures as a markdown table, and leaves JSON and plots in
 * bench/results. See bench/README.md.
 */
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createDirectory, removeDirectory } from '../test/_util/node-process.ts'
import { PROJECT_ROOT } from '../test/_util/paths.ts'
import { type BenchSettings } from './compare/settings.ts'
import { assertRealDisk, describeMachine, measureSyncMs } from './machine.ts'
import { type BenchOptions, parseBenchOptions, prepareSettings, USAGE } from './options.ts'
import { PROFILE_USAGE, profileNode } from './profile.ts'
import { type Answer, type Question } from './question.ts'
import { QUESTIONS } from './questions.ts'
import { formatPlot } from './report/plot.ts'
import { formatFigure, TABLE_HEAD } from './report/table.ts'

const RESULTS_DIRECTORY = path.join(PROJECT_ROOT, 'bench/results')

interface Asked {
  readonly name: string
  readonly seconds: number
  readonly answer?: Answer
  /** Why there is no answer. */
  readonly failure?: string
}

/** @throws {Error} for a name that no question has */
function chooseQuestions(only: readonly string[] | undefined): readonly Question[] {
  if (!only) return QUESTIONS
  return only.map((wanted) => {
    const question = QUESTIONS.find(({ name }) => name === wanted)
    if (!question)
      throw new Error(`no question ${wanted}: ${QUESTIONS.map(({ name }) => name).join(', ')}`)
    return question
  })
}

/** One question that fails does not take the others with it. */
async function ask(question: Question, settings: BenchSettings): Promise<Asked> {
  const startedMs = performance.now()
  const { name } = question
  const elapsed = (): number => (performance.now() - startedMs) / 1000
  try {
    const answer = await question.answer(settings)
    for (const figure of answer.figures) process.stdout.write(formatFigure(figure))
    return { name, seconds: elapsed(), answer }
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`${name}: ${failure}\n`)
    process.exitCode = 1
    return { name, seconds: elapsed(), failure }
  }
}

const git = (...argv: string[]): string =>
  spawnSync('git', argv, { cwd: PROJECT_ROOT, encoding: 'utf8' }).stdout?.trim() ?? ''

function describeRevision(): string {
  const isChanged = git('status', '--porcelain', '--', 'src') !== ''
  return `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${isChanged ? ', changed' : ''}`
}

async function runBench(options: BenchOptions): Promise<void> {
  const questions = chooseQuestions(options.only)
  const directory = await createDirectory('bench-run')
  try {
    assertRealDisk(directory)
    const settings = await prepareSettings(options, directory)
    const startedAt = new Date().toISOString()
    const startedMs = performance.now()
    const machine = describeMachine()
    const syncMs = measureSyncMs(directory)
    const revision = describeRevision()
    process.stdout.write(
      `${startedAt.slice(0, 10)}, revision ${revision}, ${machine.cores} × ${machine.model}, Linux ${machine.kernel}, ` +
        `Node ${machine.node}; 1 KiB append with fdatasync: p50 ${syncMs.toFixed(2)} ms\n` +
        `${settings.pairs} pairs of ${settings.seconds} s${options.isQuick ? ': indicative only' : ''}\n\n${TABLE_HEAD}`,
    )
    const asked: Asked[] = []
    for (const question of questions) asked.push(await ask(question, settings))
    const minutes = (performance.now() - startedMs) / 60_000
    const command = ['npm run bench --', ...process.argv.slice(2)].join(' ')
    await writeResults(
      { startedAt, command, revision, machine, syncMs, minutes, settings, asked },
      [options.isQuick ? 'quick' : 'full', ...(options.only ?? [])].join('-'),
    )
    process.stdout.write(`\n${minutes.toFixed(1)} minutes\n`)
  } finally {
    await removeDirectory(directory)
  }
}

async function writeResults(
  results: { readonly startedAt: string; readonly asked: readonly Asked[] } & Record<
    string,
    unknown
  >,
  name: string,
): Promise<void> {
  await mkdir(RESULTS_DIRECTORY, { recursive: true })
  const base = path.join(RESULTS_DIRECTORY, `${results.startedAt.slice(0, 10)}-${name}`)
  const { settings: _settings, ...written } = results
  await writeFile(`${base}.json`, `${JSON.stringify(written, null, 2)}\n`)
  const plots = results.asked.flatMap(({ answer }) => answer?.plots ?? [])
  for (const plot of plots) await writeFile(`${base}-${plot.name}.svg`, formatPlot(plot))
  process.stdout.write(
    `\nwritten: ${path.relative(PROJECT_ROOT, base)}.json, ${plots.length} plots\n`,
  )
}

/** @throws {Error} for options that do not exist */
export async function runCommand(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) process.stdout.write(USAGE + PROFILE_USAGE)
  else if (argv[0] === '--profile') await profileNode(argv.slice(1))
  else await runBench(parseBenchOptions(argv))
}
