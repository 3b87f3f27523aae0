/** Reads CPU profiles as `node --cpu-prof` writes them, one per thread, and sums their time by function and by file. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { PROJECT_ROOT } from '../test/_util/paths.ts'

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  /** On the monotonic clock of the machine, microseconds. */
  readonly startTime: number
  /** Node id of each sample, and the microseconds since the one before. */
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface SelfTime {
  readonly name: string
  readonly selfUs: number
}

export interface ThreadProfile {
  /** `main`, or the name of the worker's file with the thread's number. */
  readonly thread: string
  /** Without idle time. */
  readonly busyUs: number
  readonly functions: readonly SelfTime[]
  readonly files: readonly SelfTime[]
}

/** A stretch of the machine's monotonic clock (`process.hrtime`), microseconds. */
export interface Window {
  readonly fromUs: number
  readonly toUs: number
}

const IDLE = '(idle)'

/** From the root for our files, `package: file` for packages, else as V8 calls it. */
function nameFile(url: string): string {
  if (url === '') return '(native)'
  if (!url.startsWith('file:')) return url
  const file = fileURLToPath(url)
  const inPackages = file.lastIndexOf('node_modules/')
  if (inPackages >= 0) return file.slice(inPackages + 'node_modules/'.length)
  return path.relative(PROJECT_ROOT, file)
}

const bySelfTime = (totals: ReadonlyMap<string, number>): SelfTime[] =>
  [...totals]
    .map(([name, selfUs]) => ({ name, selfUs }))
    .toSorted((left, right) => right.selfUs - left.selfUs)

function summarise(thread: string, profile: CpuProfile, window: Window): ThreadProfile {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const functions = new Map<string, number>()
  const files = new Map<string, number>()
  let busyUs = 0
  let nowUs = profile.startTime
  for (const [index, id] of profile.samples.entries()) {
    const frame = frames.get(id)
    const deltaUs = profile.timeDeltas[index] ?? 0
    nowUs += deltaUs
    if (nowUs < window.fromUs || nowUs > window.toUs) continue
    if (!frame || frame.functionName === IDLE) continue
    const file = nameFile(frame.url)
    const isSystem = frame.functionName.startsWith('(')
    const name = isSystem
      ? frame.functionName
      : `${frame.functionName || '(anonymous)'} ${file}:${frame.lineNumber + 1}`
    functions.set(name, (functions.get(name) ?? 0) + deltaUs)
    const group = isSystem ? frame.functionName : file
    files.set(group, (files.get(group) ?? 0) + deltaUs)
    busyUs += deltaUs
  }
  return { thread, busyUs, functions: bySelfTime(functions), files: bySelfTime(files) }
}

/** The worker file among the profile's scripts tells which thread it was. */
function nameThread(threadNo: number, { nodes }: CpuProfile): string {
  if (threadNo === 0) return 'main'
  const worker = nodes.find(({ callFrame }) => /\.worker\.[jt]s$/.test(callFrame.url))
  const file = worker ? path.basename(worker.callFrame.url) : 'worker'
  return `${file.replace(/\.worker\.[jt]s$/, '')} ${threadNo}`
}

/** What every profile of a directory saw inside the window; names are `CPU.‹date›.‹time›.‹pid›.‹thread›.‹sequence›.cpuprofile`. */
export async function readProfiles(directory: string, window: Window): Promise<ThreadProfile[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'))
  const threads = await Promise.all(
    names.map(async (name) => {
      const profile: CpuProfile = JSON.parse(await readFile(path.join(directory, name), 'utf8'))
      const threadNo = Number(name.split('.').at(-3))
      return { threadNo, profile: summarise(nameThread(threadNo, profile), profile, window) }
    }),
  )
  return threads
    .toSorted((left, right) => left.threadNo - right.threadNo)
    .map(({ profile }) => profile)
}
