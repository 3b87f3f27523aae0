/** What a reader must not give out. Asked for every batch: it is nearly always empty, and that costs one look. */
import { type Statement } from 'better-sqlite3'
import { type DamageKind } from '../../storage/request.ts'
import { StorageFault } from '../../storage-fault.ts'
import { type Connection } from './connection.ts'

export class QuarantineLookup {
  readonly #first: Statement<[], 1>
  readonly #row: Statement<[string, string], 1>
  #isEmpty = true

  constructor(connection: Connection) {
    this.#first = connection.prepare<[], 1>('SELECT 1 FROM quarantine LIMIT 1').pluck()
    this.#row = connection
      .prepare<[string, string], 1>('SELECT 1 FROM quarantine WHERE kind = ? AND row_id = ?')
      .pluck()
  }

  /** At the begin of a snapshot. */
  refresh(): void {
    this.#isEmpty = this.#first.get() === undefined
  }

  /** @throws {StorageFault} VALUE_CORRUPT when the row is in quarantine */
  assertSound(kind: DamageKind, rowId: number): void {
    if (this.#isEmpty || this.#row.get(kind, String(rowId)) === undefined) return
    throw new StorageFault('VALUE_CORRUPT', `${kind} ${rowId} is in quarantine`)
  }
}
