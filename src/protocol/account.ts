/** Accounts: principals that own spaces and sign with a wallet. Keys act in their name. */

export const isAccount = (principal: string): boolean => principal.startsWith('did:pkh:')

/**
 * The accounts in whose name a delegation is given: its delegator, or where that is a key, the accounts that gave the
 * key the rights that it passes on. A delegation of an account to another account ends its name.
 *
 * Shape: `parents` are those from which the rights come. Sorted by bytes, each once; empty for a key of its own.
 * Rule:  QUERY-2, from reference-behaviour §1.9.
 */
export function grantingAccounts(
  delegator: string,
  parents: readonly { readonly accounts: readonly string[] }[],
): string[] {
  if (isAccount(delegator)) return [delegator]
  return [...new Set(parents.flatMap(({ accounts }) => accounts))].toSorted()
}
