/** Opens the node's database for the one thread that writes it. */
import { StartFault, type DatabaseOptions } from '../storage/request.ts'
import { type KeptLedger } from './kept-ledger.ts'
import { type PackLedger } from './pack-ledger.ts'
import { type Quarantine } from './quarantine.ts'
import { type RunLedger } from './run-ledger.ts'
import { configureWriter, type Connection, openWriter, sqliteCode } from './sqlite/connection.ts'
import { migrate, readSchemaVersion } from './sqlite/migrate.ts'
import { SqliteKeptLedger } from './sqlite/sqlite-kept-ledger.ts'
import { SqlitePackLedger } from './sqlite/sqlite-pack-ledger.ts'
import { SqliteQuarantine } from './sqlite/sqlite-quarantine.ts'
import { SqliteRunLedger } from './sqlite/sqlite-run-ledger.ts'
import { SqliteTransactor } from './sqlite/sqlite-transactor.ts'
import { type Transactor } from './transactor.ts'

export interface Database {
  readonly transactor: Transactor
  readonly ledger: RunLedger
  readonly packs: PackLedger
  readonly kept: KeptLedger
  readonly quarantine: Quarantine
}

/**
 * Opens, migrates, and puts everything that was recovered on stable storage: SQLite shows a recovered log without
 * having synced it, so nobody may be answered from it before (DESIGN §4 "After a crash").
 * @throws {StartFault}
 */
export function openDatabase({ path }: DatabaseOptions): Database {
  let connection: Connection | undefined
  try {
    connection = openWriter(path)
    const version = readSchemaVersion(connection, path)
    configureWriter(connection)
    migrate(connection, version)
    const transactor = new SqliteTransactor(connection, path)
    if (transactor.checkpoint('TRUNCATE').isBusy) throw inUse(path)
    return {
      transactor,
      ledger: new SqliteRunLedger(connection),
      packs: new SqlitePackLedger(connection),
      kept: new SqliteKeptLedger(connection),
      quarantine: new SqliteQuarantine(connection),
    }
  } catch (error) {
    connection?.close()
    throw error instanceof StartFault ? error : faultOf(error, path)
  }
}

const inUse = (path: string): StartFault =>
  new StartFault({
    what: `The database ${path} is in use`,
    why: 'another program reads or writes it, so that it cannot be put on stable storage',
    remedy: 'Close the other program.',
  })

const REMEDIES: Readonly<Record<string, string>> = {
  SQLITE_CANTOPEN: 'Create its directory, and make sure that this user may write to it.',
  SQLITE_NOTADB:
    'Name another file in storage.database; a file that does not exist is created. If this was the database, restore it from a backup.',
  SQLITE_CORRUPT: 'Restore the data directory from a backup.',
  SQLITE_READONLY: 'Make sure that this user may write to the file and to its directory.',
  SQLITE_FULL: 'Free some disk space.',
  SQLITE_BUSY: 'Close the other program that uses it.',
}

function faultOf(cause: unknown, path: string): StartFault {
  const code = sqliteCode(cause) ?? ''
  const [known] = Object.entries(REMEDIES).filter(([name]) => code.startsWith(name))
  return new StartFault(
    {
      what: `The database ${path} cannot be opened`,
      why: cause instanceof Error ? cause.message : String(cause),
      remedy: known?.[1] ?? 'Check the disk and the permissions of the data directory.',
    },
    { cause },
  )
}
