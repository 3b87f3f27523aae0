/** One delegation as a query shows it (sdk-contract §1.11). Clients refuse members that they do not know. */
import { type DelegationFacts } from '../../../protocol/authority.ts'
import { formatRawCid } from '../../../protocol/cid.ts'
import { formatPreciseRfc3339 } from '../../../protocol/rfc3339.ts'
import { type AccountDelegation, type StoredDelegation } from '../../database/facts.ts'
import { type DelegationState } from './state.ts'

/** The JSON text of the item (QUERY-5). */
export function formatQueryItem(
  { stored, direction }: AccountDelegation,
  status: DelegationState,
): string {
  const { facts } = stored
  return JSON.stringify({
    cid: formatRawCid(facts.digest),
    direction,
    delegatorDid: facts.delegator,
    delegateDid: facts.delegatee,
    resources: resourcesOf(facts),
    parents: facts.parents.map(formatRawCid),
    issuedAt: timeOrNull(facts.issuedAtS),
    notBefore: timeOrNull(facts.notBeforeS),
    expiresAt: timeOrNull(facts.expiresAtS),
    status,
    ...revocationOf(stored),
  })
}

const timeOrNull = (timeS: number | undefined): string | null =>
  timeS === undefined ? null : formatPreciseRfc3339(timeS)

interface ResourceItem {
  readonly resource: string
  readonly actions: string[]
  /** In their order; none: no condition. */
  readonly caveats: readonly unknown[]
}

/** Abilities on one resource under the same conditions are told together. */
function resourcesOf({ capabilities }: DelegationFacts): ResourceItem[] {
  const items = new Map<string, ResourceItem>()
  for (const { resource, ability, caveats } of capabilities) {
    // A URI holds no blank.
    const name = `${resource.text} ${JSON.stringify(caveats)}`
    const item = items.get(name)
    if (item) item.actions.push(ability)
    else
      items.set(name, {
        resource: resource.text,
        actions: [ability],
        caveats: Object.values(caveats),
      })
  }
  return [...items.values()]
}

function revocationOf({
  facts,
  revokedLink,
  revocation,
}: StoredDelegation): Readonly<Record<string, string>> {
  const revoked = facts.closure[revokedLink]
  if (!revocation || !revoked) return {}
  return {
    revokedAt: formatPreciseRfc3339(revocation.revokedAtS),
    revokedBy: revocation.revoker,
    ...(revokedLink > 0 && { revokedAncestorCid: formatRawCid(revoked.digest) }),
  }
}
