/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util'
import {
  type Against,
  type BenchSettings,
  FULL_SETTINGS,
  QUICK_SETTINGS,
} from './compare/settings.ts'
import { buildProgram } from './compare/build.ts'
import { unpackRevision } from './compare/revision.ts'
import { assertLoopback } from './load/loader.ts'
import { PROJECT_ROOT } from '../test/_util/paths.ts'

export const USAGE = `npm run bench -- [--quick] [--only NAME,NAME] [--seconds S] [--pairs N] [--workers N]
                 [--against URL [--against-pid PID] | --against REVISION]
`

export interface BenchOptions {
  readonly isQuick: boolean
  /** Names of questions; undefined: all. */
  readonly only: readonly string[] | undefined
  readonly against: string | undefined
  readonly againstPid: number | undefined
  readonly seconds: number
  readonly pairs: number
  readonly computeWorkers: number | undefined
}

/** @throws {Error} for options that do not exist, or numbers that are none */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      seconds: { type: 'string' },
      pairs: { type: 'string' },
      workers: { type: 'string' },
      against: { type: 'string' },
      'against-pid': { type: 'string' },
    },
  })
  const defaults = values.quick ? QUICK_SETTINGS : FULL_SETTINGS
  return {
    isQuick: values.quick,
    only: values.only?.split(','),
    against: values.against,
    againstPid: parsePositive('against-pid', values['against-pid']),
    seconds: parsePositive('seconds', values.seconds) ?? defaults.seconds,
    pairs: parsePositive('pairs', values.pairs) ?? defaults.pairs,
    computeWorkers: parsePositive('workers', values.workers),
  }
}

function parsePositive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!(number > 0)) throw new Error(`--${name} must be a number above 0, not ${text}`)
  return number
}

/** Builds what is measured. `directory`: where the files of another revision go. */
export async function prepareSettings(
  options: BenchOptions,
  directory: string,
): Promise<BenchSettings> {
  const { isQuick, seconds, pairs, computeWorkers } = options
  const { attemptsPerPairMax, warmUpSeconds } = isQuick ? QUICK_SETTINGS : FULL_SETTINGS
  await buildProgram(PROJECT_ROOT)
  const against = await prepareAgainst(options, directory)
  const nodeExtras = { isBuilt: true }
  return {
    isQuick,
    seconds,
    pairs,
    attemptsPerPairMax,
    warmUpSeconds,
    computeWorkers,
    against,
    nodeExtras,
  }
}

async function prepareAgainst(
  { against, againstPid }: BenchOptions,
  directory: string,
): Promise<Against | undefined> {
  if (against === undefined) return undefined
  if (/^https?:/.test(against)) {
    assertLoopback(against)
    return { kind: 'url', url: against, pid: againstPid }
  }
  const projectRoot = await unpackRevision(against, directory)
  return { kind: 'revision', revision: against, projectRoot }
}
