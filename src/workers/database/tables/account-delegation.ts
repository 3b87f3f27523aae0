/**
 * The delegations of each account in the order in which they are listed, so that a page costs the same however many
 * there are. Written with the delegation and never changed. It has no checksum: it gives no right, and the delegation
 * that it names is checked.
 */
import { isAccount } from '../../../protocol/account.ts'
import { DIGEST_BYTES } from '../../../protocol/cid.ts'

export interface AccountDelegationRow {
  readonly account: string
  readonly direction: 'granted' | 'received'
  readonly position: Uint8Array
  readonly delegationNo: number
}

/** What the place of a delegation in a list depends on. */
export interface ListPosition {
  readonly issuedAtS: number | undefined
  readonly digest: Uint8Array
}

const TIME_BYTES = 8
const INT64_MAX = 2n ** 63n - 1n

/**
 * Bytes that sort as lists do: the latest issue first, those without one as if issued in 1970, then by CID (QUERY-4).
 * The bits of a double, inverted below the sign where it is positive, sort in descending order.
 */
export function formatListPosition({ issuedAtS = 0, digest }: ListPosition): Uint8Array {
  const position = Buffer.alloc(TIME_BYTES + DIGEST_BYTES)
  // Zero has a sign too.
  position.writeDoubleBE(issuedAtS || 0)
  const bits = position.readBigInt64BE()
  if (bits >= 0n) position.writeBigInt64BE(INT64_MAX - bits)
  position.set(digest, TIME_BYTES)
  return position
}

/** The lists that a new delegation goes into: of the accounts that give it, and of the account that receives it. */
export function accountDelegationRows(
  delegationNo: number,
  delegation: ListPosition & {
    readonly accounts: readonly string[]
    readonly delegatee: string
  },
): AccountDelegationRow[] {
  const { accounts, delegatee } = delegation
  const position = formatListPosition(delegation)
  const rows: AccountDelegationRow[] = accounts.map((account) => ({
    account,
    direction: 'granted',
    position,
    delegationNo,
  }))
  if (isAccount(delegatee) && !accounts.includes(delegatee))
    rows.push({ account: delegatee, direction: 'received', position, delegationNo })
  return rows
}
