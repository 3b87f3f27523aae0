/** Apply, as far as kept versions go. */
import { type Statement } from 'better-sqlite3'
import { type RowChecksum } from '../row-checksum.ts'
import { checksumOfKept } from '../tables/kept.ts'
import { type KeptChanges } from '../transactor.ts'
import { type Connection } from './connection.ts'
import { insertInto } from './insert-into.ts'

export class KeptWriter {
  readonly #checksum: RowChecksum
  readonly #insert: Statement
  readonly #delete: Statement

  constructor(connection: Connection, checksum: RowChecksum) {
    this.#checksum = checksum
    this.#insert = insertInto(connection, 'kv_kept', 11)
    this.#delete = connection.prepare('DELETE FROM kv_kept WHERE replaced_by_no = ?')
  }

  apply({ added, gone }: KeptChanges): void {
    for (const replacedByNo of gone) this.#delete.run(replacedByNo)
    for (const row of added)
      this.#insert.run(
        row.replacedByNo,
        row.versionNo,
        row.spaceNo,
        row.key,
        row.seq,
        row.epochSeq,
        row.position,
        row.valueBytes,
        row.objectNo,
        row.replacedAtS,
        checksumOfKept(this.#checksum, row),
      )
  }
}
