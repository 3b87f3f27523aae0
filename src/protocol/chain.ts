/**
 * The rules of delegation chains: who may pass on, and who may use, what (reference-behaviour §2.8, §2.9).
 *
 * Everything here follows from signed tokens and immutable facts about stored delegations. What can change meanwhile
 * (revocation, hosting) is decided by the callers: readers in their snapshot, the storage actor in its transaction.
 * Tokens come verified and in their own time window.
 */
import { type Capability, type DelegationFacts, type SignedToken } from './authority.ts'
import { toHex } from './bytes.ts'
import { claim, isClaimsObject } from './claims.ts'
import { coverageOf, isRootAuthority } from './coverage.ts'
import { ProtocolError } from './error.ts'
import { CHAIN_DELEGATIONS_MAX } from './limits.ts'
import { type Resource } from './resource.ts'

const HOST_ABILITY = 'tinycloud.space/host'
const MODE_FACT = 'xyz.tinycloud.policy/delegationMode'

/** What the storage actor relies on when it stores a delegation. */
export interface DelegationProof {
  /** Parents that cover at least one of its capabilities: each may be the reason why it holds. */
  readonly relies: readonly DelegationFacts[]
  /** Digests of the cited proofs that are stored. */
  readonly parents: readonly Uint8Array[]
  /** The window in which it and all its ancestors are in force. Unix seconds. */
  readonly effectiveNotBeforeS: number | undefined
  readonly effectiveExpiresAtS: number | undefined
  /** It must not be passed on. */
  readonly isTerminal: boolean
}

/**
 * Checks that a delegation grants nothing that its delegator does not have.
 *
 * Shape: `parents` are the facts of `token.proofs`, in their order; undefined: not stored.
 * Rule:  CHAIN-1, CHAIN-2, CHAIN-3, CHAIN-4, CHAIN-5, CHAIN-6, from reference-behaviour §2.8, checks 6 to 10. Rights over
 * one's own space need no parent; then proofs are not looked at. A parent's expiry is compared with the child's, not
 * with now.
 * @throws {ProtocolError} TOKEN_MALFORMED (no principal as audience) | PARENT_NOT_FOUND | UNAUTHORIZED_DELEGATOR |
 *   TERMINAL_PARENT | CHILD_EXPIRY | CHILD_NOT_BEFORE | CHILD_CAVEATS | UNAUTHORIZED_CAPABILITY | CHAIN_LIMIT
 */
export function proveDelegation(
  token: SignedToken,
  parents: readonly (DelegationFacts | undefined)[],
): DelegationProof {
  if (!token.audience.startsWith('did:')) {
    throw new ProtocolError('TOKEN_MALFORMED', 'the audience is no DID')
  }
  const dependent = token.capabilities.filter((item) => !isRootAuthority(token.issuer, item))
  const relies = dependent.length === 0 ? [] : proveDependent(token, dependent, parents)
  assertChainLength(relies, CHAIN_DELEGATIONS_MAX - 1)
  const stored = parents.filter((parent) => parent !== undefined)
  return {
    relies,
    parents: distinct(stored).map(({ digest }) => digest),
    effectiveNotBeforeS: latest([
      token.notBeforeS,
      ...relies.map((parent) => parent.effectiveNotBeforeS),
    ]),
    effectiveExpiresAtS: earliest([
      token.expiresAtS,
      ...relies.map((parent) => parent.effectiveExpiresAtS),
    ]),
    isTerminal: isMarkedTerminal(token),
  }
}

/** The parents that cover the capabilities for which the delegator is no root authority. */
function proveDependent(
  token: SignedToken,
  dependent: readonly Capability[],
  parents: readonly (DelegationFacts | undefined)[],
): DelegationFacts[] {
  const cited = distinct(assertStored(parents))
  if (cited.some((parent) => parent.delegatee !== token.issuer)) {
    throw new ProtocolError('UNAUTHORIZED_DELEGATOR', token.issuer)
  }
  if (cited.some((parent) => parent.isTerminal)) throw new ProtocolError('TERMINAL_PARENT')
  const candidates = parentsAround(token, cited)
  const relies = new Set<DelegationFacts>()
  for (const capability of dependent) {
    const { holders, failsByCaveats } = coverageOf(capability, candidates, 'delegation')
    if (failsByCaveats) {
      throw new ProtocolError('CHILD_CAVEATS', 'child-caveats-not-subset-of-parent')
    }
    if (holders.length === 0) {
      const { resource, ability } = capability
      throw new ProtocolError('UNAUTHORIZED_CAPABILITY', `${resource.text}, ${ability}`)
    }
    for (const holder of holders) relies.add(holder)
  }
  return [...relies]
}

/** Parents in whose own window the child's lies; there is at least one. */
function parentsAround(token: SignedToken, parents: readonly DelegationFacts[]): DelegationFacts[] {
  const outliving = parents.filter(
    ({ expiresAtS }) =>
      expiresAtS === undefined ||
      (token.expiresAtS !== undefined && token.expiresAtS <= expiresAtS),
  )
  if (outliving.length === 0) throw new ProtocolError('CHILD_EXPIRY')
  const around = outliving.filter(
    ({ notBeforeS }) =>
      notBeforeS === undefined ||
      (token.notBeforeS !== undefined && token.notBeforeS >= notBeforeS),
  )
  if (around.length === 0) throw new ProtocolError('CHILD_NOT_BEFORE')
  return around
}

/** A fact of the policy services: its holder uses it, and passes nothing on (reference-behaviour §2.8). */
function isMarkedTerminal({ facts }: SignedToken): boolean {
  return facts.some((fact) => isClaimsObject(fact) && claim(fact, MODE_FACT) === 'terminal')
}

export interface InvocationProof {
  /** Every cited delegation: the invocation falls with any of them. */
  readonly relies: readonly DelegationFacts[]
  /** For each capability the granted resources that cover it; a capability of the owner has no entry. */
  readonly grants: ReadonlyMap<Capability, readonly Resource[]>
}

/**
 * Checks that an invoker may do all that its token asks.
 *
 * Shape: `proofs` are the facts of `token.proofs`, in their order; undefined: not stored.
 * Units: `nowS` is Unix time in seconds.
 * Rule:  INV-3, INV-4, INV-6, INV-7, from reference-behaviour §2.9 "Authorization". Every cited proof counts, needed or
 * not; the expiry of a stored delegation is exclusive.
 * @throws {ProtocolError} PARENT_NOT_FOUND | UNAUTHORIZED_INVOKER | CHAIN_LIMIT | INVOCATION_CAVEATS |
 *   UNAUTHORIZED_ACTION
 */
export function proveInvocation(
  token: SignedToken,
  proofs: readonly (DelegationFacts | undefined)[],
  nowS: number,
): InvocationProof {
  const relies = proofs.length === 0 ? [] : assertStored(proofs)
  if (relies.length > 1 && distinct(relies).length < relies.length) {
    throw new ProtocolError('PARENT_NOT_FOUND')
  }
  if (relies.some(({ delegatee }) => delegatee !== token.issuer)) {
    throw new ProtocolError('UNAUTHORIZED_INVOKER')
  }
  assertChainLength(relies, CHAIN_DELEGATIONS_MAX)
  const [first] = token.capabilities
  if (first && !relies.every((held) => isInForce(held, nowS))) throw unauthorizedAction(first)
  const grants = new Map<Capability, readonly Resource[]>()
  for (const capability of token.capabilities) {
    if (isRootAuthority(token.issuer, capability)) continue
    if (relies.length === 0) throw new ProtocolError('PARENT_NOT_FOUND')
    const { bases, failsByCaveats } = coverageOf(capability, relies, 'invocation')
    if (failsByCaveats) {
      throw new ProtocolError('INVOCATION_CAVEATS', 'invocation-caveats-not-subset-of-chain')
    }
    if (bases.length === 0) throw unauthorizedAction(capability)
    grants.set(capability, bases)
  }
  return { relies, grants }
}

/** Whether a stored delegation and all above it are in their time windows; the expiry is exclusive. */
export function isInForce(
  {
    effectiveNotBeforeS,
    effectiveExpiresAtS,
  }: Pick<DelegationFacts, 'effectiveNotBeforeS' | 'effectiveExpiresAtS'>,
  nowS: number,
): boolean {
  return (
    (effectiveExpiresAtS === undefined || nowS < effectiveExpiresAtS) &&
    (effectiveNotBeforeS === undefined || nowS >= effectiveNotBeforeS)
  )
}

/**
 * The spaces that a delegation hosts if its audience is this node's host DID for them: those for which it carries
 * `tinycloud.space/host` on exactly `‹space›/space` (HOST-1, reference-behaviour §2.8).
 */
export function hostedSpaces({ capabilities }: Pick<SignedToken, 'capabilities'>): string[] {
  return capabilities.flatMap(({ resource, ability }) =>
    ability === HOST_ABILITY &&
    resource.kind === 'space' &&
    resource.service === 'space' &&
    resource.path === undefined &&
    resource.query === undefined &&
    resource.fragment === undefined
      ? [resource.space]
      : [],
  )
}

/** @throws {ProtocolError} PARENT_NOT_FOUND: none, or one that is not stored */
function assertStored(proofs: readonly (DelegationFacts | undefined)[]): DelegationFacts[] {
  const stored = proofs.filter((proof) => proof !== undefined)
  if (stored.length === 0 || stored.length < proofs.length) {
    throw new ProtocolError('PARENT_NOT_FOUND')
  }
  return stored
}

/** Each delegation once, however many of its CIDs were cited. */
function distinct(delegations: readonly DelegationFacts[]): DelegationFacts[] {
  if (delegations.length < 2) return [...delegations]
  return [...new Map(delegations.map((delegation) => [delegation.no, delegation])).values()]
}

/** Counts the links of all closures, each once. @throws {ProtocolError} CHAIN_LIMIT */
function assertChainLength(delegations: readonly DelegationFacts[], linksMax: number): void {
  let links = 0
  for (const { closure } of delegations) links += closure.length
  if (links > linksMax && countDistinctLinks(delegations) > linksMax) {
    throw new ProtocolError('CHAIN_LIMIT')
  }
}

function countDistinctLinks(delegations: readonly DelegationFacts[]): number {
  const ids = new Set<string>()
  for (const { closure } of delegations) {
    for (const { statementId } of closure) ids.add(toHex(statementId))
  }
  return ids.size
}

/** Detail of UNAUTHORIZED_ACTION for a capability. */
export const actionText = ({
  resource,
  ability,
}: Pick<Capability, 'resource' | 'ability'>): string => `${resource.text} / ${ability}`

const unauthorizedAction = (capability: Capability): ProtocolError =>
  new ProtocolError('UNAUTHORIZED_ACTION', actionText(capability))

function earliest(timesS: readonly (number | undefined)[]): number | undefined {
  const bounds = timesS.filter((timeS) => timeS !== undefined)
  return bounds.length === 0 ? undefined : Math.min(...bounds)
}

function latest(timesS: readonly (number | undefined)[]): number | undefined {
  const bounds = timesS.filter((timeS) => timeS !== undefined)
  return bounds.length === 0 ? undefined : Math.max(...bounds)
}
