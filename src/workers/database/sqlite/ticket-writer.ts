/** Writes and purges the tickets of signed URLs, and counts those of each space, inside the transaction of a group. */
import { type Statement } from 'better-sqlite3'
import { type RowChecksum } from '../row-checksum.ts'
import { checksumOfSignedTicket, type SignedTicketRow } from '../tables/signed-ticket.ts'
import { type Connection } from './connection.ts'
import { insertInto } from './insert-into.ts'

/** Tickets that one group removes at most, so that a purge never delays it much. */
const PURGED_TICKETS_MAX = 4096

export class TicketWriter {
  readonly #checksum: RowChecksum
  readonly #insert: Statement
  readonly #purge: Statement<[toS: number, limit: number], number>
  readonly #raise: Statement<[spaceNo: number]>
  readonly #lower: Statement<[tickets: number, spaceNo: number]>
  readonly #forget: Statement<[spaceNo: number]>

  constructor(connection: Connection, checksum: RowChecksum) {
    this.#checksum = checksum
    this.#insert = insertInto(connection, 'signed_kv_ticket', 9)
    this.#purge = connection
      .prepare<[number, number], number>(
        `DELETE FROM signed_kv_ticket WHERE ticket_id IN
           (SELECT ticket_id FROM signed_kv_ticket WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
         RETURNING space_no`,
      )
      .pluck()
    this.#raise = connection.prepare<[number]>(
      `INSERT INTO signed_kv_ticket_count VALUES (?, 1)
       ON CONFLICT (space_no) DO UPDATE SET tickets = tickets + 1`,
    )
    this.#lower = connection.prepare<[number, number]>(
      'UPDATE signed_kv_ticket_count SET tickets = tickets - ? WHERE space_no = ?',
    )
    this.#forget = connection.prepare<[number]>(
      'DELETE FROM signed_kv_ticket_count WHERE space_no = ? AND tickets = 0',
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
    this.#raise.run(row.spaceNo)
  }

  /** Removes the oldest of those that expired at or before this time. */
  purge(toS: number): void {
    const purged = new Map<number, number>()
    for (const spaceNo of this.#purge.all(toS, PURGED_TICKETS_MAX))
      purged.set(spaceNo, (purged.get(spaceNo) ?? 0) + 1)
    for (const [spaceNo, tickets] of purged) {
      this.#lower.run(tickets, spaceNo)
      this.#forget.run(spaceNo)
    }
  }
}
