/** Authorisation of an invocation on facts read in one snapshot (reference-behaviour §2.9). */
import { type DelegationFacts, type SignedToken } from '../../../protocol/authority.ts'
import { type InvocationProof, proveInvocation } from '../../../protocol/chain.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { revokedFailure, type RevokedRole } from '../../../protocol/revoked-link.ts'
import { type ReadFacts, type StoredDelegation } from '../../database/facts.ts'
import { type ReliedDelegation } from '../../storage/request.ts'

export interface Authorised {
  /** Every cited proof: the actor looks again whether a link of one was revoked meanwhile. */
  readonly relies: readonly ReliedDelegation[]
  readonly proof: InvocationProof
}

/** What the actor needs of a delegation to find a later revocation of it or of an ancestor. */
export const toRelied = (facts: DelegationFacts): ReliedDelegation => ({
  closure: facts.closure,
  effectiveNotBeforeS: facts.effectiveNotBeforeS,
  effectiveExpiresAtS: facts.effectiveExpiresAtS,
})

/** @throws {ProtocolError} the refusal of the role, when a link is revoked. Rule: INV-5, CHAIN-7. */
export function assertNotRevoked(
  { facts, revokedLink }: StoredDelegation,
  role: RevokedRole,
): void {
  if (revokedLink < 0) return
  const ancestor = revokedLink === 0 ? undefined : facts.closure[revokedLink]
  const { code, detail } = revokedFailure({ leaf: facts, ancestor }, role)
  throw new ProtocolError(code, detail)
}

/**
 * Checks that the token's issuer may do all that it asks: proofs stored and addressed to it, none revoked, chains in
 * their time, every capability covered, every space hosted.
 *
 * Rule: INV-5, INV-8; the rest in `proveInvocation`.
 * @throws {ProtocolError} the first failing rule, in the order of reference-behaviour §2.9
 */
export function authorise(token: SignedToken, facts: ReadFacts, nowS: number): Authorised {
  const proofs = facts.delegations.map((stored) => stored?.facts)
  // Who is not the holder learns nothing about revocation.
  const isHolder = proofs.every((proof) => proof !== undefined && proof.delegatee === token.issuer)
  if (isHolder)
    for (const stored of facts.delegations) if (stored) assertNotRevoked(stored, 'invoked')
  const proof = proveInvocation(token, proofs, nowS)
  if (facts.spaces.includes(undefined)) throw new ProtocolError('SPACE_NOT_FOUND')
  return { relies: proofs.flatMap((held) => (held ? [toRelied(held)] : [])), proof }
}
