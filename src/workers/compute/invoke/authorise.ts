/** Authorisation of an invocation on facts read in one snapshot (reference-behaviour §2.9). */
import {
  type Capability,
  type DelegationFacts,
  type SignedToken,
} from '../../../protocol/authority.ts'
import { type InvocationProof, proveInvocation } from '../../../protocol/chain.ts'
import { formatRawCid } from '../../../protocol/cid.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { type ReadFacts, type StoredDelegation } from '../../database/facts.ts'
import { type ReliedDelegation } from '../../storage/request.ts'

export interface Authorised {
  /** Every cited proof: the actor looks again whether a link of one was revoked meanwhile. */
  readonly relies: readonly ReliedDelegation[]
  readonly proof: InvocationProof
}

/** Detail of UNAUTHORIZED_ACTION for a capability. */
export const actionText = ({ resource, ability }: Capability): string =>
  `${resource.text} / ${ability}`

/** What the actor needs of a delegation to find a later revocation of it or of an ancestor. */
export const toRelied = (facts: DelegationFacts): ReliedDelegation => ({
  closure: facts.closure,
  effectiveNotBeforeS: facts.effectiveNotBeforeS,
  effectiveExpiresAtS: facts.effectiveExpiresAtS,
})

/**
 * Rule: INV-5.
 * @throws {ProtocolError} DELEGATION_REVOKED | ANCESTOR_REVOKED
 */
function assertNotRevoked(stored: StoredDelegation): void {
  const { facts, revokedLink } = stored
  if (revokedLink < 0) return
  const invoked = formatRawCid(facts.digest)
  const revoked = facts.closure[revokedLink]
  if (revokedLink === 0 || !revoked) throw new ProtocolError('DELEGATION_REVOKED', invoked)
  throw new ProtocolError(
    'ANCESTOR_REVOKED',
    `ancestor=${formatRawCid(revoked.digest)} invoked=${invoked}`,
  )
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
  if (isHolder) for (const stored of facts.delegations) if (stored) assertNotRevoked(stored)
  const proof = proveInvocation(token, proofs, nowS)
  if (facts.spaces.includes(undefined)) throw new ProtocolError('SPACE_NOT_FOUND')
  return { relies: proofs.flatMap((held) => (held ? [toRelied(held)] : [])), proof }
}
