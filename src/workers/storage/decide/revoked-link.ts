/**
 * Which delegation of the relied chains was taken back, if any: the leaves first, then their ancestors.
 *
 * Rule: REVOKE-4. Links are compared by their statement ids, so every spelling counts.
 */
import { type ChainLink } from '../../../protocol/authority.ts'
import { formatRawCid } from '../../../protocol/cid.ts'
import { type GroupView } from '../group-view.ts'
import { type ReliedDelegation } from '../request.ts'

export interface RevokedLink {
  readonly leaf: ChainLink
  /** Undefined: the leaf itself is revoked. */
  readonly ancestor: ChainLink | undefined
}

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

/** `ancestor=‹cid› invoked=‹cid›` (reference-behaviour §2.11). */
export const describeAncestor = (
  leaf: ChainLink,
  ancestor: ChainLink,
  role: 'invoked' | 'parent',
): string => `ancestor=${formatRawCid(ancestor.digest)} ${role}=${formatRawCid(leaf.digest)}`
