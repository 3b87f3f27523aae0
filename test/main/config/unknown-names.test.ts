/** What becomes of names that are no settings: typing errors, names of the existing node, parts that come later. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { type Environment } from '../../../src/main/config/env.ts'
import { nearestName } from '../../../src/main/config/nearest-name.ts'
import { type ReadSettings, readSettings } from '../../../src/main/config/settings.ts'
import { catchFault } from '../../_util/start-fault.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const read = (toml: string, environment: Environment = {}): ReadSettings => {
  writeFileSync(join(directory(), 'tinycloud.toml'), toml)
  return readSettings({ environment, workingDirectory: directory() })
}

const problemsOf = (toml: string, environment: Environment = {}): string =>
  catchFault(() => read(toml, environment)).why

describe('a typing error', () => {
  it.each([
    ['prot = 8001', 'port'],
    ['[storage]\ndatabse = "x"', 'storage.database'],
    ['[default.storage.block]\npath = "x"', 'storage.blocks.path'],
    ['[global]\nlog_levle = "debug"', 'log_level'],
    ['Port = 1', 'port'],
    ['secret = "x"', 'keys.secret'],
    ['datadir = "x"', 'storage.datadir'],
    ['[port]\nnumber = 1', 'port'],
  ])('%j is refused with the nearest known name', (toml, nearest) => {
    expect(problemsOf(toml)).toContain(`is not known. Did you mean \`${nearest}\`?`)
  })

  it.each([
    ['TINYCLOUD_PROT', 'TINYCLOUD_PORT'],
    ['TINYCLOUD_STORAGE_BLOCK_PATH', 'TINYCLOUD_STORAGE_BLOCKS_PATH'],
    ['TINYCLOUD_STORAGE__BLOCK__PATH', 'TINYCLOUD_STORAGE__BLOCKS__PATH'],
    ['TINYCLOUD_CONFIGFILE', 'TINYCLOUD_CONFIG_FILE'],
    ['tinycloud_secret', 'TINYCLOUD_KEYS_SECRET'],
    ['TINYCLOUD_', 'TINYCLOUD_PORT'],
  ])('%s is refused with the nearest variable', (variable, nearest) => {
    expect(problemsOf('', { [variable]: '1' })).toBe(
      `${variable} is not known. Did you mean ${nearest}?`,
    )
  })

  it('never shows the value of a variable: a secret may stand under a mistyped name', () => {
    const fault = catchFault(() => read('', { TINYCLOUD_KEYS_SECERT: 'hunter2hunter2' }))
    expect(JSON.stringify(fault)).not.toContain('hunter2')
  })

  it('of a table that is a value, or a value that is a table, is named as such', () => {
    expect(problemsOf('storage = "data"')).toContain('`storage` must be a table')
    expect(problemsOf('storage.blocks = []')).toContain('`storage.blocks` must be a table')
    expect(read('[storage]\n[keys]').settings.port).toBe(8000)
  })

  it('with the name of an inherited member is a typing error like any other', () => {
    for (const name of [
      '__proto__',
      'constructor',
      'toString',
      'storage.__proto__',
      'keys.constructor.prototype.x',
    ])
      expect(problemsOf(`${name} = 1`)).toContain('is not known')
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  })

  it('does not hide another: every problem is named at once', () => {
    const fault = catchFault(() => read('prot = 1\ncors = "x"', { TINYCLOUD_PROT: '1' }))
    expect(fault.what).toBe('The configuration has 3 problems')
    expect(fault.why.split('\n')).toHaveLength(3)
  })
})

describe('what limits or gates something and is not built', () => {
  it.each([
    ['storage.blocks.bucket = "b"', 'storage.blocks.bucket'],
    ['storage.blocks.endpoint = "http://127.0.0.1:9000"', 'storage.blocks.endpoint'],
    ['storage.sql.memory_threshold = "10 MiB"', 'storage.sql.memory_threshold'],
    ['hooks.max_ticket_ttl_seconds = 300', 'hooks.max_ticket_ttl_seconds'],
    ['limits.json = "1 MiB"', 'limits.json'],
    ['tls.key = "k.pem"', 'tls.key'],
  ])('stops the start: %s', (toml, key) => {
    for (const text of [toml, `[global]\n${toml}`])
      expect(problemsOf(text)).toMatch(
        new RegExp(`\`${key}\` sets .*which this version does not have`),
      )
  })

  it.each([
    'TINYCLOUD_STORAGE_BLOCKS_BUCKET',
    'TINYCLOUD_HOOKS__MAX_TICKET_TTL_SECONDS',
    'TINYCLOUD_QUOTA_URL',
    'TINYCLOUD_ADMIN_SECRET',
  ])('stops the start: %s', (variable) => {
    expect(problemsOf('', { [variable]: '10' })).toContain(`${variable} sets `)
  })

  it('says of S3 that it comes later', () => {
    expect(problemsOf('storage.blocks.type = "S3"')).toContain(
      'must be one of Local; S3 comes with a later version',
    )
  })
})

describe('names of the existing node that have no meaning here', () => {
  it('are collected and set nothing', () => {
    const { meaningless, settings } = read(
      [
        'workers = 4',
        'max_blocking = 512',
        '[global.relay]\naddress = "127.0.0.1"\nport = 8081',
        '[global.tee]\nmode = "Off"',
        '[global.log.tracing]\nenabled = true',
        '[global.database]\nmax_connections = 10',
        '[global.share_email]\nenabled = false',
      ].join('\n'),
      {
        TINYCLOUD_RELAY_PORT: '8081',
        TINYCLOUD_TEE_MODE: 'off',
        TINYCLOUD_LOG__TRACING__ENABLED: 'true',
        TINYCLOUD_DID_RESOLUTION_TIMEOUT_MS: '3000',
      },
    )
    expect(settings.port).toBe(8000)
    expect(meaningless.toSorted()).toEqual([
      'TINYCLOUD_DID_RESOLUTION_TIMEOUT_MS',
      'TINYCLOUD_LOG__TRACING__ENABLED',
      'TINYCLOUD_RELAY_PORT',
      'TINYCLOUD_TEE_MODE',
      'database.max_connections',
      'log.tracing.enabled',
      'max_blocking',
      'relay.address',
      'relay.port',
      'share_email.enabled',
      'tee.mode',
      'workers',
    ])
  })

  it('a family is not a prefix of letters', () => {
    expect(problemsOf('relays.port = 1')).toContain('is not known')
    expect(problemsOf('', { TINYCLOUD_RELAYS: '1' })).toContain('is not known')
  })

  it('variables of its web framework are not read, and the warning says what to set', () => {
    const { meaningless, settings } = read('', {
      ROCKET_ADDRESS: '0.0.0.0',
      ROCKET_PORT: '9',
      ROCKET_PROFILE: 'debug',
    })
    expect(settings).toMatchObject({ address: '127.0.0.1', port: 8000 })
    expect(meaningless).toEqual([
      'ROCKET_ADDRESS (set TINYCLOUD_ADDRESS instead)',
      'ROCKET_PORT (set TINYCLOUD_PORT instead)',
      'ROCKET_PROFILE',
    ])
  })
})

describe('nearestName', () => {
  it('counts left out, added, exchanged and swapped letters as one error each', () => {
    const known = ['address', 'port', 'cors', 'keys.secret']
    expect(nearestName('adress', known)).toBe('address')
    expect(nearestName('ports', known)).toBe('port')
    expect(nearestName('cars', known)).toBe('cors')
    expect(nearestName('prot', ['pro', 'port'])).toBe('pro')
    expect(nearestName('prot', ['boat', 'port'])).toBe('port')
    expect(nearestName('', known)).toBe('port')
    expect(nearestName('secert', known)).toBe('keys.secret')
  })

  it('takes a name of any length in bounded time', () => {
    const startedMs = performance.now()
    nearestName(
      'x'.repeat(1_000_000),
      Array.from({ length: 50 }, () => 'y'.repeat(60)),
    )
    expect(performance.now() - startedMs).toBeLessThan(1000)
  })
})
