/** Writes and purges the tickets of signed URLs, inside the transaction of a group. */
import { type Statement } from 'better-sqlite3'
import { type RowChecksum } from '../row-checksum.ts'
import { checksumOfSignedTicket, type SignedTicketRow } from '../tables/signed-ticket.ts'
import { type Connection } from './connection.ts'

/** Tickets that one group removes at most, so that a purge never delays it much. */
const PURGED_TICKETS_MAX = 4096

export class TicketWriter {
  readonly #checksum: RowChecksum
  readonly #insert: Statement
  readonly #purge: Statement

  constructor(connection: Connection, checksum: RowChecksum) {
    this.#checksum = checksum
    this.#insert = connection.prepare(
      'INSERT INTO signed_kv_ticket VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    this.#purge = connection.prepare(
      `DELETE FROM signed_kv_ticket WHERE ticket_id IN
         (SELECT ticket_id FROM signed_kv_ticket WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
    )
  }

  insert(row: SignedTicketRow): void {
    this.#insert.run(
      row.ticketId,
      row.signer,
      row.spaceNo,
      row.key,
      row.digest,
      row.createdAtS,
      row.expiresAtS,
      row.closure,
      checksumOfSignedTicket(this.#checksum, row),
    )
  }

  /** Removes the oldest of those that expired at or before this time. */
  purge(toS: number): void {
    this.#purge.run(toS, PURGED_TICKETS_MAX)
  }
}
