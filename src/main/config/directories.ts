/** Makes the directories of the node, durably: a directory exists after a power cut only once its parent was synced. */
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { StartFault } from '../../workers/storage/request.ts'

/** Values, tokens and the secret are nobody else's business. */
const PRIVATE_DIRECTORY_MODE = 0o700
/** A file system in memory, where Linux has one. */
const MEMORY_DIRECTORY = '/dev/shm'

/**
 * Creates a directory with what is missing above it, and syncs every parent of a new one. The direct parent is synced
 * always: an earlier process may have created the directory and lost power before it did (DESIGN §4).
 * @param path absolute
 * @throws {StartFault} when it cannot be created
 */
export function createDirectory(path: string): void {
  try {
    const topmost = mkdirSync(path, { recursive: true, mode: PRIVATE_DIRECTORY_MODE }) ?? path
    for (let directory = path; ; directory = dirname(directory)) {
      syncDirectory(dirname(directory))
      if (directory === topmost || directory === dirname(directory)) return
    }
  } catch (error) {
    throw new StartFault(
      {
        what: `The directory ${path} cannot be created`,
        why: error instanceof Error ? error.message : String(error),
        remedy:
          'Create it for the user that runs the node, or set storage.datadir to a directory of that user.',
      },
      { cause: error },
    )
  }
}

/** Makes new names in a directory durable. A directory that this user may pass but not read cannot be synced. */
export function syncDirectory(path: string): void {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return
    throw error
  }
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * A new private directory for a node that keeps nothing, in memory if possible.
 * Ownership: the caller removes it at exit.
 */
export function createTemporaryDirectory(): string {
  return mkdtempSync(join(isWritable(MEMORY_DIRECTORY) ? MEMORY_DIRECTORY : tmpdir(), 'tinycloud-'))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
