/** Decides another spelling of a stored delegation: its CID becomes a further name, if it is one. Rule: CHAIN-9. */
import { type GroupView } from '../group-view.ts'
import { type AliasCommand } from '../request.ts'
import { type Decision, refuse } from './decision.ts'

export function decideAlias(
  { statementId }: AliasCommand,
  view: GroupView,
): Decision<{ readonly delegationNo: number }> {
  const delegationNo = view.delegationNo(statementId)
  // Delegations are never removed, so compute cannot have seen one that is not there.
  if (delegationNo === undefined) return refuse('INTERNAL')
  return { kind: 'accept', outcome: { delegationNo } }
}
