/**
 * What every authorised invocation that changes something needs at the moment of its change: nothing that it relies on
 * was revoked, its chain is in its time window, and the spaces that it names are hosted, in this order
 * (reference-behaviour §2.9). Whether the rights suffice was proven on facts that do not change.
 */
import { type Failure } from '../../../protocol/answer.ts'
import { isInForce } from '../../../protocol/chain.ts'
import { revokedFailure } from '../../../protocol/revoked-link.ts'
import { type GroupView } from '../group-view.ts'
import { type MutateCommand } from '../request.ts'
import { refuse } from './decision.ts'
import { findRevokedLink } from './revoked-link.ts'

type Standing = Pick<MutateCommand, 'relies' | 'action' | 'spaces'>

/** The first rule that fails. */
export function refuseStanding(
  command: Standing,
  view: GroupView,
  nowS: number,
): { kind: 'refuse'; failure: Failure } | undefined {
  const revoked = findRevokedLink(command.relies, view)
  if (revoked) return { kind: 'refuse', failure: revokedFailure(revoked, 'invoked') }
  if (!command.relies.every((held) => isInForce(held, nowS)))
    return refuse('UNAUTHORIZED_ACTION', command.action)
  if (command.spaces.some((space) => !view.hosted(space))) return refuse('SPACE_NOT_FOUND')
  return undefined
}
