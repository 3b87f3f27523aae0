/**
 * Tickets: what a signed URL carries instead of a token. A ticket is 32 random bytes; its row is named by a keyed hash of
 * them, so that neither the database nor a copy of it holds anything that opens a value (SIGNED-7).
 */
import { createHmac, type KeyObject } from 'node:crypto'
import { formatBase64url, parseBase64url } from '../../../protocol/base64url.ts'

export const TICKET_BYTES = 32
const TICKET_CHARS = 43

/** @param random TICKET_BYTES of them */
export const formatTicket = (random: Uint8Array): string =>
  formatBase64url(random, { padding: 'none' })

/** The name of the row, 32 bytes; undefined: no ticket looks like this. */
export function ticketIdOf(ticketKey: KeyObject, ticket: string): Uint8Array | undefined {
  const bytes = ticket.length === TICKET_CHARS ? decode(ticket) : undefined
  return bytes && createHmac('sha256', ticketKey).update(bytes).digest()
}

function decode(ticket: string): Uint8Array | undefined {
  try {
    return parseBase64url(ticket, { padding: 'none' })
  } catch {
    return undefined
  }
}
