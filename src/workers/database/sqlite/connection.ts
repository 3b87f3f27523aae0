/**
 * Connections to the SQLite file, and what its errors mean to us.
 *
 * No thread ever opens a live SQLite file with `fs`, `lock.sqlite` included: closing any descriptor of it drops every
 * POSIX lock of the process (DESIGN §5).
 */
import Database from 'better-sqlite3'

export type Connection = Database.Database

const WRITER_CACHE_KIB = 64 * 1024
const READER_CACHE_KIB = 8 * 1024
/** Only a checkpoint that waits for readers, or a backup tool, can make a connection wait. */
export const BUSY_TIMEOUT_MS = 5000

/** The one connection that writes. Creates the file where it is missing; changes nothing in one that exists. */
export function openWriter(path: string): Connection {
  return new Database(path, { timeout: BUSY_TIMEOUT_MS })
}

/** The settings of a database that is ours. */
export function configureWriter(connection: Connection): void {
  connection.pragma('page_size = 4096')
  connection.pragma('journal_mode = WAL')
  connection.pragma('synchronous = FULL')
  // An automatic checkpoint swallows its own I/O errors: the actor checkpoints, and looks.
  connection.pragma('wal_autocheckpoint = 0')
  connection.pragma(`cache_size = -${WRITER_CACHE_KIB}`)
  connection.pragma('temp_store = MEMORY')
}

export function openReader(path: string): Connection {
  const connection = new Database(path, {
    readonly: true,
    fileMustExist: true,
    timeout: BUSY_TIMEOUT_MS,
  })
  connection.pragma(`cache_size = -${READER_CACHE_KIB}`)
  connection.pragma('query_only = 1')
  return connection
}

/** The result code of SQLite (`SQLITE_FULL`, `SQLITE_IOERR_FSYNC`); undefined: not an error of SQLite. */
export const sqliteCode = (error: unknown): string | undefined =>
  error instanceof Database.SqliteError ? error.code : undefined
