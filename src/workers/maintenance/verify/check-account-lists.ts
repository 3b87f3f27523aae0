/** The lists of what accounts gave and received: what their rows say follows from the delegation alone. */
import { grantingAccounts } from '../../../protocol/account.ts'
import { accountDelegationRows } from '../../database/tables/account-delegation.ts'
import { type DelegationRow } from '../../database/tables/delegation.ts'
import { type CheckContext } from './context.ts'

/** `relied`: the parents from which its rights come. */
export async function checkAccountLists(
  { findings, inspector, state }: CheckContext,
  row: DelegationRow,
  relied: readonly DelegationRow[],
): Promise<void> {
  const subject = { kind: 'delegation', rowId: row.delegationNo } as const
  const parents = relied.map(({ accounts }) => ({ accounts: accountsOf(accounts) }))
  const accounts = grantingAccounts(row.delegator, parents)
  if (JSON.stringify(accounts) !== row.accounts)
    findings.report('delegation', subject, 'is given in the name of other accounts')
  const expected = accountDelegationRows(row.delegationNo, {
    accounts,
    delegatee: row.delegatee,
    issuedAtS: row.issuedAtS ?? undefined,
    digest: row.digest,
  })
  state.accountDelegations += expected.length
  const found = await inspector.readAccountDelegations(expected)
  if (found.some((delegationNo) => delegationNo !== row.delegationNo))
    findings.report('delegation', subject, 'is not in the lists of its accounts')
}

/** @throws {SyntaxError} when the text is not what was written */
const accountsOf = (text: string): string[] => JSON.parse(text)
