/** Reads CPU profiles as `node --cpu-prof` writes them, one per thread, and sums their time by function and by file. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { PROJECT_ROOT } from '../../test/_util/paths.ts'
import { type Flame } from '../report/flame-graph.ts'

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
  readonly children?: readonly number[]
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
  readonly threadNo: number
  /** `main`, or the name of the worker's file with the thread's number. */
  readonly thread: string
  /** Without idle time. */
  readonly busyUs: number
  readonly functions: readonly SelfTime[]
  readonly files: readonly SelfTime[]
  /** Calls by caller, without idle time. */
  readonly flame: Flame
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

const nameFrame = ({ functionName, url, lineNumber }: ProfileNode['callFrame']): string =>
  functionName.startsWith('(')
    ? functionName
    : `${functionName || '(anonymous)'} ${nameFile(url)}:${lineNumber + 1}`

const bySelfTime = (totals: ReadonlyMap<string, number>): SelfTime[] =>
  [...totals]
    .map(([name, selfUs]) => ({ name, selfUs }))
    .toSorted((left, right) => right.selfUs - left.selfUs)

function summarise(threadNo: number, profile: CpuProfile, window: Window): ThreadProfile {
  const thread = nameThread(threadNo, profile)
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const selfUsById = new Map<number, number>()
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
    selfUsById.set(id, (selfUsById.get(id) ?? 0) + deltaUs)
    const isSystem = frame.functionName.startsWith('(')
    const file = nameFile(frame.url)
    const name = nameFrame(frame)
    functions.set(name, (functions.get(name) ?? 0) + deltaUs)
    const group = isSystem ? frame.functionName : file
    files.set(group, (files.get(group) ?? 0) + deltaUs)
    busyUs += deltaUs
  }
  const flame = growFlame(thread, profile, selfUsById)
  return {
    threadNo,
    thread,
    busyUs,
    functions: bySelfTime(functions),
    files: bySelfTime(files),
    flame,
  }
}

function growFlame(
  thread: string,
  { nodes }: CpuProfile,
  selfUsById: ReadonlyMap<number, number>,
): Flame {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const grow = ({ id, callFrame, children = [] }: ProfileNode): Flame => {
    const flames = children.flatMap((childId) => {
      const child = byId.get(childId)
      const flame = child && grow(child)
      return flame && flame.totalUs > 0 ? [flame] : []
    })
    const ownUs = selfUsById.get(id) ?? 0
    const totalUs = flames.reduce((total, flame) => total + flame.totalUs, ownUs)
    return { name: nameFrame(callFrame), totalUs, children: flames }
  }
  const [root] = nodes
  return { ...(root ? grow(root) : { totalUs: 0, children: [] }), name: thread }
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
      return summarise(threadNo, profile, window)
    }),
  )
  return threads.toSorted((left, right) => left.threadNo - right.threadNo)
}
