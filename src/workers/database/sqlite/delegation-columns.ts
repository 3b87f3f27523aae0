/** The columns of `delegation` in the order in which they are read. */
import { type DelegationRow } from '../tables/delegation.ts'

export type DelegationColumns = [
  delegationNo: number,
  statementId: Buffer,
  digest: Buffer,
  encoding: 'ucan' | 'cacao',
  delegator: string,
  delegatee: string,
  notBeforeS: number | null,
  expiresAtS: number | null,
  issuedAtS: number | null,
  effectiveNotBeforeS: number | null,
  effectiveExpiresAtS: number | null,
  isTerminal: number,
  capabilities: Buffer,
  parents: Buffer,
  closure: Buffer,
  accounts: string,
  statementNo: number,
  crc: number,
]

export const DELEGATION_COLUMNS = `delegation_no, statement_id, digest, encoding, delegator, delegatee,
  not_before, expires_at, issued_at, effective_not_before, effective_expires_at, is_terminal,
  capabilities, parents, closure, accounts, statement_no, crc`

/** Not checked: the caller compares `crc`. */
export function delegationRowOf(columns: DelegationColumns): { row: DelegationRow; crc: number } {
  const [delegationNo, statementId, digest, encoding, delegator, delegatee, ...rest] = columns
  const [notBeforeS, expiresAtS, issuedAtS, effectiveNotBeforeS, effectiveExpiresAtS, ...last] =
    rest
  const [isTerminal, capabilities, parents, closure, accounts, statementNo, crc] = last
  return {
    row: {
      delegationNo,
      statementId,
      digest,
      encoding,
      delegator,
      delegatee,
      notBeforeS,
      expiresAtS,
      issuedAtS,
      effectiveNotBeforeS,
      effectiveExpiresAtS,
      isTerminal: isTerminal === 1,
      capabilities,
      parents,
      closure,
      accounts,
      statementNo,
    },
    crc,
  }
}
