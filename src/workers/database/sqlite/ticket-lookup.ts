/** The ticket of a signed URL, with what it depends on now: the key's version, and whether its right was taken back. */
import { type Statement } from 'better-sqlite3'
import { toHex } from '../../../protocol/bytes.ts'
import { StorageFault } from '../../storage-fault.ts'
import { type RowChecksum } from '../row-checksum.ts'
import { readClosure } from '../tables/delegation.ts'
import { checksumOfSignedTicket, type SignedTicketRow } from '../tables/signed-ticket.ts'
import { type Connection } from './connection.ts'
import { RevocationLookup } from './revocation-lookup.ts'

type TicketColumns = [
  signer: string,
  spaceNo: number,
  key: Buffer,
  digest: Buffer,
  createdAtS: number,
  expiresAtS: number,
  closure: Buffer,
  crc: number,
]

export interface FoundTicket {
  readonly row: SignedTicketRow
  /** A delegation that it rests on was revoked. */
  readonly isRevoked: boolean
}

export class TicketLookup {
  readonly #checksum: RowChecksum
  readonly #ticket: Statement<[Uint8Array], TicketColumns>
  readonly #revocations: RevocationLookup

  constructor(connection: Connection, checksum: RowChecksum) {
    this.#checksum = checksum
    this.#ticket = connection
      .prepare<[Uint8Array], TicketColumns>(
        `SELECT signer, space_no, kv_key, digest, created_at, expires_at, closure, crc
         FROM signed_kv_ticket WHERE ticket_id = ?`,
      )
      .raw()
    this.#revocations = new RevocationLookup(connection, checksum)
  }

  /** Undefined: there is none, or it was purged. @throws {StorageFault} VALUE_CORRUPT */
  find(ticketId: Uint8Array): FoundTicket | undefined {
    const columns = this.#ticket.get(ticketId)
    if (!columns) return undefined
    const [signer, spaceNo, key, digest, createdAtS, expiresAtS, closure, crc] = columns
    const row = { ticketId, signer, spaceNo, key, digest, createdAtS, expiresAtS, closure }
    if (checksumOfSignedTicket(this.#checksum, row) !== crc)
      throw new StorageFault('VALUE_CORRUPT', 'the ticket of a signed URL fails its checksum', {
        damaged: { kind: 'signed_kv_ticket', rowId: toHex(ticketId) },
      })
    const isRevoked = readClosure(closure).some((link) => this.#revocations.isRevoked(link))
    return { row, isRevoked }
  }
}
