/**
 * Load, as far as kept versions go: asked only where `storage.history` keeps any. A damaged row is passed over: a put must
 * not fail for an old version of its key.
 */
import { type Statement } from 'better-sqlite3'
import { type RowChecksum } from '../row-checksum.ts'
import { type KeptFacts, type KeptQuestion, type KeptVersion } from '../transactor.ts'
import { type Connection } from './connection.ts'
import { KEPT_COLUMNS, type KeptColumns, soundKeptRow } from './kept-columns.ts'

type OldestColumns = [packNo: number | null, packLength: number | null, ...kept: KeptColumns]

export class KeptLoader {
  readonly #checksum: RowChecksum
  readonly #newest: Statement<[number, Uint8Array], KeptColumns>
  readonly #oldest: Statement<[number, Uint8Array], OldestColumns>

  constructor(connection: Connection, checksum: RowChecksum) {
    this.#checksum = checksum
    this.#newest = connection
      .prepare<[number, Uint8Array], KeptColumns>(
        `SELECT ${KEPT_COLUMNS} FROM kv_kept k WHERE k.space_no = ? AND k.kv_key = ?
         ORDER BY k.seq DESC, k.epoch_seq DESC`,
      )
      .raw()
    this.#oldest = connection
      .prepare<[number, Uint8Array], OldestColumns>(
        `SELECT v.pack_no, v.pack_length, ${KEPT_COLUMNS}
         FROM kv_kept k JOIN kv_version v ON v.version_no = k.version_no
         WHERE k.space_no = ? AND k.kv_key = ? ORDER BY k.seq, k.epoch_seq`,
      )
      .raw()
  }

  load(spaceNo: number, key: Uint8Array, { goneBelow, oldestMax }: KeptQuestion): KeptFacts {
    const lastPosition = this.#lastPosition(spaceNo, key)
    const bound = lastPosition + goneBelow
    const oldest: KeptVersion[] = []
    if (oldestMax > 0 && bound >= 0)
      for (const [packNo, packLength, ...columns] of this.#oldest.iterate(spaceNo, key)) {
        const row = soundKeptRow(this.#checksum, columns)
        if (!row) continue
        if (row.position > bound || oldest.length === oldestMax) break
        const { replacedByNo, position, valueBytes, objectNo } = row
        oldest.push({ replacedByNo, position, valueBytes, objectNo, packNo, packLength })
      }
    return { lastPosition, oldest }
  }

  /** -1: none is kept. */
  #lastPosition(spaceNo: number, key: Uint8Array): number {
    for (const columns of this.#newest.iterate(spaceNo, key)) {
      const row = soundKeptRow(this.#checksum, columns)
      if (row) return row.position
    }
    return -1
  }
}
