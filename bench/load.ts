/** Runs the kit's load generator against a server and reads its report. */
import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { findKit, PROJECT_ROOT } from '../test/_util/paths.ts'

export const LOAD_MODES = ['put', 'get', 'list', 'delegate', 'mixed'] as const

export interface LoadQuestion {
  readonly mode: (typeof LOAD_MODES)[number]
  readonly connections: number
  readonly spaces: number
  readonly valueBytes: number
  /** Delegations between the owner and the invoker. */
  readonly depth: number
}

export interface LoadReport {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly latencyMs: {
    readonly p50: number
    readonly p90: number
    readonly p99: number
    readonly max: number
  }
  /** Answers by status, or by the name of an error of the connection. */
  readonly statuses: Readonly<Record<string, number>>
}

export interface LoadRun {
  readonly url: string
  readonly seconds: number
  /** The generator writes its report into this directory. */
  readonly directory: string
}

/** @throws {Error} with the generator's output when it could not run; refused requests are in the report */
export async function runLoad(question: LoadQuestion, run: LoadRun): Promise<LoadReport> {
  const kit = findKit()
  if (kit === undefined) throw new Error('the conformance kit is missing: set TINYCLOUD_KIT')
  const reportFile = path.join(run.directory, 'load.json')
  const options = {
    mode: question.mode,
    concurrency: question.connections,
    spaces: question.spaces,
    size: question.valueBytes,
    depth: question.depth,
    seconds: run.seconds,
    json: reportFile,
  }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn(process.execPath, [path.join(kit, 'load.mjs'), run.url, ...flags], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (part) => (output += String(part)))
  child.stderr.on('data', (part) => (output += String(part)))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0 && code !== 1) throw new Error(`the load generator ended with ${code}:\n${output}`)
  const text = await readFile(reportFile, 'utf8').catch(() => 'null')
  const report: LoadReport | null = JSON.parse(text)
  if (report === null) throw new Error(`the load generator left no report:\n${output}`)
  await rm(reportFile)
  return report
}
