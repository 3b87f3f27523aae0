/**
 * GET and HEAD /signed/kv/‹ticket› · in: the ticket alone · out: the one value that it was made for.
 * Steps: ticket → end → revocation → key → value → condition → range, all on one snapshot (reference-behaviour §6.6).
 */
import { equalBytes } from '../../../protocol/bytes.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { type TicketFacts, type VersionFacts } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type Plan, readRequest } from '../plan.ts'
import { type OpenEntry, type OpenTarget } from '../request.ts'
import { answerValue, liveOf } from '../value/answer-value.ts'
import { wishOf } from '../open/wish.ts'
import { ticketIdOf } from './ticket.ts'

/** The URL is the right: nobody but its holder may keep what it gives. */
const HEADERS = [
  ['cache-control', 'private, no-store'],
  ['accept-ranges', 'bytes'],
] as const

export function planSignedRead(
  context: ComputeContext,
  entry: OpenEntry,
  { ticket }: Extract<OpenTarget, { kind: 'ticket' }>,
): Plan {
  const ticketId = ticketIdOf(context.ticketKey, ticket)
  if (!ticketId) throw new ProtocolError('SIGNED_URL_NOT_FOUND')
  return {
    read: readRequest({ ticket: ticketId }),
    complete: (facts) => {
      const version = versionOf(facts.ticket, context.nowS())
      const headers = [...version.headers, ...HEADERS]
      return answerValue(context, version, wishOf(entry), { headers })
    },
  }
}

/**
 * Rule: SIGNED-5, SIGNED-6.
 * @throws {ProtocolError} SIGNED_URL_NOT_FOUND | SIGNED_URL_EXPIRED | SIGNED_URL_REVOKED | KEY_ABSENT | SIGNED_URL_CONTENT
 */
function versionOf(ticket: TicketFacts | undefined, nowS: number): VersionFacts {
  if (!ticket) throw new ProtocolError('SIGNED_URL_NOT_FOUND')
  if (nowS >= ticket.expiresAtS) throw new ProtocolError('SIGNED_URL_EXPIRED')
  if (ticket.isRevoked) throw new ProtocolError('SIGNED_URL_REVOKED')
  const version = liveOf(ticket.version)
  if (!version) throw new ProtocolError('KEY_ABSENT')
  if (!equalBytes(version.digest, ticket.digest)) throw new ProtocolError('SIGNED_URL_CONTENT')
  return version
}
