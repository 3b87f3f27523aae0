/**
 * What every authorised invocation that changes something needs at the moment of its change: nothing that it relies on
 * was revoked, its chain is in its time window, and the spaces that it names are hosted, in this order
 * (reference-behaviour §2.9). Whether the rights suffice was proven on facts that do not change.
 */
import { type Failure } from '../../../protocol/answer.ts'
import { formatRawCid } from '../../../protocol/cid.ts'
import { type GroupView } from '../group-view.ts'
import { type MutateCommand } from '../request.ts'
import { refuse } from './decision.ts'
import { describeAncestor, findRevokedLink } from './revoked-link.ts'

type Standing = Pick<MutateCommand, 'relies' | 'action' | 'spaces'>

/** The first rule that fails. */
export function refuseStanding(
  command: Standing,
  view: GroupView,
  nowS: number,
): { kind: 'refuse'; failure: Failure } | undefined {
  const revoked = findRevokedLink(command.relies, view)
  if (revoked)
    return revoked.ancestor
      ? refuse('ANCESTOR_REVOKED', describeAncestor(revoked.leaf, revoked.ancestor, 'invoked'))
      : refuse('DELEGATION_REVOKED', formatRawCid(revoked.leaf.digest))
  if (!isInForce(command, nowS)) return refuse('UNAUTHORIZED_ACTION', command.action)
  if (command.spaces.some((space) => !view.hosted(space))) return refuse('SPACE_NOT_FOUND')
  return undefined
}

/** The expiry of a stored delegation is exclusive, unlike that of a token (reference-behaviour §2.9). */
function isInForce({ relies }: Standing, nowS: number): boolean {
  return relies.every(
    ({ effectiveNotBeforeS, effectiveExpiresAtS }) =>
      nowS >= (effectiveNotBeforeS ?? -Infinity) && nowS < (effectiveExpiresAtS ?? Infinity),
  )
}
