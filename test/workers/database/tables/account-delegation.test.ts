/** Which lists a delegation goes into, and where (QUERY-2, QUERY-4). */
import { assert, double, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes } from '../../../../src/protocol/bytes.ts'
import {
  accountDelegationRows,
  formatListPosition,
} from '../../../../src/workers/database/tables/account-delegation.ts'

const ALICE = 'did:pkh:eip155:1:0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const BOB = 'did:pkh:eip155:1:0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const KEY = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

const digestOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const positionOf = (issuedAtS: number | undefined, byte = 0): Uint8Array =>
  formatListPosition({ issuedAtS, digest: digestOf(byte) })

describe('the position in a list (QUERY-4)', () => {
  it('sorts times in descending order, by bytes', () => {
    const time = double({ noNaN: true })
    assert(
      property(time, time, (a, b) => {
        const order = Math.sign(compareBytes(positionOf(a), positionOf(b)))
        expect(order).toBe(a === b ? 0 : a > b ? -1 : 1)
      }),
      { numRuns: 2000 },
    )
  })

  it('sorts equal times by digest', () => {
    expect(compareBytes(positionOf(1000.5, 1), positionOf(1000.5, 2))).toBeLessThan(0)
    expect(compareBytes(positionOf(1000, 1), positionOf(1000.5, 2))).toBeGreaterThan(0)
  })

  it('takes no time for 1970', () => {
    expect(positionOf(undefined)).toEqual(positionOf(0))
    expect(positionOf(-0)).toEqual(positionOf(0))
  })
})

const rowsOf = (accounts: string[], delegatee: string): string[] =>
  accountDelegationRows(7, { accounts, delegatee, issuedAtS: 5, digest: digestOf(1) }).map(
    ({ account, direction }) => `${direction} ${account}`,
  )

describe('a new delegation', () => {
  it.each([
    ['to a key', [ALICE], KEY, [`granted ${ALICE}`]],
    ['to another account', [ALICE], BOB, [`granted ${ALICE}`, `received ${BOB}`]],
    ['to the account itself', [ALICE], ALICE, [`granted ${ALICE}`]],
    ['in two names', [ALICE, BOB], BOB, [`granted ${ALICE}`, `granted ${BOB}`]],
    ['by a key of its own, to an account', [], BOB, [`received ${BOB}`]],
    ['by a key of its own, to a key', [], KEY, []],
  ] satisfies readonly (readonly [string, string[], string, string[]])[])(
    '%s is listed where it belongs',
    (_what, accounts, delegatee, lists) => {
      expect(rowsOf(accounts, delegatee)).toEqual(lists)
    },
  )

  it('has one position in all lists', () => {
    const rows = accountDelegationRows(7, {
      accounts: [ALICE],
      delegatee: BOB,
      issuedAtS: 5,
      digest: digestOf(1),
    })
    expect(rows.map(({ position, delegationNo }) => [position, delegationNo])).toEqual([
      [positionOf(5, 1), 7],
      [positionOf(5, 1), 7],
    ])
  })
})
