/** A row of `delegation` as the rules of chains see it. */
import { type DelegationFacts } from '../../protocol/authority.ts'
import { parseCapabilities } from '../../protocol/capabilities.ts'
import { type DelegationRow, readClosure, readDigests } from './tables/delegation.ts'

/** Views into the row. @throws {ProtocolError} TOKEN_MALFORMED when its rights are not what was written */
export function delegationFactsOf(row: DelegationRow): DelegationFacts {
  return {
    no: row.delegationNo,
    statementId: row.statementId,
    digest: row.digest,
    delegator: row.delegator,
    delegatee: row.delegatee,
    notBeforeS: row.notBeforeS ?? undefined,
    expiresAtS: row.expiresAtS ?? undefined,
    issuedAtS: row.issuedAtS ?? undefined,
    effectiveNotBeforeS: row.effectiveNotBeforeS ?? undefined,
    effectiveExpiresAtS: row.effectiveExpiresAtS ?? undefined,
    isTerminal: row.isTerminal,
    capabilities: parseCapabilities(row.capabilities),
    closure: readClosure(row.closure),
    parents: readDigests(row.parents),
  }
}
