import { type Statement } from 'better-sqlite3'
import { type Connection } from './connection.ts'

/** A statement that inserts a row with all of its columns, in the order of the schema. */
export function insertInto(connection: Connection, table: string, columnCount: number): Statement {
  const marks = Array.from({ length: columnCount }, () => '?').join(', ')
  return connection.prepare(`INSERT INTO ${table} VALUES (${marks})`)
}
