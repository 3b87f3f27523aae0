/**
 * Which delegation of the relied chains was taken back, if any: the leaves first, then their ancestors.
 *
 * Rule: REVOKE-4. Links are compared by their statement ids, so every spelling counts.
 */
import { type RevokedLink } from '../../../protocol/revoked-link.ts'
import { type GroupView } from '../group-view.ts'
import { type ReliedDelegation } from '../request.ts'

export function findRevokedLink(
  relies: readonly ReliedDelegation[],
  view: GroupView,
): RevokedLink | undefined {
  for (const { closure } of relies) {
    const [leaf] = closure
    if (leaf && view.isRevoked(leaf)) return { leaf, ancestor: undefined }
  }
  for (const { closure } of relies) {
    const [leaf, ...ancestors] = closure
    const ancestor = ancestors.find((link) => view.isRevoked(link))
    if (leaf && ancestor) return { leaf, ancestor }
  }
  return undefined
}
