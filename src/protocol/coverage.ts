/** Which capabilities of stored delegations cover a requested one. */
import { coversAbility } from './ability.ts'
import { type Capability, type DelegationFacts } from './authority.ts'
import { type CaveatUse, containsCaveats } from './caveats.ts'
import { coversResource, type Resource, rootAuthorityOf } from './resource.ts'

/** Whether a principal needs no delegation for a capability: it owns the space or the encryption network. */
export const isRootAuthority = (principal: string, { resource }: Capability): boolean =>
  rootAuthorityOf(resource) === principal

export interface Coverage {
  /** What is granted around the requested resource, of every capability that covers it. Empty: not covered. */
  readonly bases: readonly Resource[]
  /** The holders of those capabilities, each once. */
  readonly holders: readonly DelegationFacts[]
  /** Resource and ability were covered somewhere, and only the caveats were not. */
  readonly failsByCaveats: boolean
}

/**
 * Looks for what covers a capability.
 *
 * Rule: one capability of one delegation covers resource, ability and caveats together (reference-behaviour §2.8, §2.9).
 */
export function coverageOf(
  requested: Capability,
  delegations: readonly DelegationFacts[],
  use: CaveatUse,
): Coverage {
  const bases: Resource[] = []
  const holders: DelegationFacts[] = []
  let hasNearMiss = false
  for (const delegation of delegations) {
    const before = bases.length
    for (const granted of delegation.capabilities) {
      if (!coversAbility(granted.ability, requested.ability)) continue
      if (!coversResource(granted.resource, requested.resource)) continue
      if (containsCaveats(granted.caveats, requested.caveats, use)) bases.push(granted.resource)
      else hasNearMiss = true
    }
    if (bases.length > before) holders.push(delegation)
  }
  return { bases, holders, failsByCaveats: bases.length === 0 && hasNearMiss }
}
