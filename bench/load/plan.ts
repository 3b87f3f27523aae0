/** What the n-th request of a load asks for, the same in every thread, and the token for it. */
import { createSessionKey } from '../../src/protocol/client/session-key.ts'
import { createWallet } from '../../src/protocol/client/wallet.ts'
import { type Holder, issueKv, issueSession } from '../../test/_util/client.ts'
import { type LoadAccount } from './accounts.ts'

export const LOAD_MODES = ['put', 'get', 'mixed', 'list', 'delegate'] as const
export type LoadMode = (typeof LOAD_MODES)[number]

export interface LoadPlan {
  /** `prepare` writes the keys that the others find. */
  readonly mode: LoadMode | 'prepare'
  readonly spaces: number
  /** Keys per space that gets, lists and mixed loads find. Plain puts always take a new one. */
  readonly keys: number
}

/** Share of puts in a mixed load. */
const WRITE_SHARE = 0.2
const FOLDER = 'load'

const keyOf = (index: number): string => `${FOLDER}/${String(index).padStart(8, '0')}`

/** A cheap spread of whole numbers over [0, 1). */
const spread = (index: number): number =>
  ((Math.imul(index + 1, 2_654_435_761) >>> 0) % 10_000) / 10_000

export interface PlannedRequest {
  readonly operation: Exclude<LoadMode, 'mixed'>
  readonly key: string
}

export function planRequest(index: number, { mode, spaces, keys }: LoadPlan): PlannedRequest {
  if (mode === 'delegate' || mode === 'list') return { operation: mode, key: `${FOLDER}/` }
  if (mode === 'prepare') return { operation: 'put', key: keyOf(Math.floor(index / spaces)) }
  if (mode === 'put') return { operation: 'put', key: `new/${keyOf(index)}` }
  const isWrite = mode === 'mixed' && spread(index) < WRITE_SHARE
  const key = keyOf(Math.floor(spread(index * 7 + 3) * keys))
  return { operation: isWrite ? 'put' : 'get', key }
}

/** Signs the token of a request. Requests go to the accounts in turn. */
export function createTokenMaker(
  accounts: readonly LoadAccount[],
): (index: number, request: PlannedRequest) => string {
  const actors = accounts.map(({ space, cid, keySeed, walletSecret }) => {
    const holder: Holder = { space, cid, key: createSessionKey(keySeed), authorization: '' }
    return { holder, wallet: createWallet(walletSecret) }
  })
  return (index, { operation, key }) => {
    const actor = actors[index % actors.length]
    if (!actor) throw new Error('a load needs an account')
    const { holder, wallet } = actor
    if (operation === 'delegate') return issueSession(wallet, holder.space).token.authorization
    return issueKv(holder, operation, key).authorization
  }
}
