/** The data of a node that has seen everything that is stored, made by the real program, and copies of it to damage. */
import { cpSync } from 'node:fs'
import path from 'node:path'
import {
  type Account,
  assertOk,
  type Connections,
  issueShare,
  kv,
  openAccount,
  openConnections,
  postDelegation,
  revokeByKey,
  revokeByWallet,
} from './client.ts'
import { type NodeProcessOptions, startNodeProcess } from './node-process.ts'
import { signUrl } from './signed-urls.ts'

const CONNECTIONS = 16
/** More than one segment, and a part of one. */
const LARGE_BYTES = 2_500_000

export interface StoredNode {
  /** Holds `data`. */
  readonly directory: string
  readonly accounts: readonly Account[]
}

export const databaseOf = (directory: string): string => path.join(directory, 'data/caps.db')
export const blocksOf = (directory: string): string => path.join(directory, 'data/blocks')

/** Everything that leaves rows: puts, overwrites, deletes, large values, shares of shares, revocations, tickets. */
export async function storeEverything(connections: Connections): Promise<Account[]> {
  const accounts = [await openAccount(connections), await openAccount(connections, 'photos')]
  const [account, other] = accounts
  if (!account || !other) throw new Error('no accounts')
  const put = async (key: string, body: string | Uint8Array, of = account): Promise<void> => {
    assertOk(await kv(connections, of, 'put', key, { body }), `put ${key}`)
  }
  const remove = async (key: string): Promise<void> => {
    assertOk(await kv(connections, account, 'del', key), `del ${key}`)
  }
  await put('kept', 'first')
  await put('kept', 'second')
  await put('deleted', 'to go')
  await remove('deleted')
  await put('back', 'once')
  await remove('back')
  await put('back', 'twice')
  await put('medium', Buffer.alloc(100_000, 1))
  await put('large', Buffer.alloc(LARGE_BYTES, 2))
  await put('replaced', Buffer.alloc(LARGE_BYTES, 3))
  await put('replaced', Buffer.alloc(LARGE_BYTES, 4))
  for (const count of [1, 2, 3, 4]) await put('often', `version ${count}`)
  await put('elsewhere', 'in another space', other)
  await Promise.all(
    Array.from({ length: 60 }, (_, index) => put(`many/${index}`, `value ${index}`)),
  )

  const share = issueShare(account)
  const below = issueShare(share, { path: 'many', lifetimeS: 1800 })
  const taken = issueShare(account, { path: 'taken' })
  for (const holder of [share, below, taken])
    assertOk(await postDelegation(connections, holder), 'share')
  assertOk(await kv(connections, below, 'put', 'many/shared', { body: 'by a holder' }), 'put')
  assertOk(await revokeByKey(connections, account, taken.cid), 'revoke')
  assertOk(await revokeByWallet(connections, account.wallet, below.cid), 'revoke')
  assertOk(await signUrl(connections, account, 'kept'), 'sign')
  return accounts
}

/** Runs the program on `directory` until everything is stored, and stops it. It keeps versions unless told otherwise. */
export async function createStoredNode(
  directory: string,
  options: Omit<NodeProcessOptions, 'directory'> = {},
): Promise<StoredNode> {
  const environment = { TINYCLOUD_STORAGE_HISTORY: '2 versions', ...options.environment }
  const node = await startNodeProcess({ ...options, directory, environment })
  const connections = openConnections(node.url, CONNECTIONS)
  const accounts = await storeEverything(connections)
  await connections.close()
  const { code } = await node.stop()
  if (code !== 0) throw new Error(`the node ended with ${code}:\n${node.output()}`)
  return { directory, accounts }
}

/** The same data in another directory. */
export function copyStoredNode({ directory }: StoredNode, target: string): void {
  cpSync(path.join(directory, 'data'), path.join(target, 'data'), { recursive: true })
}
