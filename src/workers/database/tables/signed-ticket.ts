/**
 * Tickets behind signed URLs. A row is named by a keyed hash of what the URL carries, so that who reads the database, or
 * a copy of it, still has no URL. Rows live minutes: they are purged by expiry and are no part of a space's history.
 */
import { type RowChecksum } from '../row-checksum.ts'

export interface SignedTicketRow {
  /** 32 bytes. */
  readonly ticketId: Uint8Array
  /** The DID that signed the request for the URL. */
  readonly signer: string
  readonly spaceNo: number
  readonly key: Uint8Array
  /** BLAKE3-256 of the one value that the URL gives. */
  readonly digest: Uint8Array
  /** Unix seconds. */
  readonly createdAtS: number
  /** Unix seconds, exclusive. No later than the end of any delegation in `closure`. */
  readonly expiresAtS: number
  /** Every delegation that the right rests on, in the form of `formatClosure`; empty for an owner. */
  readonly closure: Uint8Array
}

export function checksumOfSignedTicket(checksum: RowChecksum, row: SignedTicketRow): number {
  return checksum
    .start()
    .bytes(row.ticketId)
    .text(row.signer)
    .number(row.spaceNo)
    .bytes(row.key)
    .bytes(row.digest)
    .number(row.createdAtS)
    .number(row.expiresAtS)
    .bytes(row.closure)
    .value()
}
