/** What a store is filled with before it is measured: spaces of numbered accounts, the same number of keys in each. */
import { createNumberedAccounts, type NumberedAccounts } from '../load/accounts.ts'

export interface Population {
  readonly accounts: NumberedAccounts
  readonly keysPerSpace: number
  /** Of one batch put; each is one signed token. 1: every key has a token of its own, as single puts have. */
  readonly keysPerToken: number
  readonly valueBytes: number
}

const VALUE_BYTES = 1024
/** Few enough that the token of a batch and its values fit in memory. */
const KEYS_PER_TOKEN_MAX = 250
/** Up to here a token for each key takes seconds. */
const SINGLE_PUTS_MAX = 10_000

export function createPopulation(spaces: number, keysPerSpace: number): Population {
  const isSmall = spaces * keysPerSpace <= SINGLE_PUTS_MAX
  return {
    accounts: createNumberedAccounts(spaces),
    keysPerSpace,
    keysPerToken: isSmall ? 1 : Math.min(KEYS_PER_TOKEN_MAX, keysPerSpace),
    valueBytes: VALUE_BYTES,
  }
}

export const storedBytesOf = ({ accounts, keysPerSpace, valueBytes }: Population): number =>
  accounts.count * keysPerSpace * valueBytes
