/** The program from its start to its end: what it says, keeps and removes, and the demo against it. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'

import { DEMO_STEPS } from '../../src/main/commands/demo-steps.ts'
import { runInProcess } from '../_util/command-run.ts'
import {
  type NodeProcess,
  type NodeProcessOptions,
  startNodeProcess,
} from '../_util/node-process.ts'
import { PROJECT_ROOT } from '../_util/paths.ts'
import { useTemporaryDirectory } from '../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const started: NodeProcess[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map((node) => node.kill()))
})

const start = async (options: Partial<NodeProcessOptions> = {}): Promise<NodeProcess> => {
  const node = await startNodeProcess({ directory: directory(), computeWorkers: 1, ...options })
  started.push(node)
  return node
}

/** Starts the program where it must not start, and gives what it said. */
const startInVain = (
  environment: Readonly<Record<string, string>>,
): Promise<{ code: unknown; errors: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(PROJECT_ROOT, 'src/main/index.ts')],
      { cwd: directory(), env: environment, timeout: 15_000 },
      (error, _output, errors) => resolve({ code: error?.code ?? 0, errors }),
    )
  })

const dataDirectory = (): string => join(directory(), 'data')

const findFreePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('a node that keeps its data', () => {
  it('says once where its new secret lies, and never the secret', async () => {
    const first = await start()
    expect(first.output()).toContain('back this up')
    const path = join(dataDirectory(), 'secret')
    expect(first.output()).toContain(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const secret = readFileSync(path, 'utf8').trim()
    const info = await (await fetch(`${first.url}/info`)).text()
    expect(await first.stop()).toEqual({ code: 0, signal: null })

    const second = await start()
    expect(second.output()).not.toContain('back this up')
    expect(await (await fetch(`${second.url}/info`)).text()).toBe(info)
    for (const node of [first, second]) expect(node.output()).not.toContain(secret)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('ends on %s with 0', async (signal) => {
    const node = await start()
    process.kill(node.pid, signal)
    expect(await node.exited).toEqual({ code: 0, signal: null })
    await expect(fetch(`${node.url}/healthz`)).rejects.toThrow('fetch failed')
  })

  it('takes a signal that npm passes on as the same one', async () => {
    const node = await start()
    process.kill(node.pid, 'SIGINT')
    process.kill(node.pid, 'SIGINT')
    expect(await node.exited).toEqual({ code: 0, signal: null })
  })

  it('does not let a second process on its data directory start', async () => {
    const node = await start()
    const { code, errors } = await startInVain({
      TINYCLOUD_PORT: '0',
      TINYCLOUD_STORAGE_DATADIR: dataDirectory(),
    })
    expect(code).toBe(1)
    expect(errors).toContain('✗ ')
    expect(errors).toContain(dataDirectory())
    expect((await fetch(`${node.url}/healthz?write=1`)).status).toBe(200)
  })

  it('does not start with another secret than before', async () => {
    await (await start()).stop()
    const { code, errors } = await startInVain({
      TINYCLOUD_PORT: '0',
      TINYCLOUD_STORAGE_DATADIR: dataDirectory(),
      TINYCLOUD_KEYS_SECRET: Buffer.alloc(32, 7).toString('base64url'),
    })
    expect(code).toBe(1)
    expect(errors).toContain('secret')
    expect(errors).toContain('What to do:')
  })

  it('serves metrics on a port of their own once that port is written', async () => {
    const port = await findFreePort()
    const node = await start({ environment: { TINYCLOUD_PROMETHEUS_PORT: String(port) } })
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toMatch(/^# TYPE \w+ (?:counter|gauge|histogram)$/m)
    expect((await fetch(`${node.url}/metrics`)).status).toBe(404)
  })
})

describe('a node that keeps nothing', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('removes what it wrote on %s', async (signal) => {
    const node = await start({ environment: { TINYCLOUD_STORAGE_DATABASE: 'sqlite::memory:' } })
    expect(node.output()).toContain('Nothing will be kept')
    const place = dirname(/database=(\S+)/.exec(node.output())?.[1] ?? '')
    expect(existsSync(join(place, 'caps.db'))).toBe(true)
    expect((await runInProcess(['demo', node.url])).exitCode).toBe(0)
    process.kill(node.pid, signal)
    expect(await node.exited).toEqual({ code: 0, signal: null })
    expect(existsSync(place)).toBe(false)
    expect(readdirSync(directory())).toEqual([])
  })
})

describe('tinycloud demo', () => {
  it('shows every step against a running node, and again', async () => {
    const node = await start()
    for (const argv of [
      ['demo', node.url],
      ['demo', '--verbose', `${node.url}/`],
    ]) {
      const { exitCode, output, errors } = await runInProcess(argv)
      expect(errors).toBe('')
      expect(exitCode).toBe(0)
      const names = [...output.matchAll(/^✓ (\w+)/gm)].map(([, name]) => name)
      expect(names).toEqual(DEMO_STEPS.map(({ name }) => name))
      expect(output).toContain(`The node at ${node.url} works: ${DEMO_STEPS.length} steps`)
    }
  })
})
