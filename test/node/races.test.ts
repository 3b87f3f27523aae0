/**
 * What overlaps and what follows, on the real program with one and with four compute workers. Goals: a request sent
 * after another one was answered sees its effect, on whatever connection; of requests that exclude each other one
 * wins; contention is never an error. `TINYCLOUD_TEST_RACES` sets the number of rounds.
 */
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  type Account,
  assertOk,
  type Connections,
  type Holder,
  invoke,
  issueKv,
  issueSession,
  issueShare,
  kv,
  openAccount,
  openConnections,
  postDelegation,
  type Reply,
  revokeByKey,
  revokeByWallet,
} from '../_util/client.ts'
import { countFromEnvironment } from '../_util/random.ts'
import { useRunningNode } from '../_util/running-node.ts'

const ROUNDS = countFromEnvironment('TINYCLOUD_TEST_RACES', 4000)
/** Slow machines included. */
const TIMEOUT_MS = 60_000 + ROUNDS * 20
const LANES = 32
const WRITERS = 64
/** Lanes that use a delegation while it is revoked. */
const USERS = 4
const REVOCATION_ROUNDS = Math.ceil(ROUNDS / 40)
const SIMULTANEOUS = 16
const SIMULTANEOUS_ROUNDS = Math.ceil(ROUNDS / 200)

const statusesOf = (replies: readonly Reply[]): number[] =>
  replies.map(({ status }) => status).toSorted((left, right) => left - right)

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** One lane: writes on one set of connections, reads at once on another. Gives the stale answers. */
async function readOwnWrites(
  { account, key, rounds }: { account: Account; key: string; rounds: number },
  writing: Connections,
  reading: Connections,
): Promise<string[]> {
  const stale: string[] = []
  for (let round = 0; round < rounds; round++) {
    const value = `${key} ${round}`
    assertOk(await kv(writing, account, 'put', key, { body: value }), 'put')
    const read = await kv(reading, account, 'get', key)
    if (read.status !== 200 || read.text() !== value)
      stale.push(`wrote ${value}, read ${read.status} ${read.text()}`)
    if (round % 8 !== 0) continue
    assertOk(await kv(writing, account, 'del', key), 'del')
    const gone = await kv(reading, account, 'get', key)
    if (gone.status !== 404) stale.push(`deleted after ${value}, read ${gone.status}`)
  }
  return stale
}

/** Uses a delegation without pause from several sides; gives the successes of requests sent after the revocation. */
async function useAcrossRevocation(
  connections: Connections,
  holder: Holder,
  revoke: () => Promise<Reply>,
): Promise<string[]> {
  const seen = { before: 0, after: [] as string[], revokedAt: Infinity, isDone: false }
  const use = async (lane: number): Promise<void> => {
    for (let index = 0; !seen.isDone; index++) {
      const sentAt = performance.now()
      const action = index % 2 === 0 ? 'put' : 'get'
      const body = action === 'put' ? { body: 'x' } : {}
      const reply = await kv(connections, holder, action, `lane-${lane}`, body)
      if (reply.status !== 200) continue
      if (sentAt > seen.revokedAt) seen.after.push(`${action} after its revocation`)
      else seen.before++
    }
  }
  const lanes = times(USERS, use)
  // Each has succeeded at least once, so that every kind of cache knows the delegation.
  while (seen.before < 2 * USERS) await new Promise(setImmediate)
  assertOk(await revoke(), 'revoke')
  seen.revokedAt = performance.now()
  // Long enough that each lane sends again after the acknowledgement.
  await Promise.all(times(USERS, () => kv(connections, holder, 'get', 'lane-0')))
  seen.isDone = true
  await Promise.all(lanes)
  return seen.after
}

describe.each([1, 4])('with %i compute workers', (computeWorkers) => {
  const node = useRunningNode('races', { computeWorkers })

  it(
    'reads what was acknowledged on another connection, every time',
    async () => {
      const reading = openConnections(node.process.url, LANES)
      const account = await openAccount(node.connections)
      const stale = await Promise.all(
        times(LANES, (lane) =>
          readOwnWrites(
            { account, key: `lane-${lane}`, rounds: Math.ceil(ROUNDS / LANES) },
            node.connections,
            reading,
          ),
        ),
      )
      await reading.close()
      expect(stale.flat()).toEqual([])
    },
    TIMEOUT_MS,
  )

  it(
    'lets nothing through after a revocation was acknowledged',
    async () => {
      const account = await openAccount(node.connections)
      const late: string[] = []
      for (let round = 0; round < REVOCATION_ROUNDS; round++) {
        const parent = issueShare(account, { lifetimeS: 3600 })
        assertOk(await postDelegation(node.connections, parent), 'delegate')
        const child = issueShare(parent, { lifetimeS: 3000 })
        assertOk(await postDelegation(node.connections, child), 'delegate on')
        // By turns the delegation itself and its parent, by the key that gave it and by the wallet.
        const [target, giver] = round % 2 === 0 ? [child, parent] : [parent, account]
        const after = await useAcrossRevocation(node.connections, child, () =>
          round % 4 < 2
            ? revokeByKey(node.connections, giver, target.cid)
            : revokeByWallet(node.connections, account.wallet, target.cid),
        )
        late.push(...after)
      }
      expect(late).toEqual([])
    },
    TIMEOUT_MS,
  )

  it(
    'answers 200 to every put of 64 connections',
    async () => {
      const connections = openConnections(node.process.url, WRITERS)
      const accounts = await Promise.all(times(3, () => openAccount(node.connections)))
      const statuses = new Map<number, number>()
      const write = async (writer: number): Promise<void> => {
        for (let index = 0; index < ROUNDS / WRITERS; index++)
          for (const account of accounts) {
            // Keys of their own, and one on which all of them meet.
            const key = index % 4 === 0 ? 'shared' : `writer-${writer}/${index}`
            const { status } = await kv(connections, account, 'put', key, {
              body: randomBytes(1024),
            })
            statuses.set(status, (statuses.get(status) ?? 0) + 1)
          }
      }
      await Promise.all(times(WRITERS, write))
      await connections.close()
      expect([...statuses.keys()]).toEqual([200])
    },
    TIMEOUT_MS,
  )

  it(
    'applies an invocation once that is sent many times at once',
    async () => {
      const account = await openAccount(node.connections)
      for (let round = 0; round < SIMULTANEOUS_ROUNDS; round++) {
        const token = issueKv(account, 'put', `once-${round}`)
        const replies = await Promise.all(
          times(SIMULTANEOUS, (index) =>
            invoke(node.connections, token, { body: `body ${index}` }),
          ),
        )
        expect(statusesOf(replies)).toEqual([200, ...times(SIMULTANEOUS - 1, () => 409)])
        const winner = replies.findIndex(({ status }) => status === 200)
        const value = await kv(node.connections, account, 'get', `once-${round}`)
        expect(value.text()).toBe(`body ${winner}`)
      }
    },
    TIMEOUT_MS,
  )

  it(
    'answers a read once whose token is sent many times at once',
    async () => {
      const account = await openAccount(node.connections)
      assertOk(await kv(node.connections, account, 'put', 'a', { body: 'a' }), 'put')
      for (let round = 0; round < SIMULTANEOUS_ROUNDS; round++) {
        const token = issueKv(account, 'get', 'a')
        const replies = await Promise.all(
          times(SIMULTANEOUS, () => invoke(node.connections, token)),
        )
        expect(statusesOf(replies)).toEqual([200, ...times(SIMULTANEOUS - 1, () => 409)])
      }
    },
    TIMEOUT_MS,
  )

  it(
    'lets one of many creators win, and tells the others',
    async () => {
      const account = await openAccount(node.connections)
      for (let round = 0; round < SIMULTANEOUS_ROUNDS; round++) {
        const replies = await Promise.all(
          times(SIMULTANEOUS, () =>
            kv(node.connections, account, 'put', `created-${round}`, {
              headers: { 'if-none-match': '*' },
              body: 'mine',
            }),
          ),
        )
        expect(statusesOf(replies)).toEqual([200, ...times(SIMULTANEOUS - 1, () => 412)])
      }
    },
    TIMEOUT_MS,
  )

  it(
    'answers 200 to each of many that post one delegation at once',
    async () => {
      for (let round = 0; round < SIMULTANEOUS_ROUNDS; round++) {
        const account = await openAccount(node.connections)
        const again = await Promise.all(
          times(SIMULTANEOUS, () => postDelegation(node.connections, account.hosting)),
        )
        expect(statusesOf(again)).toEqual(times(SIMULTANEOUS, () => 200))
        const { token } = issueSession(account.wallet, account.space)
        const replies = await Promise.all(
          times(SIMULTANEOUS, () => postDelegation(node.connections, token)),
        )
        expect(replies.map((reply) => [reply.status, JSON.parse(reply.text())])).toEqual(
          times(SIMULTANEOUS, () => [
            200,
            { cid: token.cid, activated: [account.space], skipped: [] },
          ]),
        )
      }
    },
    TIMEOUT_MS,
  )

  it('keeps spaces apart that are opened at the same time', async () => {
    const accounts = await Promise.all(times(SIMULTANEOUS, () => openAccount(node.connections)))
    await Promise.all(
      accounts.map((account) =>
        kv(node.connections, account, 'put', 'whose', { body: account.space }),
      ),
    )
    const values = await Promise.all(
      accounts.map((account) => kv(node.connections, account, 'get', 'whose')),
    )
    expect(values.map((value) => value.text())).toEqual(accounts.map(({ space }) => space))
  })
})
