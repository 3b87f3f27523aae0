/** The quarantine on SQLite. Its statements are rare, so none is kept prepared. */
import { type Damage } from '../../storage/request.ts'
import { type Quarantine, QUARANTINE_ROWS_MAX } from '../quarantine.ts'
import { type Connection } from './connection.ts'
import { prepareMetaWrite, SCRUB_POSITION } from './meta.ts'

export class SqliteQuarantine implements Quarantine {
  readonly #connection: Connection

  /** Borrowed: a connection that writes. */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  add(damages: readonly Damage[], foundAtS: number): Damage[] {
    return this.#connection.transaction(() => this.#insert(damages, foundAtS))()
  }

  replace(damages: readonly Damage[], foundAtS: number): void {
    this.#connection.transaction(() => {
      this.#connection.exec('DELETE FROM quarantine')
      this.#insert(damages, foundAtS)
    })()
  }

  count(): number {
    return (
      this.#connection.prepare<[], number>('SELECT count(*) FROM quarantine').pluck().get() ?? 0
    )
  }

  keepScrubPosition(position: Uint8Array): void {
    prepareMetaWrite(this.#connection).run(SCRUB_POSITION, position)
  }

  #insert(damages: readonly Damage[], foundAtS: number): Damage[] {
    const insert = this.#connection.prepare(
      'INSERT INTO quarantine VALUES (?, ?, ?, ?) ON CONFLICT (kind, row_id) DO NOTHING',
    )
    const free = QUARANTINE_ROWS_MAX - this.count()
    const added: Damage[] = []
    for (const damage of damages) {
      if (added.length >= free) break
      const { kind, rowId, reason } = damage
      if (insert.run(kind, rowId, reason, foundAtS).changes > 0) added.push(damage)
    }
    return added
  }
}
