/** The reading connection of a compute worker. */
import { StorageFault } from '../storage-fault.ts'
import { type DatabaseOptions } from '../storage/request.ts'
import { type DatabaseReader } from './facts.ts'
import { SqliteReader } from './sqlite/sqlite-reader.ts'

/**
 * Opens a connection that reads. The storage thread has created the database and brought it up to date.
 * @throws {StorageFault} STORAGE_UNAVAILABLE
 */
export function openDatabaseReader({ path }: DatabaseOptions): DatabaseReader {
  try {
    return new SqliteReader(path)
  } catch (cause) {
    throw new StorageFault('STORAGE_UNAVAILABLE', 'the database cannot be opened for reading', {
      cause,
    })
  }
}
