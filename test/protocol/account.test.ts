/** In whose name a delegation is given (QUERY-2). */
import { describe, expect, it } from 'vitest'
import { grantingAccounts, isAccount } from '../../src/protocol/account.ts'

const ALICE = 'did:pkh:eip155:1:0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const BOB = 'did:pkh:eip155:1:0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const KEY = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

describe('the accounts of a delegation (QUERY-2)', () => {
  it('are the delegator itself, whatever it cites, where it is an account', () => {
    expect(grantingAccounts(ALICE, [{ accounts: [BOB] }])).toEqual([ALICE])
  })

  it('are those of the parents where a key gives it, each once and sorted', () => {
    const parents = [{ accounts: [ALICE] }, { accounts: [ALICE, BOB] }, { accounts: [] }]
    expect(grantingAccounts(KEY, parents)).toEqual([BOB, ALICE].toSorted())
  })

  it('are none for what a key gives by itself', () => {
    expect(grantingAccounts(KEY, [])).toEqual([])
  })
})

describe('an account', () => {
  it('is a did:pkh, no key', () => {
    expect([ALICE, KEY, 'did:web:example.org', 'did:pkhx:1', ''].map(isAccount)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})
