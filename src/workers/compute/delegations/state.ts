/** The state of a stored delegation at one time. */
import { type DelegationFacts } from '../../../protocol/authority.ts'
import { type DELEGATION_STATES } from '../../../protocol/messages/delegation-query.ts'
import { type StoredDelegation } from '../../database/facts.ts'

/** The part of a stored delegation that its state depends on. */
export interface Standing extends Pick<StoredDelegation, 'revokedLink'> {
  readonly facts: Pick<DelegationFacts, 'effectiveNotBeforeS' | 'effectiveExpiresAtS'>
}

export type DelegationState = (typeof DELEGATION_STATES)[number]

/**
 * Revocation counts before time, and the window is the one in which all ancestors are in force too.
 *
 * Units: `nowS` is Unix time in seconds; the expiry of a stored delegation is exclusive.
 * Rule:  STATUS-4, from reference-behaviour §1.8, §1.9 and §2.9.
 */
export function stateOf({ facts, revokedLink }: Standing, nowS: number): DelegationState {
  const { effectiveNotBeforeS, effectiveExpiresAtS } = facts
  if (revokedLink === 0) return 'revoked'
  if (revokedLink > 0) return 'ancestor_revoked'
  if (effectiveExpiresAtS !== undefined && nowS >= effectiveExpiresAtS) return 'expired'
  if (effectiveNotBeforeS !== undefined && nowS < effectiveNotBeforeS) return 'pending'
  return 'active'
}
