/** Brings the schema of a SQLite database up to this program, or says why that cannot be. */
import { StartFault } from '../../storage/request.ts'
import { MIGRATION_001 } from '../migrations/001-initial.ts'
import { MIGRATION_002 } from '../migrations/002-kept-versions.ts'
import { MIGRATION_003 } from '../migrations/003-ticket-counts.ts'
import { type Migration } from '../migrations/migration.ts'
import { type Connection } from './connection.ts'

const MIGRATIONS: readonly Migration[] = [MIGRATION_001, MIGRATION_002, MIGRATION_003]

/** `TCDB`: marks a SQLite file as one of ours. */
const APPLICATION_ID = 0x54434442

/**
 * The schema that a database has; 0: new and empty.
 * @throws {StartFault} when it is another program's database, or newer than this program
 */
export function readSchemaVersion(connection: Connection, path: string): number {
  const version = readVersion(connection, path)
  if (version <= MIGRATIONS.length) return version
  throw new StartFault({
    what: `The database ${path} is newer than this program`,
    why: `it has schema ${version}, and this program knows ${MIGRATIONS.length}`,
    remedy: 'Run the version of tinycloud that wrote it, or a newer one.',
  })
}

/** Applies what is missing, in one transaction. */
export function migrate(connection: Connection, version: number): void {
  if (version === MIGRATIONS.length) return
  connection.transaction(() => {
    for (const migration of MIGRATIONS.slice(version))
      for (const statement of migration.statements) connection.exec(statement)
    connection.pragma(`application_id = ${APPLICATION_ID}`)
    connection.pragma(`user_version = ${MIGRATIONS.length}`)
  })()
}

/**
 * For readers, which change no schema.
 * @throws {StartFault} when it is another program's database, or of another version than this program
 */
export function assertSchemaIsCurrent(connection: Connection, path: string): void {
  const version = readSchemaVersion(connection, path)
  if (version === MIGRATIONS.length) return
  throw new StartFault({
    what: `The database ${path} is not of this version`,
    why: `it has schema ${version}, and this program reads ${MIGRATIONS.length}`,
    remedy: 'Start the node once with this version, which brings its database up to date.',
  })
}

function readVersion(connection: Connection, path: string): number {
  const applicationId = Number(connection.pragma('application_id', { simple: true }))
  if (applicationId === APPLICATION_ID)
    return Number(connection.pragma('user_version', { simple: true }))
  const tables = connection.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  if (applicationId === 0 && tables === 0) return 0
  throw new StartFault({
    what: `${path} is not a database of tinycloud`,
    why: 'it is a SQLite database of another program',
    remedy: 'Name another file in storage.database; a file that does not exist is created.',
  })
}
