/** A data directory that the real program filled, to be started again and again. */
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { finished } from 'node:stream/promises'
import {
  createDirectory,
  type NodeProcess,
  removeDirectory,
  startNodeProcess,
} from '../../test/_util/node-process.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { assertRealDisk } from '../machine.ts'
import { type Population } from './population.ts'
import { seedNode } from './seed.ts'

export interface GrownStore {
  /** As the figures call it. */
  readonly name: string
  readonly population: Population
  /** Holds `data`. */
  readonly directory: string
  readonly seedingS: number
  /** Of all files, once the program that wrote them has ended. */
  readonly diskBytes: number
  start(): Promise<NodeProcess>
  remove(): Promise<void>
}

/** @throws {Error} when the node refuses what it is filled with */
export async function growStore(
  name: string,
  population: Population,
  { computeWorkers, nodeExtras }: BenchSettings,
): Promise<GrownStore> {
  const directory = await createDirectory('bench-grown')
  const start = (): Promise<NodeProcess> =>
    startNodeProcess({
      ...nodeExtras,
      directory,
      ...(computeWorkers !== undefined && { computeWorkers }),
    })
  const remove = (): Promise<void> => removeDirectory(directory)
  try {
    assertRealDisk(directory)
    const node = await start()
    const startedMs = performance.now()
    try {
      await seedNode(node.url, population)
    } finally {
      await node.stop()
    }
    const seedingS = (performance.now() - startedMs) / 1000
    const diskBytes = await measureBytes(directory)
    return { name, population, directory, seedingS, diskBytes, start, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

const READ_BYTES = 1024 * 1024

/**
 * Reads every file once, so that the system holds them: what is measured is the program, not how long ago its disk was
 * read. Of no running node: its database must not be touched by others.
 */
export async function readThrough({ directory }: Pick<GrownStore, 'directory'>): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = createReadStream(path.join(entry.parentPath, entry.name), {
      highWaterMark: READ_BYTES,
    })
    await finished(file.resume())
  }
}

/** Of no running node either. */
async function measureBytes(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(path.join(entry.parentPath, entry.name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
