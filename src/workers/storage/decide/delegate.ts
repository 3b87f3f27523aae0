/**
 * Decides a delegation that compute did not find stored. Its chain was proven on immutable facts; what is left is
 * whether a parent was taken back meanwhile, and whether somebody else stored the same statement first.
 */
import { type ChainLink } from '../../../protocol/authority.ts'
import { CHAIN_DELEGATIONS_MAX } from '../../../protocol/limits.ts'
import { revokedFailure } from '../../../protocol/revoked-link.ts'
import { type GroupView } from '../group-view.ts'
import { distinctLinks } from '../relied-links.ts'
import { type DelegateCommand, type SpaceLimits } from '../request.ts'
import { type Decision, refuse } from './decision.ts'
import { refuseDelegation } from './quota.ts'
import { findRevokedLink } from './revoked-link.ts'

export type DelegateOutcome =
  | { readonly kind: 'new'; readonly closure: readonly ChainLink[] }
  /** The statement is stored; this may be another spelling of it. */
  | { readonly kind: 'stored'; readonly delegationNo: number }

/** Rule: reference-behaviour §2.8. The window of a parent is not compared with the clock here. */
export function decideDelegate(
  command: DelegateCommand,
  view: GroupView,
  limits: SpaceLimits,
): Decision<DelegateOutcome> {
  const delegationNo = view.delegationNo(command.statementId)
  if (delegationNo !== undefined)
    return { kind: 'accept', outcome: { kind: 'stored', delegationNo } }
  const revoked = findRevokedLink(command.relies, view)
  if (revoked) return { kind: 'refuse', failure: revokedFailure(revoked, 'parent') }
  const { statementId, digest, relies } = command
  const closure = distinctLinks(relies, [{ statementId, digest }])
  if (closure.length > CHAIN_DELEGATIONS_MAX) return refuse('CHAIN_LIMIT')
  return (
    refuseDelegation(command, view, limits) ?? {
      kind: 'accept',
      outcome: { kind: 'new', closure },
    }
  )
}
