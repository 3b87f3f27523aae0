/** What the n-th request of a load asks for, the same in every thread, and the token for it. */
import { createSessionKey } from '../../src/protocol/client/session-key.ts'
import { createWallet, type Wallet } from '../../src/protocol/client/wallet.ts'
import { LruMap } from '../../src/protocol/lru.ts'
import { type Holder, issueKv, issueSession } from '../../test/_util/client.ts'
import { accountNumbered, type LoadAccount, type NumberedAccounts } from './accounts.ts'

export const LOAD_MODES = ['put', 'replace', 'get', 'mixed', 'list', 'delegate'] as const
export type LoadMode = (typeof LOAD_MODES)[number]

export interface LoadPlan {
  /** `prepare` writes the keys that the others find. */
  readonly mode: LoadMode | 'prepare'
  readonly spaces: number
  /** Keys per space that all but plain puts find; those always take a new one. */
  readonly keys: number
  /** Keys lie as hashes do, and spaces, keys and pages of lists are met in no order. Otherwise all are in order. */
  readonly isScattered?: boolean
}

/** Share of puts in a mixed load. */
const WRITE_SHARE = 0.2
const FOLDER = 'load'
/** Entries that a list asks for. */
export const LIST_KEYS = 100
/** So many keys begin alike at least where a list of scattered keys takes a part of them. */
const PREFIX_KEYS_MIN = 2 * LIST_KEYS
const HEX_DIGITS = 16
const UINT32_COUNT = 2 ** 32

/** A walk through all whole numbers below 2³² in which every stretch is spread evenly. */
const scatter = (index: number): number => Math.imul(index + 1, 2_654_435_761) >>> 0

/** A cheap spread of whole numbers over [0, 1). */
const spread = (index: number): number => scatter(index) / UINT32_COUNT

/** The key of that number, the same in all loads of a kind. */
export const keyNumbered = (no: number, isScattered: boolean): string =>
  isScattered
    ? `${FOLDER}/${scatter(no).toString(HEX_DIGITS).padStart(8, '0')}`
    : `${FOLDER}/${String(no).padStart(8, '0')}`

export interface PlannedRequest {
  readonly operation: Exclude<LoadMode, 'mixed' | 'replace'>
  readonly key: string
  /** Number of the account. */
  readonly account: number
}

export function planRequest(index: number, plan: LoadPlan): PlannedRequest {
  const { mode, spaces, keys, isScattered = false } = plan
  const account = (isScattered ? scatter(index) : index) % spaces
  const keyOf = (no: number): string => keyNumbered(no, isScattered)
  const found = keyOf(Math.floor(spread(index * 7 + 3) * keys))
  switch (mode) {
    case 'delegate':
      return { operation: 'delegate', key: `${FOLDER}/`, account }
    case 'list':
      return { operation: 'list', key: isScattered ? prefixOf(found, keys) : `${FOLDER}/`, account }
    case 'prepare':
      return { operation: 'put', key: keyOf(Math.floor(index / spaces)), account }
    case 'put':
      return {
        operation: 'put',
        key: isScattered ? keyOf(keys + index) : `new/${keyOf(index)}`,
        account,
      }
    case 'replace':
      return { operation: 'put', key: found, account }
    case 'mixed':
      return { operation: spread(index) < WRITE_SHARE ? 'put' : 'get', key: found, account }
    case 'get':
      return { operation: 'get', key: found, account }
  }
}

/** What begins as this key does, and still has a page of entries. */
function prefixOf(key: string, keys: number): string {
  const digits = Math.floor(Math.log(keys / PREFIX_KEYS_MIN) / Math.log(HEX_DIGITS))
  return key.slice(0, FOLDER.length + 1 + Math.max(0, digits))
}

interface Actor {
  readonly holder: Holder
  readonly wallet: Wallet
}

const ACTORS_HELD_MAX = 16_384

/** Signs the token of a request. */
export function createTokenMaker(
  accounts: readonly LoadAccount[] | NumberedAccounts,
): (request: PlannedRequest) => string {
  const actors = new LruMap<number, Actor>(ACTORS_HELD_MAX)
  const actorOf = (no: number): Actor => {
    const known = actors.get(no)
    if (known) return known
    const account = 'series' in accounts ? accountNumbered(accounts, no) : accounts[no]
    if (!account) throw new Error(`a load has no account ${no}`)
    const { space, cid, keySeed, walletSecret } = account
    const holder: Holder = { space, cid, key: createSessionKey(keySeed), authorization: '' }
    const actor = { holder, wallet: createWallet(walletSecret) }
    actors.set(no, actor)
    return actor
  }
  return ({ operation, key, account }) => {
    const { holder, wallet } = actorOf(account)
    if (operation === 'delegate') return issueSession(wallet, holder.space).token.authorization
    return issueKv(holder, operation, key).authorization
  }
}
