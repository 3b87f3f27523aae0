/**
 * POST /delegation/status · in: UCAN with `tinycloud.delegation/status` on `urn:cid:‹cid›`, JSON `{cid}` · out: 200 or
 * 404 with the state of that delegation.
 * Steps: decode → body → signature, time → binding → CID → one snapshot → may the asker know? → state
 * (reference-behaviour §1.8, DESIGN §7.17).
 */
import { type Answer, jsonAnswer } from '../../../protocol/answer.ts'
import { type SignedToken } from '../../../protocol/authority.ts'
import { BLAKE3_CODE, DIGEST_BYTES, parseCid } from '../../../protocol/cid.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { STATUS_REQUEST } from '../../../protocol/messages/delegation-status.ts'
import { findControl, isParty } from '../../../protocol/revocation.ts'
import { type StoredDelegation } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type MessageForm, parseMessage, readTextMember, unprocessable } from '../json-body.ts'
import { type Plan, readRequest } from '../plan.ts'
import { type TokenEntry } from '../request.ts'
import { parseQuestion, verifyQuestion } from './question.ts'
import { type DelegationState, stateOf } from './state.ts'

const STATUS_ABILITY = 'tinycloud.delegation/status'

const FORM: MessageForm = {
  schema: STATUS_REQUEST,
  order: Object.keys(STATUS_REQUEST.properties),
  refusalOf: unprocessable,
}

/** Stands for a CID hashed with another function: nothing is stored under it. */
const NO_DIGEST: Uint8Array = new Uint8Array(DIGEST_BYTES)

export function planStatus(context: ComputeContext, entry: TokenEntry): Plan {
  const token = parseQuestion(entry.authorization)
  const cid = readTextMember(parseMessage(entry.body, FORM), 'cid')
  verifyQuestion(context, token, entry, 'STATUS_INVOCATION')
  assertBound(token, cid)
  const digest = parseTarget(cid)
  return {
    read: readRequest({ delegations: [digest, ...token.proofs] }),
    unavailable: 'STATUS_UNAVAILABLE',
    complete: ({ delegations: [target, ...proofs] }) => {
      const nowS = context.nowS()
      const isTold = target !== undefined && mayKnow(token, target, proofs, nowS)
      const answer = isTold ? statusAnswer(cid, stateOf(target, nowS)) : notFoundAnswer(cid)
      return { kind: 'answer', answer, claim: undefined }
    },
  }
}

/**
 * Checks that the token asks about this delegation and nothing else.
 *
 * Rule: STATUS-1.
 * @throws {ProtocolError} STATUS_BINDING
 */
function assertBound({ capabilities }: SignedToken, cid: string): void {
  const [capability] = capabilities
  const isBound =
    capabilities.length === 1 &&
    capability?.ability === STATUS_ABILITY &&
    capability.resource.text === `urn:cid:${cid}`
  if (!isBound) throw new ProtocolError('STATUS_BINDING')
}

/** @throws {ProtocolError} STATUS_CID */
function parseTarget(text: string): Uint8Array {
  try {
    const { hashCode, digest } = parseCid(text)
    return hashCode === BLAKE3_CODE && digest.length === DIGEST_BYTES ? digest : NO_DIGEST
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new ProtocolError('STATUS_CID', '', { cause })
  }
}

/** Rule: STATUS-2. The asker's own standing is enough, whatever it cites. */
function mayKnow(
  { issuer }: SignedToken,
  target: StoredDelegation,
  proofs: readonly (StoredDelegation | undefined)[],
  nowS: number,
): boolean {
  if (isParty(issuer, target.facts)) return true
  const usable = proofs.map((proof) => (proof && proof.revokedLink < 0 ? proof.facts : undefined))
  const question = { holder: issuer, ability: STATUS_ABILITY, target: target.facts }
  return findControl({ ...question, proofs: usable, nowS }) !== undefined
}

/** Exactly six members: clients refuse any other number (sdk-contract §7.5). */
function statusAnswer(cid: string, state: DelegationState): Answer {
  return jsonAnswer({
    cid,
    status: STATUS_OF_STATE[state],
    exists: true,
    active: state === 'active',
    revoked: state === 'revoked' || state === 'ancestor_revoked',
    expired: state === 'expired',
  })
}

/** One that is not in force yet is what clients know as unavailable. */
const STATUS_OF_STATE = {
  active: 'active',
  pending: 'unavailable',
  expired: 'expired',
  revoked: 'revoked',
  ancestor_revoked: 'revoked',
} as const satisfies Record<DelegationState, string>

/** The same for a delegation that nobody posted and for one that the asker may not know of (STATUS-3). */
function notFoundAnswer(cid: string): Answer {
  const nothing = { exists: false, active: false, revoked: false, expired: false }
  return { ...jsonAnswer({ cid, status: 'not_found', ...nothing }), status: 404 }
}
