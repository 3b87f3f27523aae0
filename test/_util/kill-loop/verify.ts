/** Checks a restarted node against the journal; what was unknown is settled by what is found. */
import { type Account, type Connections, invoke, issueKv, kv, postDelegation } from '../client.ts'
import { type Journal, revocationOf, type TrackedKey, type TrackedShare } from './journal.ts'
import { contentOf } from './load.ts'

const PARALLEL_CHECKS = 16

export interface Verification {
  readonly checkedCount: number
  /** What was acknowledged and is not so. */
  readonly losses: readonly string[]
}

async function forEachParallel<T>(
  items: readonly T[],
  check: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  const lane = async (): Promise<void> => {
    for (const item of rest) await check(item)
  }
  await Promise.all(Array.from({ length: PARALLEL_CHECKS }, lane))
}

async function checkKey(
  connections: Connections,
  journal: Journal,
  { account, key, history }: TrackedKey,
): Promise<string | undefined> {
  const reply = await kv(connections, account, 'get', key)
  const possible = history.possible()
  if (reply.status !== 200 && reply.status !== 404)
    return `get ${key}: ${reply.status} ${reply.text()}`
  const content = reply.status === 404 ? null : contentOf(reply.bytes)
  history.settle(content, journal.tick())
  if (possible.includes(content)) return undefined
  const expected = possible.map((each) => each?.slice(0, 8) ?? 'nothing').join(' or ')
  return `${account.space} ${key}: expected ${expected}, found ${content?.slice(0, 8) ?? 'nothing'}`
}

async function checkShare(
  connections: Connections,
  share: TrackedShare,
): Promise<string | undefined> {
  const name = `delegation ${share.holder.cid}`
  if (share.stored === 'unknown') {
    const again = await postDelegation(connections, share.holder)
    if (again.status === 200) share.stored = 'yes'
    else if (again.status === 401 && revocationOf(share) !== 'no') share.stored = 'no'
    else return `${name}: posted again: ${again.status} ${again.text()}`
  }
  if (share.stored === 'no') return undefined
  const reply = await kv(connections, share.holder, 'get', 'never-written')
  const isRevoked = reply.status === 401 && /^delegation-(ancestor-)?revoked/.test(reply.text())
  if (!isRevoked && reply.status !== 404) return `${name}: ${reply.status} ${reply.text()}`
  const expected = revocationOf(share)
  if (share.revoked === 'unknown')
    share.revoked = reply.text().startsWith('delegation-revoked') ? 'yes' : 'no'
  if (expected === 'unknown' || isRevoked === (expected === 'yes')) return undefined
  return `${name}: ${isRevoked ? 'is revoked and never was' : 'was revoked and is not'}`
}

async function checkReplay(
  connections: Connections,
  authorization: string,
): Promise<string | undefined> {
  const reply = await invoke(connections, { authorization }, { body: 'replayed' })
  return reply.status === 409 ? undefined : `replay: ${reply.status} ${reply.text()}`
}

/** The list of a space holds exactly the keys that hold something. Keys must be settled. */
async function checkList(
  connections: Connections,
  account: Account,
  tracked: readonly TrackedKey[],
): Promise<string | undefined> {
  const reply = await invoke(connections, issueKv(account, 'list', ''))
  if (reply.status !== 200) return `list: ${reply.status} ${reply.text()}`
  const listed: string[] = JSON.parse(reply.text())
  const expected = tracked
    .filter(({ history }) => history.possible().some((content) => content !== null))
    .map(({ key }) => key)
    .toSorted()
  if (JSON.stringify(listed.toSorted()) === JSON.stringify(expected)) return undefined
  return `${account.space}: listed ${listed.length} keys, ${expected.length} hold a value`
}

export async function verifyJournal(
  connections: Connections,
  journal: Journal,
  accounts: readonly Account[],
): Promise<Verification> {
  const losses: string[] = []
  const note = (loss: string | undefined): void => {
    if (loss !== undefined) losses.push(loss)
  }
  // First, so that a replay that is wrongly applied is found by the checks of its key as well.
  await forEachParallel(journal.appliedTokens, async (token) =>
    note(await checkReplay(connections, token)),
  )
  await forEachParallel(journal.keys, async (key) =>
    note(await checkKey(connections, journal, key)),
  )
  // Parents before children: what is unknown of a parent is then settled.
  for (const isChild of [false, true])
    await forEachParallel(
      journal.shares.filter(({ parent }) => (parent !== undefined) === isChild),
      async (share) => note(await checkShare(connections, share)),
    )
  await forEachParallel(accounts, async (account) =>
    note(
      await checkList(
        connections,
        account,
        journal.keys.filter((key) => key.account === account),
      ),
    ),
  )
  const checkedCount = journal.acknowledgedCount
  journal.acknowledgedCount = 0
  journal.appliedTokens.length = 0
  return { checkedCount, losses }
}
