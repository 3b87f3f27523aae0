/**
 * A real node on a disk of 24 MiB that is filled under its hands: without a reserve, so that every kind of write meets the
 * end of the disk (DISK-2), and with one, so that none does (DISK-1).
 */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readdirSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  assertOk,
  type Connections,
  type Holder,
  issueSession,
  issueShare,
  kv,
  openAccount,
  openConnections,
  postDelegation,
  type Reply,
  revokeByKey,
} from '../_util/client.ts'
import { runInProcess } from '../_util/command-run.ts'
import { type NodeProcess, startNodeProcess } from '../_util/node-process.ts'
import { createRandom } from '../_util/random.ts'
import { canMountDisks, mountSmallDisk, type SmallDisk } from '../_util/small-disk.ts'

const KIB = 1024
const MIB = 1024 * KIB
const DISK_MIB = 24
/** What a put may be told. */
const OUTCOMES = [
  [200, ''],
  [507, 'The node has no storage space left'],
]

const random = createRandom(11)
const bytesOf = (count: number): Buffer => Buffer.from(random.bytes(count))
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

let disk: SmallDisk
let node: NodeProcess
let connections: Connections

async function start(reserve: string): Promise<void> {
  node = await startNodeProcess({
    directory: disk.path,
    environment: { TINYCLOUD_STORAGE_RESERVE: reserve },
  })
  connections = openConnections(node.url, 8)
}

async function stop(): Promise<void> {
  await connections.close()
  await node.stop()
}

const filler = (): string => join(disk.path, 'filler')
const freeBytes = (): number => {
  const { bavail, bsize } = statfsSync(disk.path)
  return bavail * bsize
}

/** Takes all of the disk but so many bytes. */
function fillTo(leftBytes: number): void {
  const file = openSync(filler(), 'a')
  const piece = Buffer.alloc(64 * KIB)
  while (freeBytes() - leftBytes >= 4 * KIB)
    writeSync(file, piece, 0, Math.min(piece.length, freeBytes() - leftBytes))
  fsyncSync(file)
  closeSync(file)
}

/** Values that were acknowledged, by key. */
type Kept = Map<string, string>

async function put(account: Holder, kept: Kept, key: string, value: Buffer): Promise<Reply> {
  const reply = await kv(connections, account, 'put', key, { body: value })
  expect(OUTCOMES).toContainEqual([reply.status, reply.text()])
  if (reply.status === 200) kept.set(key, digestOf(value))
  return reply
}

async function expectKept(account: Holder, kept: Kept): Promise<void> {
  for (const [key, digest] of kept) {
    const reply = assertOk(await kv(connections, account, 'get', key), key)
    expect(digestOf(reply.bytes)).toBe(digest)
  }
  const keys: unknown = JSON.parse((await kv(connections, account, 'list', '')).text())
  expect(keys).toEqual([...kept.keys()].toSorted())
}

async function expectSound(): Promise<void> {
  const environment = { TINYCLOUD_STORAGE_DATADIR: join(disk.path, 'data') }
  const run = await runInProcess(['verify'], { environment })
  expect(run.errors).toBe('')
  expect(run.exitCode).toBe(0)
}

/** Uploads of which something is left. */
const stagedFiles = (): string[] =>
  readdirSync(join(disk.path, 'data/blocks/staging'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)

const writeHealth = async (): Promise<number> => (await fetch(`${node.url}/healthz?write=1`)).status

async function becomesHealthy(): Promise<void> {
  for (let attempt = 0; attempt < 100 && (await writeHealth()) !== 200; attempt++) await sleep(50)
  expect(await writeHealth()).toBe(200)
}

beforeEach(() => {
  if (canMountDisks) disk = mountSmallDisk(DISK_MIB)
})
afterEach(() => {
  if (canMountDisks) disk.remove()
})

describe.runIf(canMountDisks)('a disk that is full in the middle of anything (DISK-2)', () => {
  it.each([
    ['values in packs', 20 * KIB],
    ['values in files of their own', 900 * KIB],
    ['small values, whose rows need more than they do', 10],
  ])('refuses %s, keeps what was answered, and goes on when there is space', async (_, bytes) => {
    await start('0')
    const account = await openAccount(connections)
    const kept: Kept = new Map()
    assertOk(await put(account, kept, 'first', bytesOf(bytes)), 'the first value')
    let refusals = 0
    for (const leftBytes of [MIB, 200 * KIB, 40 * KIB, 0]) {
      fillTo(leftBytes)
      const enough = refusals + 3
      for (let count = 0; count < 400 && refusals < enough; count++) {
        const reply = await put(account, kept, `k${leftBytes}-${count}`, bytesOf(bytes))
        if (reply.status !== 200) refusals += 1
      }
    }
    expect(refusals).toBeGreaterThan(0)
    fillTo(0)
    const refused = await put(account, new Map(), 'beyond', bytesOf(300 * KIB))
    expect(refused.status).toBe(507)
    await expectKept(account, kept)

    rmSync(filler())
    await becomesHealthy()
    assertOk(await put(account, kept, 'later', bytesOf(bytes)), 'with space')
    await expectKept(account, kept)
    expect(stagedFiles()).toEqual([])
    await stop()
    await expectSound()
  })

  it('stops a first start, which says why and can be repeated', async () => {
    fillTo(0)
    await expect(start('0')).rejects.toThrow(/full|ENOSPC|no space/i)
    rmSync(filler())
    await start('0')
    const account = await openAccount(connections)
    assertOk(await put(account, new Map(), 'a', bytesOf(10)), 'put')
    await stop()
    await expectSound()
  })

  it('survives a crash, and a start on a full disk', async () => {
    await start('0')
    const account = await openAccount(connections)
    const kept: Kept = new Map()
    for (let count = 0; count < 20; count++)
      assertOk(await put(account, kept, `k${count}`, bytesOf(30 * KIB)), 'put')
    fillTo(0)
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        put(account, kept, `full${index}`, bytesOf(100 * KIB)),
      ),
    )
    await connections.close()
    await node.kill()
    // A start writes rows of its own: it says so where there is no room for them, and loses nothing.
    await start('0').then(
      () => stop(),
      (error: unknown) => expect(String(error)).toMatch(/full|ENOSPC|no space/i),
    )
    rmSync(filler())
    await start('0')
    await expectKept(account, kept)
    assertOk(await put(account, kept, 'later', bytesOf(MIB)), 'with space')
    await stop()
    await expectSound()
  })
})

describe.runIf(canMountDisks)('a disk that is nearly full (DISK-1)', () => {
  it('refuses what grows, and takes what makes room until there is some again', async () => {
    await start('2 MiB')
    const account = await openAccount(connections)
    const kept: Kept = new Map()
    for (let count = 0; count < 4; count++)
      assertOk(await put(account, kept, `k${count}`, bytesOf(900 * KIB)), 'put')
    const share = issueShare(account)
    assertOk(await postDelegation(connections, share), 'a delegation')
    fillTo(1500 * KIB)
    await sleep(1100)
    for (const bytes of [10, 300 * KIB])
      expect((await put(account, kept, 'new', bytesOf(bytes))).status).toBe(507)
    const signedIn = issueSession(account.wallet, account.space)
    assertOk(await postDelegation(connections, signedIn.token), 'a new session')
    const session = { space: account.space, key: signedIn.key, ...signedIn.token }
    await expectKept(session, kept)
    assertOk(await kv(connections, session, 'del', 'k1'), 'its delete')
    kept.delete('k1')
    expect((await put(session, kept, 'new', bytesOf(10))).status).toBe(507)

    fillTo(700 * KIB)
    await sleep(1100)
    expect((await postDelegation(connections, issueShare(account))).status).toBe(507)
    expect(await writeHealth()).toBe(507)
    expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
    assertOk(await kv(connections, account, 'del', 'k0'), 'a delete')
    kept.delete('k0')
    assertOk(await revokeByKey(connections, account, share.cid), 'a revocation')
    await expectKept(account, kept)

    rmSync(filler())
    await becomesHealthy()
    assertOk(await put(account, kept, 'later', bytesOf(300 * KIB)), 'with space')
    await expectKept(account, kept)
    await stop()
    await expectSound()
  })
})
