/** Decides a revocation. Revoking again is the same answer and no second event. Rule: REVOKE-3. */
import { isInForce } from '../../../protocol/chain.ts'
import { type GroupView } from '../group-view.ts'
import { type RevokeCommand } from '../request.ts'
import { type Decision, refuse } from './decision.ts'
import { findRevokedLink } from './revoked-link.ts'

export interface RevokeOutcome {
  /** False: it is revoked already. */
  readonly isNew: boolean
}

export function decideRevoke(
  command: RevokeCommand,
  view: GroupView,
  nowS: number,
): Decision<RevokeOutcome> {
  if (view.delegationNo(command.target.statementId) === undefined)
    return refuse('REVOCATION_TARGET_NOT_FOUND')
  // The right that a control proof gives must still be in force.
  if (findRevokedLink(command.relies, view)) return refuse('UNAUTHORIZED_REVOKER')
  if (!command.relies.every((held) => isInForce(held, nowS))) return refuse('UNAUTHORIZED_REVOKER')
  return { kind: 'accept', outcome: { isNew: !view.isRevoked(command.target) } }
}
