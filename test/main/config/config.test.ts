import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { openConfig, type OpenedConfig, parseConfig } from '../../../src/main/config/config.ts'
import { type Environment } from '../../../src/main/config/env.ts'
import { catchFault } from '../../_util/start-fault.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const SECRET = Buffer.alloc(32, 7).toString('base64url')

const open = (environment: Environment): OpenedConfig =>
  openConfig(parseConfig({ environment, workingDirectory: directory() }))

const problemOf = (environment: Environment): string =>
  catchFault(() => parseConfig({ environment, workingDirectory: directory() })).why

const metricsPort = (environment: Environment): number | undefined =>
  parseConfig({ environment, workingDirectory: directory() }).general.metricsPort

describe('a node that keeps its data', () => {
  it('gets absolute paths to directories that exist, for its user alone, and a secret', () => {
    const { config, secrets, newSecretPath, warnings } = open({ TINYCLOUD_STORAGE_DATADIR: 'a/b' })
    const dataDirectory = join(directory(), 'a/b')
    expect(config).toEqual({
      address: '127.0.0.1',
      port: 8000,
      cors: true,
      trustedProxies: [],
      log: { level: 'normal', format: 'text' },
      database: { type: 'sqlite', path: join(dataDirectory, 'caps.db') },
      blocks: { type: 'local', path: join(dataDirectory, 'blocks') },
      temporaryDirectory: undefined,
      staging: 'memory',
      scrubBytesPerS: 4 * 1024 * 1024,
      spaceLimits: { liveBytes: Infinity, publicLiveBytes: 10_485_760, historyBytes: Infinity },
      keepRule: { kind: 'none' },
      reserveBytes: 268_435_456,
      invocation: { lifetimeMaxS: 300, clockSkewS: 0 },
      kv: { implicitText: 'drop' },
      publicSpaces: { perMinute: 60, burst: 10 },
      allowlistUrl: undefined,
      didWeb: false,
      computeWorkers: Math.max(1, availableParallelism() - 1),
      metricsPort: undefined,
    })
    expect(statSync(config.blocks.path).mode & 0o777).toBe(0o700)
    expect(newSecretPath).toBe(join(dataDirectory, 'secret'))
    expect(secrets.nodeSecret).toHaveLength(32)
    expect(warnings).toEqual([])

    const again = open({ TINYCLOUD_STORAGE_DATADIR: 'a/b' })
    expect(again.secrets).toEqual(secrets)
    expect(again.newSecretPath).toBeUndefined()
  })

  it('creates the directories of a written database and of written blocks', () => {
    const { config, newSecretPath } = open({
      TINYCLOUD_STORAGE_DATABASE: 'sqlite:x/y/caps.db',
      TINYCLOUD_STORAGE_BLOCKS_PATH: 'z/blocks',
    })
    expect(config.database.path).toBe(join(directory(), 'x/y/caps.db'))
    expect(existsSync(join(directory(), 'x/y'))).toBe(true)
    expect(existsSync(join(directory(), 'z/blocks'))).toBe(true)
    expect(newSecretPath).toBe(join(directory(), 'x/y/secret'))
  })

  it('generates nothing when keys.secret is written', () => {
    const { secrets, newSecretPath } = open({
      TINYCLOUD_STORAGE_DATADIR: 'data',
      TINYCLOUD_KEYS_SECRET: SECRET,
    })
    expect(Buffer.from(secrets.nodeSecret).equals(Buffer.alloc(32, 7))).toBe(true)
    expect(newSecretPath).toBeUndefined()
    expect(readdirSync(join(directory(), 'data'))).toEqual(['blocks'])
  })

  it('is refused before anything is created', () => {
    expect(() =>
      open({ TINYCLOUD_STORAGE_DATADIR: 'data', TINYCLOUD_KEYS_SECRET: 'short' }),
    ).toThrow(/cannot be used/)
    expect(() => open({ TINYCLOUD_STORAGE_DATADIR: 'data', TINYCLOUD_PORT: 'x' })).toThrow(
      /has a problem/,
    )
    expect(readdirSync(directory())).toEqual([])
  })

  it('is refused when a directory cannot be created, by name', () => {
    writeFileSync(join(directory(), 'file'), '')
    const fault = catchFault(() => open({ TINYCLOUD_STORAGE_DATADIR: 'file/data' }))
    expect(fault.what).toBe(`The directory ${join(directory(), 'file/data')} cannot be created`)
    expect(fault.why).toContain('ENOTDIR')
    expect(fault.remedy).toContain('storage.datadir')
  })
})

describe('a node that keeps nothing', () => {
  it('lies in a private directory with a secret of its own, and says so', () => {
    const first = open({})
    const second = open({
      TINYCLOUD_STORAGE_DATABASE: 'sqlite::memory:',
      TINYCLOUD_STORAGE_DATADIR: 'data',
    })
    try {
      const path = first.config.temporaryDirectory ?? ''
      expect(statSync(path).mode & 0o777).toBe(0o700)
      expect(dirname(path)).toBe(existsSync('/dev/shm') ? '/dev/shm' : tmpdir())
      expect(first.config.database.path).toBe(join(path, 'caps.db'))
      expect(statSync(first.config.blocks.path).isDirectory()).toBe(true)
      expect(first.secrets.nodeSecret).toHaveLength(32)
      expect(second.secrets.nodeSecret).not.toEqual(first.secrets.nodeSecret)
      expect(second.config.temporaryDirectory).not.toBe(path)
      for (const { warnings, newSecretPath } of [first, second]) {
        expect(warnings.join()).toContain('Nothing will be kept')
        expect(warnings.join()).toContain('TINYCLOUD_STORAGE_DATADIR')
        expect(newSecretPath).toBeUndefined()
      }
      expect(readdirSync(directory())).toEqual([])
    } finally {
      for (const { config } of [first, second])
        rmSync(config.temporaryDirectory ?? '', { recursive: true, force: true })
    }
  })
})

describe('metrics', () => {
  it('listen only if they are switched on or have a port', () => {
    expect(metricsPort({})).toBeUndefined()
    expect(metricsPort({ TINYCLOUD_TELEMETRY_ENABLED: 'true' })).toBe(8001)
    expect(metricsPort({ TINYCLOUD_PROMETHEUS_PORT: '9100' })).toBe(9100)
    expect(
      metricsPort({ TINYCLOUD_PROMETHEUS_PORT: '9100', TINYCLOUD_TELEMETRY_ENABLED: 'true' }),
    ).toBe(9100)
    expect(
      metricsPort({ TINYCLOUD_PROMETHEUS_PORT: '9100', TINYCLOUD_TELEMETRY_ENABLED: 'false' }),
    ).toBeUndefined()
  })

  it('cannot have the port of the node', () => {
    expect(metricsPort({ TINYCLOUD_PORT: '8001' })).toBeUndefined()
    expect(problemOf({ TINYCLOUD_PORT: '8001', TINYCLOUD_TELEMETRY_ENABLED: 'true' })).toContain(
      'prometheus.port: the metrics cannot listen on 8001',
    )
    expect(problemOf({ TINYCLOUD_PROMETHEUS_PORT: '8000' })).toContain('8000')
    expect(metricsPort({ TINYCLOUD_PORT: '0', TINYCLOUD_PROMETHEUS_PORT: '0' })).toBe(0)
  })
})

describe('the frozen configuration', () => {
  it('takes every setting', () => {
    const { general } = parseConfig({
      environment: {
        TINYCLOUD_ADDRESS: '::1',
        TINYCLOUD_PORT: '8002',
        TINYCLOUD_CORS: 'false',
        TINYCLOUD_HTTP_TRUSTED_PROXIES: '127.0.0.1, fd00::/8',
        TINYCLOUD_LOG_LEVEL: 'debug',
        TINYCLOUD_LOG_FORMAT: 'Json',
        TINYCLOUD_STORAGE_HISTORY: '30 days',
        TINYCLOUD_STORAGE_STAGING: 'FileSystem',
        TINYCLOUD_STORAGE_SCRUB_MIB_PER_S: '2',
        TINYCLOUD_INVOCATION_MAX_LIFETIME_SECS: '60',
        TINYCLOUD_INVOCATION_CLOCK_SKEW_SECS: '5',
        TINYCLOUD_KV_IMPLICIT_TEXT: 'keep',
        TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_PER_MINUTE: '6',
        TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_BURST: '0',
        TINYCLOUD_SPACES_ALLOWLIST: 'http://127.0.0.1:3000/spaces',
        TINYCLOUD_DID_WEB: 'true',
        TINYCLOUD_COMPUTE_WORKERS: '3',
      },
      workingDirectory: directory(),
    })
    expect(general).toEqual({
      address: '::1',
      port: 8002,
      cors: false,
      trustedProxies: [
        { family: 'ipv4', address: '127.0.0.1', prefixBits: 32 },
        { family: 'ipv6', address: 'fd00::', prefixBits: 8 },
      ],
      log: { level: 'debug', format: 'json' },
      staging: 'file',
      scrubBytesPerS: 2 * 1024 * 1024,
      spaceLimits: { liveBytes: Infinity, publicLiveBytes: 10_485_760, historyBytes: Infinity },
      keepRule: { kind: 'time', seconds: 2_592_000 },
      reserveBytes: 268_435_456,
      invocation: { lifetimeMaxS: 60, clockSkewS: 5 },
      kv: { implicitText: 'keep' },
      publicSpaces: { perMinute: 6, burst: 0 },
      allowlistUrl: 'http://127.0.0.1:3000/spaces',
      didWeb: true,
      computeWorkers: 3,
      metricsPort: undefined,
    })
  })

  it('cannot be changed, and holds no secret', () => {
    const { config } = open({ TINYCLOUD_STORAGE_DATADIR: 'data', TINYCLOUD_KEYS_SECRET: SECRET })
    expect(Object.isFrozen(config)).toBe(true)
    const { log, database, blocks, invocation, trustedProxies, publicSpaces } = config
    for (const part of [log, database, blocks, invocation, config.kv, trustedProxies, publicSpaces])
      expect(Object.isFrozen(part)).toBe(true)
    expect(JSON.stringify(config)).not.toContain(SECRET)
  })

  it('leaves the URLs of chains to the secrets, because they often hold a key', () => {
    const { config, secrets } = open({ TINYCLOUD_ETHEREUM_RPC_URLS: '1=https://rpc.example/key' })
    expect([...secrets.rpcUrls]).toEqual([['1', 'https://rpc.example/key']])
    expect(JSON.stringify(config)).not.toContain('rpc.example')
  })

  it('comes with one warning for all names that have no meaning', () => {
    const { warnings } = parseConfig({
      environment: { TINYCLOUD_RELAY_PORT: '1', ROCKET_ADDRESS: '0.0.0.0' },
      workingDirectory: directory(),
    })
    expect(warnings).toEqual([
      'These names have no meaning on this node and set nothing: TINYCLOUD_RELAY_PORT, ROCKET_ADDRESS (set TINYCLOUD_ADDRESS instead).',
    ])
  })
})
