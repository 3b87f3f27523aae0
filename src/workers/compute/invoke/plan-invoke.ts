/**
 * POST /invoke · in: UCAN, option headers, perhaps a body · out: a read's answer, or the command of a change.
 * Steps: decode → time → signature → lifetime → effect and options → one snapshot → authorise → answer or command
 * (reference-behaviour §2.9; the body is looked at last, DESIGN §4).
 */
import { emptyAnswer } from '../../../protocol/answer.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { statementId } from '../../../protocol/token.ts'
import { type ReadRequest } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type Plan, readRequest } from '../plan.ts'
import { type TokenEntry } from '../request.ts'
import { spacesOf } from '../../../protocol/spaces-of.ts'
import { authorise } from './authorise.ts'
import { assertBatchPut } from './batch-put.ts'
import { answerCapabilities } from './capabilities.ts'
import { effectOf } from './effects.ts'
import { type Invocation, parseInvocation, replayClaim, verifyEnvelope } from './invocation.ts'
import { answerList, listRequest } from './list.ts'
import { mutate } from './mutate.ts'
import { isMultipart, parseKvOptions } from './options.ts'
import { answerRead } from './read.ts'
import { versionRequest } from './versions.ts'

export function planInvoke(context: ComputeContext, entry: TokenEntry): Plan {
  const invocation = verifyInvocation(context, entry)
  const { token, effect, spaces } = invocation
  return {
    read: readRequest({
      delegations: token.proofs,
      spaces,
      ...wantsOf(context, invocation, entry),
    }),
    complete: (facts) => {
      const authorised = authorise(token, facts, context.nowS())
      switch (effect.kind) {
        case 'unsupported':
          throw unsupported(effect.service)
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
  const token = parseInvocation(entry.authorization)
  verifyEnvelope(context, token, entry)
  if (isMultipart(entry)) assertBatchPut(token.capabilities)
  const effect = effectOf(token)
  return {
    token,
    statementId: statementId(token),
    effect,
    options: parseKvOptions(entry, effect),
    spaces: spacesOf(token.capabilities),
  }
}

function wantsOf(
  context: ComputeContext,
  invocation: Invocation,
  entry: TokenEntry,
): Partial<ReadRequest> {
  const { effect } = invocation
  switch (effect.kind) {
    case 'read': {
      const { targets } = effect
      const [target] = targets
      return { keys: targets, ...(target && versionRequest(context, invocation, target)) }
    }
    case 'list':
      return listRequest(context, invocation, effect.target)
    case 'mutate': {
      // Only a value that is still to come is worth an early look at its precondition and its room.
      const isEarly = entry.body.kind === 'later' && !isMultipart(entry)
      return isEarly ? { keys: [...effect.puts, ...effect.deletes] } : {}
    }
    case 'none':
    case 'capabilities':
    case 'unsupported':
      return {}
  }
}

/** Clients know the absence of one of the services by its text (reference-behaviour §1.7). */
const unsupported = (service: string): ProtocolError =>
  service === 'duckdb'
    ? new ProtocolError('DUCKDB_UNSUPPORTED')
    : new ProtocolError('SERVICE_UNSUPPORTED', service)
