/** Tickets of signed URLs (SIGNED-7). */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../../src/protocol/bytes.ts'
import {
  formatTicket,
  TICKET_BYTES,
  ticketIdOf,
} from '../../../../src/workers/compute/signed-url/ticket.ts'

const KEY = createSecretKey(new Uint8Array(32).fill(1))
const RANDOM = Uint8Array.from({ length: TICKET_BYTES }, (_, index) => index)
const TICKET = formatTicket(RANDOM)

const idOf = (ticket: string, key: KeyObject = KEY): string | undefined => {
  const id = ticketIdOf(key, ticket)
  return id && toHex(id)
}

describe('a ticket (SIGNED-7)', () => {
  it('is its random bytes, in 43 characters that a path may hold', () => {
    expect(TICKET).toBe('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8')
  })

  it('names a row that tells neither the ticket nor another one', () => {
    const id = idOf(TICKET)
    // HMAC-SHA256 of the bytes 0 to 31 under 32 bytes of 1, computed elsewhere.
    expect(id).toBe('41aba2df421ea8784e1b1c7b8cee5db547932361bae337615b237f8dea79e059')
    expect(idOf(TICKET, createSecretKey(new Uint8Array(32).fill(2)))).not.toBe(id)
    expect(idOf(formatTicket(new Uint8Array(TICKET_BYTES)))).not.toBe(id)
  })

  it.each([
    ['nothing', ''],
    ['a shorter text', TICKET.slice(1)],
    ['a longer text', `${TICKET}A`],
    ['padding', `${TICKET.slice(0, -1)}=`],
    ['stray bits at the end', `${TICKET.slice(0, -1)}9`],
    ['another alphabet', `+${TICKET.slice(1)}`],
    ['a blank', ` ${TICKET.slice(1)}`],
    ['a NUL', `\0${TICKET.slice(1)}`],
    ['letters beyond ASCII', `ä${TICKET.slice(1)}`],
  ])('is not %s', (_, text) => expect(idOf(text)).toBeUndefined())
})
