/**
 * POST /invoke · in: UCAN, option headers, perhaps a body · out: a read's answer, or the command of a change.
 * Steps: decode → time → signature → lifetime → effect and options → one snapshot → authorise → answer or command
 * (reference-behaviour §2.9; the body is looked at last, DESIGN §4).
 */
import { emptyAnswer } from '../../../protocol/answer.ts'
import { type SignedToken } from '../../../protocol/authority.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { assertTimeWindow, parseToken, statementId, verifyToken } from '../../../protocol/token.ts'
import { type ReadRequest } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type Plan, readRequest } from '../plan.ts'
import { type ReplayClaim, type TokenEntry } from '../request.ts'
import { spacesOf } from '../spaces-of.ts'
import { authorise } from './authorise.ts'
import { answerCapabilities } from './capabilities.ts'
import { type Effect, effectOf } from './effects.ts'
import { answerList, listRequest } from './list.ts'
import { mutate } from './mutate.ts'
import { type KvOptions, parseKvOptions } from './options.ts'
import { answerRead } from './read.ts'

/** An invocation whose envelope is verified: everything but its authority. */
export interface Invocation {
  readonly token: SignedToken
  readonly statementId: Uint8Array
  readonly effect: Effect
  readonly options: KvOptions
  /** Every space that its capabilities name, sorted. */
  readonly spaces: readonly string[]
}

const CLAIM_ID_BYTES = 16

/** A read answered once is not answered again. Rule: INV-10, from reference-behaviour §2.9 "Replay". */
export const replayClaim = ({ token, statementId: id }: Invocation): ReplayClaim => ({
  id: id.subarray(0, CLAIM_ID_BYTES),
  expiresAtS: token.expiresAtS ?? 0,
})

export function planInvoke(context: ComputeContext, entry: TokenEntry): Plan {
  const invocation = verifyInvocation(context, entry)
  const { token, effect, spaces } = invocation
  return {
    read: readRequest({ delegations: token.proofs, spaces, ...wantsOf(context, invocation) }),
    complete: (facts) => {
      const authorised = authorise(token, facts, context.nowS())
      switch (effect.kind) {
        case 'unsupported':
          throw new ProtocolError('SERVICE_UNSUPPORTED', effect.service)
        case 'none':
          return { kind: 'answer', answer: emptyAnswer(), claim: replayClaim(invocation) }
        case 'read':
          return answerRead(context, invocation, effect, facts)
        case 'list':
          return answerList(context, invocation, effect.target, authorised, facts)
        case 'capabilities':
          return answerCapabilities(context, invocation, effect.space, facts)
        case 'mutate':
          return mutate(context, invocation, effect, authorised, facts, entry)
      }
    },
  }
}

/**
 * Rule: INV-1, INV-2.
 * @throws {ProtocolError} TOKEN_MALFORMED | INVOCATION_TIME | SIGNATURE_INVALID | INVOCATION_LIFETIME | option errors
 */
function verifyInvocation(context: ComputeContext, entry: TokenEntry): Invocation {
  const token = parseToken(entry.authorization)
  // A wallet's message is never an invocation (reference-behaviour §2.1).
  if (token.encoding !== 'ucan' || token.expiresAtS === undefined)
    throw new ProtocolError('TOKEN_MALFORMED')
  const nowS = context.nowS()
  assertTimeWindow(token, nowS, context.clockSkewS, 'INVOCATION_TIME')
  verifyToken(token)
  if (token.expiresAtS > nowS + context.invocationLifetimeS)
    throw new ProtocolError('INVOCATION_LIFETIME')
  const effect = effectOf(token)
  return {
    token,
    statementId: statementId(token),
    effect,
    options: parseKvOptions(entry, effect),
    spaces: spacesOf(token.capabilities),
  }
}

function wantsOf(context: ComputeContext, invocation: Invocation): Partial<ReadRequest> {
  const { effect } = invocation
  switch (effect.kind) {
    case 'read':
      return { keys: effect.targets }
    case 'list':
      return listRequest(context, invocation, effect.target)
    case 'mutate': {
      // Only an upload that is still to come is worth an early look at its precondition.
      const isGuarded = invocation.options.precondition.kind !== 'none'
      return isGuarded ? { keys: [...effect.puts, ...effect.deletes] } : {}
    }
    case 'none':
    case 'capabilities':
    case 'unsupported':
      return {}
  }
}
