/** What the figures were taken on, and who else used it meanwhile: read from /proc, never assumed. */
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import path from 'node:path'

/** Of /proc on Linux, whatever the kernel's own tick is. */
const TICKS_PER_S = 100
const TMPFS_MAGIC = 0x01021994
const SYNC_SAMPLES = 200
const SYNC_BYTES = 1024

export interface Machine {
  readonly cores: number
  readonly model: string
  readonly memoryBytes: number
  readonly node: string
  readonly kernel: string
}

export const describeMachine = (): Machine => ({
  cores: availableParallelism(),
  model: cpus()[0]?.model.trim() ?? 'unknown',
  memoryBytes: totalmem(),
  node: process.version,
  kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
})

/** @throws {Error} when syncs in this directory would not reach a disk */
export function assertRealDisk(directory: string): void {
  if (statfsSync(directory).type === TMPFS_MAGIC)
    throw new Error(`${directory} is in memory; set TINYCLOUD_TEST_DIR to a directory on a disk`)
}

/** Median milliseconds of a 1 KiB append with fdatasync in this directory. */
export function measureSyncMs(directory: string): number {
  const file = path.join(directory, 'sync-probe')
  const descriptor = openSync(file, 'w')
  const bytes = Buffer.alloc(SYNC_BYTES, 1)
  const samplesMs = Array.from({ length: SYNC_SAMPLES }, () => {
    const startedMs = performance.now()
    writeSync(descriptor, bytes)
    fdatasyncSync(descriptor)
    return performance.now() - startedMs
  })
  closeSync(descriptor)
  unlinkSync(file)
  return median(samplesMs)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** Fields of /proc/PID/stat after the name, which may hold spaces: index 0 is field 3. */
function readStatFields(pid: number | 'self'): number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** User and system ticks of a process with all of its threads. */
const ownTicks = (pid: number | 'self'): number => sum(readStatFields(pid).slice(11, 13))
/** Of the children that this process has waited for. */
const childTicks = (): number => sum(readStatFields('self').slice(13, 15))

/** Busy ticks of all processors: user, nice, system, irq, softirq, steal. */
function busyTicks(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1)
  const fields = line.trim().split(/\s+/).slice(1).map(Number)
  return sum([0, 1, 2, 5, 6, 7].map((index) => fields[index] ?? 0))
}

export interface Usage {
  /** Share of all processors used by others, 0 to 1. */
  readonly foreignShare: number
  /** Share of all processors used by the watched server, 0 to 1. */
  readonly serverShare: number
}

/** Watches the processors while `work` runs. Ours are this process, the children it waits for, and `servers`. */
export async function watchProcessors<T>(
  options: { readonly serverPid: number; readonly otherPids: readonly number[] },
  work: () => Promise<T>,
): Promise<{ result: T; usage: Usage }> {
  const { serverPid, otherPids } = options
  const read = (): { atMs: number; busy: number; ours: number; server: number } => {
    const server = ownTicks(serverPid)
    const others = sum(otherPids.map((pid) => ownTicks(pid)))
    return {
      atMs: performance.now(),
      busy: busyTicks(),
      ours: ownTicks('self') + childTicks() + server + others,
      server,
    }
  }
  const before = read()
  const result = await work()
  const after = read()
  const ticks = ((after.atMs - before.atMs) / 1000) * TICKS_PER_S * availableParallelism()
  const foreign = Math.max(0, after.busy - before.busy - (after.ours - before.ours))
  return {
    result,
    usage: {
      foreignShare: foreign / ticks,
      serverShare: (after.server - before.server) / ticks,
    },
  }
}

/** Resident memory of a process with all of its threads: now and at its highest. */
export function readMemory(pid: number): { residentBytes: number; peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kibibytes = (name: string): number =>
    Number(new RegExp(String.raw`^${name}:\s+(\d+) kB`, 'm').exec(status)?.[1] ?? 0)
  return { residentBytes: kibibytes('VmRSS') * 1024, peakBytes: kibibytes('VmHWM') * 1024 }
}
