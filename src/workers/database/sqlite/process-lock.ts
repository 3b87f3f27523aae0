/**
 * One serving process per data directory: an exclusive transaction held open on `lock.sqlite` for as long as the
 * process lives. The system drops it with the process, whatever way that ends; a PID file lies, and Node has no flock.
 */
import Database from 'better-sqlite3'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { StartFault } from '../../storage/request.ts'
import { sqliteCode } from './connection.ts'

const LOCK_FILE = 'lock.sqlite'
/** A process that is just ending may take this long to let go. */
const LOCK_WAIT_MS = 1000

export interface ProcessLock {
  close(): void
}

/**
 * Locks every directory, those that are the same by realpath once. Directories exist.
 * @throws {StartFault} when another process holds one, or the lock file cannot be made
 */
export function openProcessLock(directories: readonly string[]): ProcessLock {
  const locks: Database.Database[] = []
  const close = (): void => {
    for (const lock of locks.splice(0)) lock.close()
  }
  try {
    // Sorted, so that two processes with the same two directories meet at the same one.
    for (const directory of [...new Set(directories.map(realpath))].toSorted())
      locks.push(lockDirectory(directory))
  } catch (error) {
    close()
    throw error
  }
  return { close }
}

function lockDirectory(directory: string): Database.Database {
  let lock: Database.Database | undefined
  try {
    lock = new Database(join(directory, LOCK_FILE), { timeout: LOCK_WAIT_MS })
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (cause) {
    lock?.close()
    if (sqliteCode(cause) === 'SQLITE_BUSY')
      throw new StartFault(
        {
          what: `The data directory ${directory} is in use`,
          why: 'another tinycloud process serves it',
          remedy: 'Stop the other process, or give this one its own storage.datadir.',
        },
        { cause },
      )
    throw new StartFault(
      {
        what: `The data directory ${directory} cannot be locked`,
        why: cause instanceof Error ? cause.message : String(cause),
        remedy: `Make sure that the directory exists and that this user may write to it and to ${LOCK_FILE} in it.`,
      },
      { cause },
    )
  }
}

function realpath(directory: string): string {
  try {
    return realpathSync(directory)
  } catch (cause) {
    throw new StartFault(
      {
        what: `The data directory ${directory} cannot be used`,
        why: cause instanceof Error ? cause.message : String(cause),
        remedy: 'Create it, or correct its path in the configuration.',
      },
      { cause },
    )
  }
}
