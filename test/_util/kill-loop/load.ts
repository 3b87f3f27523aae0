/**
 * The load of the kill loop: lanes that write, overwrite, delete, delegate and revoke until they are told to stop or
 * the node is gone. Every request is in the journal before it is sent.
 */
import { createHash } from 'node:crypto'
import {
  type Account,
  type Connections,
  invoke,
  issueKv,
  issueShare,
  postDelegation,
  type Reply,
  revokeByKey,
  revokeByWallet,
} from '../client.ts'
import { type Random } from '../random.ts'
import { type Journal, revocationOf, type TrackedKey, type TrackedShare } from './journal.ts'

const SMALL_BYTES_MAX = 4 * 1024
/** From above the largest value that lies in a pack. */
const LARGE_BYTES = { min: 300 * 1024, max: 3 * 1024 * 1024 }
const APPLIED_TOKENS_MAX = 200

/** Keys of one lane, which nobody else writes, and keys that all lanes write. */
export interface LaneKeys {
  readonly own: readonly TrackedKey[]
  readonly ownLarge: readonly TrackedKey[]
  readonly shared: readonly TrackedKey[]
}

export interface LoadContext {
  readonly connections: Connections
  readonly journal: Journal
  readonly random: Random
  readonly accounts: readonly Account[]
  isStopped(): boolean
}

let valueNo = 0

/** Contents are never the same twice, so that a value read tells which write it was. */
function createValue(random: Random, lengthBytes: number): Uint8Array {
  const value = random.bytes(lengthBytes)
  new DataView(value.buffer, value.byteOffset).setFloat64(0, ++valueNo)
  return value
}

export const contentOf = (value: Uint8Array): string =>
  createHash('sha256').update(value).digest('hex')

/** The answer; undefined where the connection broke, which is no problem once the node was killed. */
async function attempt(
  context: LoadContext,
  send: () => Promise<Reply>,
): Promise<Reply | undefined> {
  try {
    return await send()
  } catch (error) {
    if (!context.isStopped())
      context.journal.problems.push(`the connection broke before the kill: ${String(error)}`)
    return undefined
  }
}

function noteApplied({ journal, random }: LoadContext, authorization: string): void {
  const { appliedTokens } = journal
  if (appliedTokens.length < APPLIED_TOKENS_MAX) appliedTokens.push(authorization)
  else appliedTokens[random.below(APPLIED_TOKENS_MAX)] = authorization
}

export async function put(
  context: LoadContext,
  tracked: TrackedKey,
  lengthBytes: number,
): Promise<void> {
  const { connections, journal, random } = context
  const value = createValue(random, lengthBytes)
  const token = issueKv(tracked.account, 'put', tracked.key)
  const write = tracked.history.send(contentOf(value), journal.tick())
  const reply = await attempt(context, () => invoke(connections, token, { body: value }))
  if (reply === undefined) return
  if (reply.status === 200) {
    tracked.history.acknowledge(write, journal.tick())
    journal.acknowledgedCount++
    noteApplied(context, token.authorization)
    return
  }
  tracked.history.refuse(write)
  journal.problems.push(`put ${tracked.key}: ${reply.status} ${reply.text()}`)
}

export async function remove(context: LoadContext, tracked: TrackedKey): Promise<void> {
  const { connections, journal } = context
  const token = issueKv(tracked.account, 'del', tracked.key)
  const { wasWritten } = tracked.history
  const write = tracked.history.send(null, journal.tick())
  const reply = await attempt(context, () => invoke(connections, token))
  if (reply === undefined) return
  if (reply.status === 200) {
    tracked.history.acknowledge(write, journal.tick())
    journal.acknowledgedCount++
    noteApplied(context, token.authorization)
    return
  }
  tracked.history.refuse(write)
  if (reply.status !== 404 || wasWritten)
    journal.problems.push(`del ${tracked.key}: ${reply.status} ${reply.text()}`)
}

export async function share(context: LoadContext, account: Account): Promise<void> {
  const { connections, journal, random } = context
  const parents = journal.shares.filter(
    (candidate) =>
      candidate.account === account &&
      candidate.parent === undefined &&
      candidate.stored === 'yes' &&
      revocationOf(candidate) === 'no',
  )
  const parent = parents.length > 0 && random.next() < 0.4 ? random.pick(parents) : undefined
  const holder = issueShare(parent?.holder ?? account, { lifetimeS: parent ? 3000 : 3600 })
  const tracked: TrackedShare = { holder, account, parent, stored: 'unknown', revoked: 'no' }
  journal.shares.push(tracked)
  const reply = await attempt(context, () => postDelegation(connections, holder))
  if (reply === undefined) return
  if (reply.status === 200) {
    tracked.stored = 'yes'
    journal.acknowledgedCount++
    return
  }
  tracked.stored = 'no'
  // Somebody may have revoked the parent while the request was under way.
  if (reply.status !== 401 || revocationOf(tracked) === 'no')
    journal.problems.push(`delegate: ${reply.status} ${reply.text()}`)
}

export async function revoke(context: LoadContext, account: Account): Promise<void> {
  const { connections, journal, random } = context
  const candidates = journal.shares.filter(
    ({ account: owner, stored, revoked }) =>
      owner === account && stored === 'yes' && revoked === 'no',
  )
  if (candidates.length === 0) return
  const target = random.pick(candidates)
  target.revoked = 'unknown'
  const { cid } = target.holder
  const isWallet = random.next() < 0.3
  const by = target.parent?.holder ?? account
  const reply = await attempt(context, () =>
    isWallet ? revokeByWallet(connections, account.wallet, cid) : revokeByKey(connections, by, cid),
  )
  if (reply === undefined) return
  if (reply.status === 200) {
    target.revoked = 'yes'
    journal.acknowledgedCount++
    return
  }
  target.revoked = 'no'
  journal.problems.push(`revoke: ${reply.status} ${reply.text()}`)
}

/** One lane: one request after the other until the node is gone. */
export async function runLane(context: LoadContext, keys: LaneKeys): Promise<void> {
  const { random, accounts } = context
  const anyKey = (): TrackedKey => random.pick(random.next() < 0.3 ? keys.shared : keys.own)
  const largeBytes = (): number => LARGE_BYTES.min + random.below(LARGE_BYTES.max - LARGE_BYTES.min)
  while (!context.isStopped()) {
    const dice = random.next()
    if (dice < 0.6) await put(context, anyKey(), 8 + random.below(SMALL_BYTES_MAX))
    else if (dice < 0.64) await put(context, random.pick(keys.ownLarge), largeBytes())
    else if (dice < 0.82) await remove(context, anyKey())
    else if (dice < 0.84) await remove(context, random.pick(keys.ownLarge))
    else if (dice < 0.93) await share(context, random.pick(accounts))
    else await revoke(context, random.pick(accounts))
  }
}
