/** What a node under load holds at one moment, seen from outside. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

const MEBIBYTE = 2 ** 20

export interface Sample {
  /** Since the load began. */
  readonly atS: number
  readonly residentMiB: number
  readonly descriptors: number
  /** Below the blocks directory. */
  readonly files: number
  /** Blocks without history, which grows with every change by design. */
  readonly valuesMiB: number
  readonly databaseMiB: number
  /** Of the small requests since the last sample; NaN: there were none. */
  readonly p50Ms: number
}

/** Bytes as the node itself counts them, of its metrics. */
export interface StorageBytes {
  readonly liveBytes: number
  readonly deadBytes: number
  readonly historyBytes: number
}

export async function readStorageBytes(metricsUrl: string): Promise<StorageBytes> {
  const text = await (await fetch(metricsUrl)).text()
  const counter = (name: string): number => {
    const found = new RegExp(String.raw`^tinycloud_storage\{counter="${name}"\} (\S+)$`, 'm').exec(
      text,
    )
    if (!found) throw new Error(`no counter ${name} in the metrics`)
    return Number(found[1])
  }
  return {
    liveBytes: counter('live_bytes'),
    deadBytes: counter('dead_bytes'),
    historyBytes: counter('history_bytes'),
  }
}

export interface DiskUse {
  readonly files: number
  readonly bytes: number
}

/** Files may go while they are counted. */
export function measureFiles(directory: string): DiskUse {
  const sizes = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(
      (entry) =>
        statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0,
    )
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

export const readDescriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

export function readResidentMiB(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1]) / 1024
}

export interface SampledNode {
  readonly pid: number
  /** Holds `data`. */
  readonly directory: string
  readonly metricsUrl: string
}

export async function takeSample(
  { pid, directory, metricsUrl }: SampledNode,
  load: Pick<Sample, 'atS' | 'p50Ms'>,
): Promise<Sample> {
  const { historyBytes } = await readStorageBytes(metricsUrl)
  const data = path.join(directory, 'data')
  const blocks = measureFiles(path.join(data, 'blocks'))
  const databaseBytes = ['caps.db', 'caps.db-wal']
    .map((name) => statSync(path.join(data, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0)
  return {
    ...load,
    residentMiB: readResidentMiB(pid),
    descriptors: readDescriptors(pid),
    files: blocks.files,
    valuesMiB: (blocks.bytes - historyBytes) / MEBIBYTE,
    databaseMiB: databaseBytes / MEBIBYTE,
  }
}
