/**
 * Integrity from outside: `tinycloud verify` beside a running node and on a stopped one, and what becomes of damage that
 * a read, the scrub or a verification meets. It is told, written down, and never served.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Account,
  type Connections,
  kv,
  openAccount,
  openConnections,
} from '../_util/client.ts'
import { type CommandRun, runInProcess } from '../_util/command-run.ts'
import { membersOf } from '../_util/narrow.ts'
import {
  createDirectory,
  type NodeProcess,
  removeDirectory,
  startNodeProcess,
} from '../_util/node-process.ts'
import { blocksOf, storeEverything } from '../_util/stored-node.ts'

const CONNECTIONS = 16
/** The scrub begins 30 s after the node. */
const SCRUB_WAIT_MS = 60_000
const METRICS_PORT = '18731'

let directory = ''
let node: NodeProcess | undefined
let connections: Connections | undefined

beforeEach(async () => {
  directory = await createDirectory('verify')
})
afterEach(async () => {
  await connections?.close()
  await node?.kill()
  node = undefined
  connections = undefined
  await removeDirectory(directory)
})

async function start(environment: Readonly<Record<string, string>> = {}): Promise<Connections> {
  node = await startNodeProcess({ directory, environment })
  connections = openConnections(node.url, CONNECTIONS)
  return connections
}

async function stop(): Promise<void> {
  await connections?.close()
  connections = undefined
  expect((await node?.stop())?.code).toBe(0)
  node = undefined
}

const verify = (...args: string[]): Promise<CommandRun> =>
  runInProcess(['verify', ...args], {
    environment: { TINYCLOUD_STORAGE_DATADIR: join(directory, 'data') },
    workingDirectory: directory,
  })

/** Changes one bit of the stored bytes, wherever below the blocks they are. */
function damage(text: string): void {
  const root = blocksOf(directory)
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!/\.car$|objects\/.*\d$/.test(name)) continue
    const path = join(root, name)
    let bytes: Buffer
    try {
      bytes = readFileSync(path)
    } catch {
      continue
    }
    const offset = bytes.indexOf(text)
    if (offset === -1) continue
    bytes[offset]! ^= 1
    writeFileSync(path, bytes)
    return
  }
  throw new Error(`nothing holds ${text}`)
}

async function readMetric(name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`)
  const line = (await response.text()).split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.split(' ')[1] ?? Number.NaN)
}

/** Waits until the gauge has the value. */
async function awaitMetric(name: string, value: number, limitMs: number): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  while ((await readMetric(name)) !== value) {
    if (performance.now() > deadlineMs)
      throw new Error(`${name} is ${await readMetric(name)}, not ${value}:\n${node?.output()}`)
    await sleep(100)
  }
}

async function get(account: Account, key: string): Promise<{ status: number; text: string }> {
  if (!connections) throw new Error('not connected')
  const reply = await kv(connections, account, 'get', key)
  return { status: reply.status, text: reply.text() }
}

const CORRUPT = { status: 500, text: 'The stored value failed its integrity check' }

async function storeTwo(): Promise<Account> {
  const account = await openAccount(await start())
  if (!connections) throw new Error('not connected')
  await kv(connections, account, 'put', 'broken', { body: 'the value that will be damaged' })
  await kv(connections, account, 'put', 'whole', { body: 'the value that stays' })
  return account
}

describe('tinycloud verify', () => {
  it('beside a running node under load: what changes meanwhile is no damage', async () => {
    const open = await start()
    const [account] = await storeEverything(open)
    if (!account) throw new Error('no account')
    const ending = new AbortController()
    const writing = Array.from({ length: 8 }, async (_, lane) => {
      for (let count = 0; !ending.signal.aborted; count++) {
        const key = `lane-${lane}/${count % 5}`
        await kv(open, account, count % 7 === 6 ? 'del' : 'put', key, {
          body: `${lane} ${count}`.padEnd(count % 11 === 0 ? 300_000 : 500, '.'),
        })
      }
    })
    for (let count = 0; count < 4; count++) {
      const { exitCode, output, errors } = await verify()
      expect(errors).toBe('')
      expect(output).toMatch(/^0 problems$/m)
      expect(output).toMatch(/A node is running here/)
      expect(exitCode).toBe(0)
    }
    ending.abort()
    await Promise.all(writing)
  })

  it('on a node that was killed, before and after its next start', async () => {
    await storeEverything(await start())
    await node?.kill()
    expect(await verify()).toMatchObject({ exitCode: 0 })
    await start()
    expect(await verify()).toMatchObject({ exitCode: 0 })
    await stop()
    const { exitCode, output } = await verify('--json')
    expect(exitCode).toBe(0)
    expect(membersOf(JSON.parse(output))).toMatchObject({
      problems: 0,
      damages: [],
      isServed: false,
      reclaimable: { files: 0, bytes: 0 },
    })
  })

  it('tells damage with exit code 1, and changes nothing unless it is asked to', async () => {
    const account = await storeTwo()
    await stop()
    damage('the value that will be damaged')
    const { exitCode, output } = await verify()
    expect(exitCode).toBe(1)
    expect(output).toMatch(/^✗ value .* 1 problem$/m)
    expect(output).toMatch(
      /^kv_version \d+: value: the section at \d+ of pack \d+ fails its hash$/m,
    )
    expect(output).toMatch(/^1 problem$/m)
    const report = membersOf(JSON.parse((await verify('--json', '--quarantine')).output))
    expect(report).toMatchObject({ problems: 1, isQuarantined: true })

    await start({ TINYCLOUD_PROMETHEUS_PORT: METRICS_PORT })
    expect(await readMetric('tinycloud_quarantined_blocks')).toBe(1)
    expect(await get(account, 'broken')).toEqual(CORRUPT)
    expect(await get(account, 'whole')).toMatchObject({ status: 200 })
  })

  it('lets go of what is sound again', async () => {
    const account = await storeTwo()
    await stop()
    damage('the value that will be damaged')
    expect(await verify('--quarantine')).toMatchObject({ exitCode: 1 })
    damage('uhe value that will be damaged')
    expect(await verify('--quarantine')).toMatchObject({ exitCode: 0 })
    await start()
    expect(await get(account, 'broken')).toMatchObject({ status: 200 })
  })

  it('has exit code 2 where it cannot be done, and says why', async () => {
    const nothing = await verify()
    expect(nothing).toMatchObject({ exitCode: 2, output: '' })
    expect(nothing.errors).toMatch(/cannot be read/)
    const memory = await runInProcess(['verify'], { workingDirectory: directory })
    expect(memory).toMatchObject({ exitCode: 2, output: '' })
    expect(memory.errors).toMatch(/There is nothing to verify/)
    expect(await verify('--quick')).toMatchObject({ exitCode: 2, output: '' })

    await start()
    const served = await verify('--quarantine')
    expect(served.exitCode).toBe(2)
    expect(served.errors).toMatch(/The quarantine was not written/)
  })
})

describe('damage in a running node', () => {
  it('that a read meets is written down, told, and answered without a byte of it', async () => {
    const account = await storeTwo()
    await stop()
    damage('the value that will be damaged')
    await start({ TINYCLOUD_PROMETHEUS_PORT: METRICS_PORT, TINYCLOUD_STORAGE_SCRUB_MIB_PER_S: '0' })
    expect(await readMetric('tinycloud_quarantined_blocks')).toBe(0)
    expect(await get(account, 'broken')).toEqual(CORRUPT)
    await awaitMetric('tinycloud_quarantined_blocks', 1, 5000)
    expect(node?.output()).toMatch(/quarantined.*kv_version/)
    // Read again it is still one.
    expect(await get(account, 'broken')).toEqual(CORRUPT)
    expect(await readMetric('tinycloud_quarantined_blocks')).toBe(1)
    expect(await get(account, 'whole')).toEqual({ status: 200, text: 'the value that stays' })

    // A new value is a new version.
    if (!connections) throw new Error('not connected')
    const reply = await kv(connections, account, 'put', 'broken', { body: 'written anew' })
    expect(reply.status).toBe(200)
    expect(await get(account, 'broken')).toEqual({ status: 200, text: 'written anew' })
  })

  it('that a download meets breaks it off, and is written down', async () => {
    const account = await openAccount(await start())
    if (!connections) throw new Error('not connected')
    const value = Buffer.alloc(9_000_000, 1)
    value.write('here', 8_000_000)
    expect((await kv(connections, account, 'put', 'large', { body: value })).status).toBe(200)
    await stop()
    damage('here')
    await start({ TINYCLOUD_PROMETHEUS_PORT: METRICS_PORT, TINYCLOUD_STORAGE_SCRUB_MIB_PER_S: '0' })
    await expect(get(account, 'large')).rejects.toThrow(/closed|terminated|aborted|reset/i)
    await awaitMetric('tinycloud_quarantined_blocks', 1, 5000)
    expect(await get(account, 'large')).toEqual(CORRUPT)
  })

  it('that nobody reads is found by the scrub', async () => {
    const account = await storeTwo()
    await stop()
    damage('the value that will be damaged')
    await start({ TINYCLOUD_PROMETHEUS_PORT: METRICS_PORT })
    await awaitMetric('tinycloud_scrub_cycles', 1, SCRUB_WAIT_MS)
    expect(await readMetric('tinycloud_scrub_problems')).toBe(1)
    expect(await readMetric('tinycloud_quarantined_blocks')).toBe(1)
    expect(await readMetric('tinycloud_scrub_bytes')).toBeGreaterThan(1000)
    expect(node?.output()).toMatch(/quarantined.*kv_version/)
    expect(await get(account, 'broken')).toEqual(CORRUPT)
    expect(await get(account, 'whole')).toMatchObject({ status: 200 })
  }, 90_000)
})
