/** What an error of a group means for the group and for the node (DESIGN §4, "After a crash"). Rule: DISK-2. */
import { isNoSpace } from '../blocks/file-system.ts'
import { sqliteCode } from '../database/sqlite/connection.ts'
import { RunEnded } from '../database/transactor.ts'

/** The step of a group in which it was met. */
export type GroupStep = 'load' | 'decide' | 'blocks' | 'rows' | 'commit'

export type FaultKind =
  /** No space left: the group is refused, and nothing is harmed. */
  | 'full'
  /** A write or sync failed in a way that is never retried as if clean: no more writes. */
  | 'broken'
  /** The commit may or may not have happened. */
  | 'unknown'
  /** Another process wrote the same row first: load again. */
  | 'conflict'
  /** Another program holds the database for longer than a group may wait. */
  | 'busy'
  /** This run was declared dead. */
  | 'ended'
  /** Anything else: one command of the group is at fault, so each is tried alone. */
  | 'other'

/** Errors of SQLite that tell of a read, and not of a write that may be half done. */
const READ_FAILURES: ReadonlySet<string> = new Set([
  'SQLITE_IOERR_READ',
  'SQLITE_IOERR_SHORT_READ',
  'SQLITE_IOERR_CORRUPTFS',
  'SQLITE_IOERR_DATA',
])

const CONFLICTS: ReadonlySet<string> = new Set([
  'SQLITE_CONSTRAINT_UNIQUE',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
  'SQLITE_CONSTRAINT_ROWID',
])

export function faultKindOf(error: unknown, step: GroupStep): FaultKind {
  if (error instanceof RunEnded) return 'ended'
  const sqlite = sqliteCode(error)
  if (sqlite !== undefined) return kindOfSqlite(sqlite, step)
  if (isNoSpace(error)) return 'full'
  if (step === 'blocks') return 'broken'
  return step === 'commit' ? 'unknown' : 'other'
}

function kindOfSqlite(code: string, step: GroupStep): FaultKind {
  if (code === 'SQLITE_FULL') return 'full'
  if (CONFLICTS.has(code)) return 'conflict'
  if (READ_FAILURES.has(code) && step !== 'commit') return 'other'
  if (code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_READONLY')) return 'broken'
  if (code === 'SQLITE_CANTOPEN' || code === 'SQLITE_NOTADB') return 'broken'
  if (step === 'commit') return 'unknown'
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'busy'
  return 'other'
}
