/**
 * POST /delegation/query · in: UCAN with `tinycloud.delegation/list` on `‹space›/delegation`, JSON filter · out: 200, a
 * page of what the account that owns the space gave and received.
 * Steps: decode → body → signature, time → which account → one snapshot → authorise → page (reference-behaviour §1.9).
 */
import { isAccount } from '../../../protocol/account.ts'
import { type SignedToken } from '../../../protocol/authority.ts'
import { proveInvocation } from '../../../protocol/chain.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { type StoredDelegation } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type Plan, readRequest } from '../plan.ts'
import { type TokenEntry } from '../request.ts'
import { parseQuestion, verifyQuestion } from './question.ts'
import { invalidCursor, parseQueryFilter } from './query-filter.ts'
import { answerPage } from './query-page.ts'

const LIST_ABILITY = 'tinycloud.delegation/list'
const DELEGATION_SERVICE = 'delegation'
const PROOFS_MAX = 1

export function planQuery(context: ComputeContext, entry: TokenEntry): Plan {
  const token = parseQuestion(entry.authorization)
  const filter = parseQueryFilter(entry.body)
  verifyQuestion(context, token, entry, 'QUERY_DENIED')
  const account = accountOf(token)
  const { after } = filter
  return {
    read: readRequest({ delegations: after ? [...token.proofs, after] : token.proofs }),
    unavailable: 'QUERY_UNAVAILABLE',
    complete: async ({ delegations }) => {
      const proofs = delegations.slice(0, token.proofs.length)
      assertAuthorised(token, proofs, context.nowS())
      const last = after && assertListed(delegations[proofs.length], account)
      const answer = await answerPage(context, account, filter, last)
      return { kind: 'answer', answer, claim: undefined }
    },
  }
}

/**
 * The account whose delegations are asked for.
 *
 * Rule: QUERY-1.
 * @throws {ProtocolError} QUERY_DENIED
 */
function accountOf({ capabilities, proofs }: SignedToken): string {
  const [capability] = capabilities
  const resource = capability?.resource
  const isQuery =
    capabilities.length === 1 &&
    capability?.ability === LIST_ABILITY &&
    resource?.kind === 'space' &&
    resource.service === DELEGATION_SERVICE &&
    (resource.path ?? '') === '' &&
    resource.query === undefined &&
    resource.fragment === undefined &&
    isAccount(resource.owner)
  if (!isQuery || proofs.length > PROOFS_MAX) throw new ProtocolError('QUERY_DENIED')
  return resource.owner
}

/** @throws {ProtocolError} QUERY_DENIED, whatever is missing */
function assertAuthorised(
  token: SignedToken,
  proofs: readonly (StoredDelegation | undefined)[],
  nowS: number,
): void {
  if (proofs.some((proof) => proof && proof.revokedLink >= 0))
    throw new ProtocolError('QUERY_DENIED')
  try {
    proveInvocation(
      token,
      proofs.map((proof) => proof?.facts),
      nowS,
    )
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new ProtocolError('QUERY_DENIED', '', { cause })
  }
}

/** A cursor names what the account was shown: nobody finds out with it what else is stored. */
function assertListed(
  last: StoredDelegation | undefined,
  account: string,
): StoredDelegation['facts'] {
  const isListed = last && (last.accounts.includes(account) || last.facts.delegatee === account)
  if (!isListed) throw invalidCursor()
  return last.facts
}
