/** Thread that fills a node. In: a `SeedingStep`. Out: a message once all of its share is acknowledged. */
import { randomBytes } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { createSessionKey } from '../../src/protocol/client/session-key.ts'
import {
  assertOk,
  type Holder,
  invoke,
  issueInvocation,
  issueKv,
  kvResource,
  openConnections,
} from '../../test/_util/client.ts'
import { FORM_TYPE, formatForm, partOf } from '../../test/_util/multipart.ts'
import { accountNumbered, hostAccounts } from '../load/accounts.ts'
import { keyNumbered } from '../load/plan.ts'
import { type SeedingOrder, type SeedingStep } from './seed.ts'

/** Requests under way: together they fill groups, and their batches fit in memory. */
const LANES = 16

const port = parentPort
if (!port) throw new Error('the seeder runs in a worker thread')
const { url, population, thread, threads }: SeedingOrder = workerData
const { accounts, keysPerSpace, keysPerToken, valueBytes } = population
const batchesPerSpace = Math.ceil(keysPerSpace / keysPerToken)
const connections = openConnections(url, LANES)
const holders = new Map<number, Holder>()

async function host(no: number): Promise<void> {
  await hostAccounts(connections, [accountNumbered(accounts, no)])
}

function holderOf(no: number): Holder {
  const known = holders.get(no)
  if (known) return known
  const { space, cid, keySeed } = accountNumbered(accounts, no)
  const holder = { space, cid, key: createSessionKey(keySeed), authorization: '' }
  holders.set(no, holder)
  return holder
}

/** Contents differ, as they do in life. */
function createValue(): Buffer {
  const value = Buffer.from(filler)
  value.set(randomBytes(16))
  return value
}
const filler = randomBytes(valueBytes)

async function putBatch(batch: number): Promise<void> {
  const holder = holderOf(Math.floor(batch / batchesPerSpace))
  const first = (batch % batchesPerSpace) * keysPerToken
  const count = Math.min(keysPerToken, keysPerSpace - first)
  const keys = Array.from({ length: count }, (_, index) => keyNumbered(first + index, true))
  const [onlyKey] = keys
  if (onlyKey !== undefined && keysPerToken === 1) {
    const token = issueKv(holder, 'put', onlyKey)
    const headers = { 'content-type': 'application/octet-stream' }
    assertOk(await invoke(connections, token, { headers, body: createValue() }), 'put')
    return
  }
  const grants = keys.map((key) => [kvResource(holder.space, key), ['tinycloud.kv/put']] as const)
  const body = formatForm(
    keys.map((key) => partOf(key, createValue(), { 'content-type': 'application/octet-stream' })),
  )
  const token = issueInvocation(holder, Object.fromEntries(grants))
  assertOk(
    await invoke(connections, token, { headers: { 'content-type': FORM_TYPE }, body }),
    'put',
  )
}

/** This thread's share of the numbers below `count`. */
async function forOwn(count: number, work: (no: number) => Promise<void>): Promise<void> {
  let next = thread
  const lane = async (): Promise<void> => {
    while (next < count) {
      const no = next
      next += threads
      await work(no)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

port.on('message', (step: SeedingStep) => {
  const done =
    step === 'host'
      ? forOwn(accounts.count, host)
      : forOwn(accounts.count * batchesPerSpace, putBatch)
  done.then(
    () => port.postMessage('done'),
    (error: unknown) => {
      // An error of the thread is what the starter waits for.
      setImmediate(() => {
        throw error
      })
    },
  )
})
