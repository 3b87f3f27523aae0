/** The node in this process over real workers: what it opens, refuses to open, and closes. The program: test/node/serve.test.ts. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { mkdirSync, writeFileSync } from 'node:fs'

import { afterEach, describe, expect, it } from 'vitest'

import { type NodeConfig } from '../../src/main/config/node-config.ts'
import { StartFault } from '../../src/workers/storage/request.ts'
import { createLogger } from '../../src/main/logger.ts'
import { type RunningNode, startNode } from '../../src/main/start.ts'
import { NOTHING_KEPT } from '../../src/workers/keep-rule.ts'
import { NO_SPACE_LIMITS } from '../../src/workers/space-limits.ts'
import { talk } from '../_util/stand-in-node.ts'
import { useTemporaryDirectory } from '../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const opened: RunningNode[] = []
afterEach(async () => {
  for (const node of opened.splice(0)) await node.close()
})

const SECRET = new Uint8Array(32).fill(9)

function createConfig(changes: Partial<NodeConfig> = {}): NodeConfig {
  const blocks = join(directory(), 'blocks')
  mkdirSync(blocks, { recursive: true })
  return {
    address: '127.0.0.1',
    port: 0,
    cors: true,
    trustedProxies: [],
    log: { level: 'debug', format: 'json' },
    database: { type: 'sqlite', path: join(directory(), 'caps.db') },
    blocks: { type: 'local', path: blocks },
    temporaryDirectory: undefined,
    staging: 'memory',
    scrubBytesPerS: 0,
    spaceLimits: NO_SPACE_LIMITS,
    keepRule: NOTHING_KEPT,
    reserveBytes: 0,
    invocation: { lifetimeMaxS: 300, clockSkewS: 0 },
    kv: { implicitText: 'drop' },
    publicSpaces: { perMinute: 60, burst: 10 },
    allowlistUrl: undefined,
    didWeb: false,
    computeWorkers: 1,
    metricsPort: undefined,
    ...changes,
  }
}

async function start(
  changes: Partial<NodeConfig> = {},
  lines: string[] = [],
): Promise<RunningNode> {
  const config = createConfig(changes)
  const log = createLogger(config.log, { write: (line) => void lines.push(line) })
  const secrets = { nodeSecret: SECRET, rpcUrls: new Map<string, string>() }
  const node = await startNode(config, secrets, { log, version: '1.2.3' })
  opened.push(node)
  return node
}

/** A port that something else holds, until the test ends. */
async function takePort(): Promise<{ port: number; release: () => void }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return { port: address.port, release: () => server.close() }
}

describe('startNode', () => {
  it('serves on the port that it names, and says what it is', async () => {
    const node = await start()
    expect(node.url).toBe(`http://127.0.0.1:${node.port}`)
    const info = await (await fetch(`${node.url}/version`)).json()
    expect(info).toEqual({
      protocol: 1,
      version: '1.2.3',
      features: ['kv', 'delegation', 'sharing', 'signed-urls'],
      nodeId: expect.stringMatching(/^did:key:z6Mk/),
      inTEE: false,
    })
    expect((await fetch(`${node.url}/healthz?write=1`)).status).toBe(200)
  })

  it('refuses a port that is taken, with nothing left open', async () => {
    const { port, release } = await takePort()
    await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await expect(start({ metricsPort: port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    release()
    const node = await start({ port })
    expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
  })

  it('gives the reason of storage when that cannot start', async () => {
    writeFileSync(
      join(directory(), 'caps.db'),
      'this is not a database, but it is long enough to be looked at'.repeat(100),
    )
    await expect(start()).rejects.toBeInstanceOf(StartFault)
  })

  it('refuses a second node on the same data, and takes it over after the first was closed', async () => {
    const first = await start()
    await expect(start()).rejects.toBeInstanceOf(StartFault)
    expect(await first.close()).toEqual({ clean: true })
    const second = await start()
    expect((await fetch(`${second.url}/healthz`)).status).toBe(200)
  })

  it('logs one line per request, without query, token or body', async () => {
    const lines: string[] = []
    const node = await start({}, lines)
    await fetch(`${node.url}/healthz?hidden=query`)
    await fetch(`${node.url}/invoke`, {
      method: 'POST',
      headers: { authorization: 'hidden.token.here' },
      body: 'hidden',
    })
    const requests = lines
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter(({ msg }) => msg === 'request')
    expect(
      requests.map(({ method, route, status, code }) => [method, route, status, code]),
    ).toEqual([
      ['GET', '/healthz', 200, undefined],
      ['POST', '/invoke', 401, 'TOKEN_MALFORMED'],
    ])
    expect(lines.join('')).not.toContain('hidden')
  })
})

describe('metrics', () => {
  it('are served on any path of their own port, and nowhere else', async () => {
    const { port: metricsPort, release } = await takePort()
    release()
    const node = await start({ metricsPort })
    await fetch(`${node.url}/version`)
    await fetch(`${node.url}/nothing`)
    await fetch(`${node.url}/invoke`, { method: 'POST', headers: { authorization: 'a.b.c' } })
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/anything`)
    expect(answer.headers.get('content-type')).toContain('version=0.0.4')
    const text = await answer.text()
    for (const line of [
      'tinycloud_http_request_duration_seconds_count{method="GET",route="/version",status="200"} 1',
      'tinycloud_http_request_duration_seconds_count{method="GET",route="<unmatched>",status="404"} 1',
      'tinycloud_refusals_total{code="TOKEN_MALFORMED"} 1',
      'tinycloud_compute_batch_entries_count 1',
      'tinycloud_compute_workers 1',
      'tinycloud_storage_writable 1',
      'tinycloud_admission_operations 0',
      'tinycloud_storage{counter="mailbox_items"} 0',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    expect(text).toContain('process_resident_memory_bytes')
    expect((await fetch(`${node.url}/metrics`)).status).toBe(404)
  })
})

describe('close', () => {
  it('is clean, closes idle connections at once, and may be called twice', async () => {
    const node = await start()
    const idle = talk(node.port, ['GET /version HTTP/1.1\r\nhost: x\r\n\r\n'])
    await new Promise((wake) => setTimeout(wake, 100))
    const startedMs = performance.now()
    const [first, second] = await Promise.all([node.close(), node.close()])
    expect([first, second]).toEqual([{ clean: true }, { clean: true }])
    expect((await idle).end).toBe('closed')
    expect(performance.now() - startedMs).toBeLessThan(3000)
    await expect(fetch(`${node.url}/version`)).rejects.toThrow('fetch failed')
  })

  it('lets a request that is arriving end, and closes its connection after the answer', async () => {
    const node = await start()
    const slow = talk(node.port, [
      'POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: a.b.c\r\ncontent-length: 4\r\n\r\nab',
      300,
      'cd',
    ])
    await new Promise((wake) => setTimeout(wake, 100))
    const closed = await node.close()
    const { text, end } = await slow
    expect(text).toMatch(/^HTTP\/1\.1 401 /)
    expect(text.toLowerCase()).toContain('connection: close')
    expect([end, closed.clean]).toEqual(['closed', true])
  })

  it('resets what is still arriving at half time, and is clean in the end', async () => {
    const node = await start()
    const stuck = talk(
      node.port,
      ['POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: a.b.c\r\ncontent-length: 4\r\n\r\nab'],
      { timeoutMs: 15_000 },
    )
    await new Promise((wake) => setTimeout(wake, 100))
    const startedMs = performance.now()
    expect(await node.close()).toEqual({ clean: true })
    const tookMs = performance.now() - startedMs
    expect(tookMs).toBeGreaterThan(4000)
    expect(tookMs).toBeLessThan(9000)
    expect((await stuck).end).not.toBe('late')
  })
})
