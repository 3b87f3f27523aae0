/**
 * A listing of many keys, walked by its cursor while others write, gives each key that is there throughout exactly once
 * (LIST-3, LIST-4). `TINYCLOUD_TEST_LISTED_KEYS` sets how many; the long run takes 100,000.
 */
import { expect, it } from 'vitest'
import {
  type Account,
  assertOk,
  invoke,
  issueInvocation,
  kv,
  kvResource,
  openAccount,
} from '../_util/client.ts'
import { FORM_TYPE, formatForm, partOf } from '../_util/multipart.ts'
import { textsOf } from '../_util/narrow.ts'
import { countFromEnvironment } from '../_util/random.ts'
import { useRunningNode } from '../_util/running-node.ts'

const KEYS = countFromEnvironment('TINYCLOUD_TEST_LISTED_KEYS', 5000)
/** Their token stays below 512 KiB. */
const KEYS_PER_BATCH = 2000
const KEYS_PER_PAGE = 100
const WRITERS = 4
const TIMEOUT_MS = 1_200_000

const node = useRunningNode('many-keys')

const stableKey = (index: number): string => `stable/${String(index).padStart(6, '0')}`

async function putBatch(account: Account, keys: readonly string[]): Promise<void> {
  const grants = keys.map((key) => [kvResource(account.space, key), ['tinycloud.kv/put']] as const)
  const token = issueInvocation(account, Object.fromEntries(grants))
  const body = formatForm(keys.map((key) => partOf(key, 'x')))
  const headers = { 'content-type': FORM_TYPE }
  assertOk(await invoke(node.connections, token, { headers, body }), 'batch put')
}

/** Writes and deletes between and around the stable keys until it is told to stop. */
async function disturb(account: Account, writer: number, isOver: () => boolean): Promise<number> {
  let writes = 0
  for (; !isOver(); writes++) {
    const key = `stable/${String((writes * 7919) % KEYS).padStart(6, '0')}-${writer}`
    assertOk(await kv(node.connections, account, 'put', key, { body: 'y' }), 'put')
    if (writes % 2 === 1) assertOk(await kv(node.connections, account, 'del', key), 'del')
    // One of the stable keys is written again: it stays one key.
    const stable = stableKey((writes * 104_729) % KEYS)
    assertOk(await kv(node.connections, account, 'put', stable, { body: 'z' }), 'put again')
  }
  return writes
}

async function walk(account: Account): Promise<string[]> {
  const keys: string[] = []
  let cursor: string | undefined
  do {
    const headers = {
      'x-tinycloud-limit': String(KEYS_PER_PAGE),
      ...(cursor !== undefined && { 'x-tinycloud-cursor': cursor }),
    }
    const page = assertOk(
      await kv(node.connections, account, 'list', 'stable/', { headers }),
      'list',
    )
    keys.push(...textsOf(JSON.parse(page.text())))
    const next = page.headers['x-tinycloud-next-cursor']
    cursor = typeof next === 'string' ? next : undefined
  } while (cursor !== undefined)
  return keys
}

it(
  'each once, while others write',
  async () => {
    const account = await openAccount(node.connections)
    const stable = Array.from({ length: KEYS }, (_, index) => stableKey(index))
    for (let first = 0; first < KEYS; first += KEYS_PER_BATCH)
      await putBatch(account, stable.slice(first, first + KEYS_PER_BATCH))

    let isOver = false
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      disturb(account, writer, () => isOver),
    )
    const walked = await walk(account)
    isOver = true
    const writes = (await Promise.all(writers)).reduce((sum, count) => sum + count, 0)

    expect(walked).toEqual(walked.toSorted())
    expect(new Set(walked).size).toBe(walked.length)
    const wanted = new Set(stable)
    expect(walked.filter((key) => wanted.has(key))).toEqual(stable)
    expect(writes).toBeGreaterThan(0)
    process.stdout.write(`listed ${KEYS} keys, each once, beside ${writes} rounds of writes\n`)
  },
  TIMEOUT_MS,
)
