/**
 * POST /signed/kv · in: UCAN with `tinycloud.kv/get`, JSON that names a key of its space · out: the command that keeps a
 * ticket; its answer is a URL that gives this one value to whoever has it, for minutes.
 * Steps: decode → body → time → signature → lifetime → one snapshot → authorise → scope → value → command
 * (reference-behaviour §6.6). The invocation may be sent again, for another URL.
 */
import { actionText } from '../../../protocol/chain.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { coversResource } from '../../../protocol/resource.ts'
import { statementId } from '../../../protocol/token.ts'
import { type ReadFacts } from '../../database/facts.ts'
import { type ReliedDelegation, type SignCommand } from '../../storage/request.ts'
import { type ComputeContext } from '../context.ts'
import { authorise } from '../invoke/authorise.ts'
import { type InvocationToken, parseInvocation, verifyEnvelope } from '../invoke/invocation.ts'
import { type Plan, readRequest } from '../plan.ts'
import { type TokenEntry } from '../request.ts'
import { spacesOf } from '../../../protocol/spaces-of.ts'
import { liveOf } from '../value/answer-value.ts'
import { parseSignRequest, type SignRequest } from './sign-request.ts'
import { formatTicket, TICKET_BYTES, ticketIdOf } from './ticket.ts'

/** Exactly this ability: nothing implies it. */
const GET = 'tinycloud.kv/get'

export function planSign(context: ComputeContext, entry: TokenEntry): Plan {
  const token = parseInvocation(entry.authorization)
  const request = parseSignRequest(entry.body)
  verifyEnvelope(context, token, entry)
  const spaces = spacesOf(token.capabilities)
  const { resource, key, digest } = request
  const keys = digest ? [] : [{ space: resource.space, key }]
  return {
    read: readRequest({ delegations: token.proofs, spaces, keys }),
    complete: (facts) => {
      const nowS = context.nowS()
      const { relies } = authorise(token, facts, nowS)
      assertInScope(token, request)
      return {
        kind: 'command',
        command: {
          kind: 'sign',
          requestId: entry.requestId,
          statementId: statementId(token),
          digest: token.digest,
          ...createTicket(context),
          signer: token.issuer,
          relies,
          action: actionText({ resource, ability: GET }),
          spaces,
          spaceIndex: spaces.indexOf(resource.space),
          key,
          valueDigest: digest ?? presentDigest(facts),
          expiresAtS: endOf(request, token, relies, nowS),
        },
      }
    },
  }
}

/**
 * Rule: SIGNED-2. A right on a folder makes URLs for the keys in it, by the rule of every capability (RES-2).
 * @throws {ProtocolError} SIGNED_URL_SCOPE
 */
function assertInScope({ capabilities }: InvocationToken, { resource }: SignRequest): void {
  const isInScope = capabilities.some(
    (capability) => capability.ability === GET && coversResource(capability.resource, resource),
  )
  if (!isInScope) throw new ProtocolError('SIGNED_URL_SCOPE')
}

function createTicket(context: ComputeContext): Pick<SignCommand, 'ticket' | 'ticketId'> {
  const ticket = formatTicket(context.randomBytes(TICKET_BYTES))
  const ticketId = ticketIdOf(context.ticketKey, ticket)
  if (!ticketId) throw new Error('a ticket of ours is not one')
  return { ticket, ticketId }
}

/** @throws {ProtocolError} KEY_ABSENT */
function presentDigest({ keys: [version] }: ReadFacts): Uint8Array {
  const live = liveOf(version)
  if (!live) throw new ProtocolError('KEY_ABSENT')
  return live.digest
}

/**
 * Rule: SIGNED-4. Whole seconds; no later than the invocation and everything that it relies on.
 * @throws {ProtocolError} SIGNED_URL_BRIEF
 */
function endOf(
  { lifetimeS }: SignRequest,
  token: InvocationToken,
  relies: readonly ReliedDelegation[],
  nowS: number,
): number {
  const ends = relies.map(({ effectiveExpiresAtS }) => effectiveExpiresAtS ?? Infinity)
  const expiresAtS = Math.floor(Math.min(nowS + lifetimeS, token.expiresAtS, ...ends))
  if (expiresAtS <= nowS) throw new ProtocolError('SIGNED_URL_BRIEF')
  return expiresAtS
}
