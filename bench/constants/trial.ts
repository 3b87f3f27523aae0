/** One value of one constant, tried on the real storage actor in this process: real files, a real database, one thread. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { type StorageSurroundings } from '../../src/workers/storage/start-storage.ts'
import { type MutateCommand } from '../../src/workers/storage/request.ts'
import { createDirectory, removeDirectory } from '../../test/_util/node-process.ts'
import { hosting, put } from '../../test/_util/storage-commands.ts'
import { NOW_S, openStorage, type StorageUnderTest } from '../../test/_util/storage-under-test.ts'
import { keyNumbered } from '../load/plan.ts'

export interface TrialResult {
  readonly value: number
  readonly remarks: readonly string[]
}

export interface Trial {
  readonly label: string
  readonly unit: string
  /** The constant has this value. */
  readonly isInUse: boolean
  run(): Promise<TrialResult>
}

/** How much a trial does: 1 for figures, less in a hurry. */
export type Scale = number

export interface TrialStorage extends StorageUnderTest {
  readonly directory: string
  /** Moves the clock of the actor on. */
  passS(seconds: number): void
  nowS(): number
}

/** A storage on an empty directory, hosting the one space; gone afterwards. */
export async function withStorage<T>(
  surroundings: Partial<StorageSurroundings>,
  work: (storage: TrialStorage) => Promise<T>,
): Promise<T> {
  const directory = await createDirectory('bench-constant')
  const clock = { nowS: NOW_S }
  try {
    await mkdir(path.join(directory, 'blocks'))
    const storage = await openStorage(directory, { nowS: () => clock.nowS, ...surroundings })
    try {
      await storage.send(hosting())
      return await work({
        ...storage,
        directory,
        nowS: () => clock.nowS,
        passS: (seconds) => {
          clock.nowS += seconds
        },
      })
    } finally {
      await storage.close()
    }
  } finally {
    await removeDirectory(directory)
  }
}

/** Invocations end in the order in which they come, as they do in life: the replay rows append. */
const LIFETIME_S = 240
const ARRIVALS_PER_S = 6000

/** Puts of scattered keys, values of their own. */
export function createPuts(
  { first, count }: { readonly first: number; readonly count: number },
  valueBytes: number,
  nowS: number = NOW_S,
): MutateCommand[] {
  const filler = randomBytes(valueBytes)
  return Array.from({ length: count }, (_, index) => {
    const value = Buffer.from(filler)
    value.writeUInt32LE(first + index)
    const expiresAtS = nowS + LIFETIME_S + (first + index) / ARRIVALS_PER_S
    return put(keyNumbered(first + index, true), value, { expiresAtS })
  })
}

/** @throws {Error} when a command is refused */
export async function sendAll(
  storage: StorageUnderTest,
  commands: readonly MutateCommand[],
): Promise<void> {
  const replies = await storage.send(...commands)
  if (replies.some(({ kind }) => kind === 'failure')) throw new Error('a put was refused')
}

/** Of the files of blocks. */
export async function blockFiles({
  directory,
}: TrialStorage): Promise<{ readonly files: number; readonly bytes: number }> {
  const entries = await readdir(path.join(directory, 'blocks'), {
    recursive: true,
    withFileTypes: true,
  })
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(path.join(entry.parentPath, entry.name))).size),
  )
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}
