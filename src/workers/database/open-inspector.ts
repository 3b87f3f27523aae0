/** Opens what maintenance works with. Nothing here creates a database, or changes the schema of one. */
import { StartFault, type DatabaseOptions } from '../storage/request.ts'
import { type DatabaseInspector } from './inspector.ts'
import { type Quarantine } from './quarantine.ts'
import { configureWriter, openReader, openWriter, sqliteCode } from './sqlite/connection.ts'
import { assertSchemaIsCurrent } from './sqlite/migrate.ts'
import { SqliteInspector } from './sqlite/sqlite-inspector.ts'
import { SqliteQuarantine } from './sqlite/sqlite-quarantine.ts'

/**
 * Opens a connection that reads everything.
 * @throws {StartFault} when there is no database, or it is not one of this version
 */
export function openInspector({ path }: DatabaseOptions): DatabaseInspector {
  try {
    const connection = openReader(path)
    try {
      assertSchemaIsCurrent(connection, path)
    } finally {
      connection.close()
    }
    return new SqliteInspector(path)
  } catch (error) {
    throw error instanceof StartFault ? error : unreadable(path, error)
  }
}

/**
 * Opens the quarantine of a node that does not run; the caller holds its lock.
 * @throws {StartFault}
 */
export function openQuarantine({ path }: DatabaseOptions): {
  readonly quarantine: Quarantine
  close(): void
} {
  try {
    const connection = openWriter(path)
    configureWriter(connection)
    return {
      quarantine: new SqliteQuarantine(connection),
      close: () => {
        connection.close()
      },
    }
  } catch (error) {
    throw unreadable(path, error)
  }
}

const unreadable = (path: string, cause: unknown): StartFault =>
  new StartFault(
    {
      what: `The database ${path} cannot be read`,
      why: cause instanceof Error ? cause.message : String(cause),
      remedy:
        sqliteCode(cause)?.startsWith('SQLITE_CORRUPT') === true
          ? 'The file itself is damaged: restore the data directory from a backup.'
          : 'Check the path in the configuration, and that this user may read and write the file and its directory.',
    },
    { cause },
  )
