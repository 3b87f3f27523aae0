/** Lists of an account's delegations: one range of an index per direction. */
import { type Statement } from 'better-sqlite3'
import { compareBytes } from '../../../protocol/bytes.ts'
import { type AccountDelegation, type AccountDelegationsRequest } from '../facts.ts'
import { type AccountDelegationRow, formatListPosition } from '../tables/account-delegation.ts'
import { type Connection } from './connection.ts'
import { type DelegationLookup } from './delegation-lookup.ts'

type Direction = AccountDelegationRow['direction']
type PositionColumns = [position: Buffer, delegationNo: number]

/** Less than any position. */
const START: Uint8Array = new Uint8Array(0)

export class AccountList {
  readonly #delegations: DelegationLookup
  readonly #page: Statement<[string, Direction, Uint8Array, number], PositionColumns>

  constructor(connection: Connection, delegations: DelegationLookup) {
    this.#delegations = delegations
    this.#page = connection
      .prepare<[string, Direction, Uint8Array, number], PositionColumns>(
        `SELECT position, delegation_no FROM account_delegation
         WHERE account = ? AND direction = ? AND position > ? ORDER BY position LIMIT ?`,
      )
      .raw()
  }

  read({ account, direction, after, limit }: AccountDelegationsRequest): AccountDelegation[] {
    const start = after ? formatListPosition(after) : START
    const directions: Direction[] = direction === 'all' ? ['granted', 'received'] : [direction]
    return directions
      .flatMap((only) =>
        this.#page
          .all(account, only, start, limit)
          .map(([position, delegationNo]) => ({ position, delegationNo, direction: only })),
      )
      .toSorted((a, b) => compareBytes(a.position, b.position))
      .slice(0, limit)
      .map(({ delegationNo, direction: only }) => ({
        stored: this.#delegations.find(delegationNo),
        direction: only,
      }))
  }
}
