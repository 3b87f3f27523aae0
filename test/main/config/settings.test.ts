import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { type Environment, exactVariableOf, variableOf } from '../../../src/main/config/env.ts'
import { SETTING_KEYS, settingOf } from '../../../src/main/config/schema.ts'
import { type ReadSettings, readSettings } from '../../../src/main/config/settings.ts'
import { catchFault } from '../../_util/start-fault.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const read = (toml: string | undefined, environment: Environment = {}): ReadSettings => {
  if (toml !== undefined) writeFileSync(join(directory(), 'tinycloud.toml'), toml)
  return readSettings({ environment, workingDirectory: directory() })
}

const portOf = (toml: string, environment: Environment = {}): number =>
  read(toml, environment).settings.port

const problemsOf = (toml: string | undefined, environment: Environment = {}): string =>
  catchFault(() => read(toml, environment)).why

describe('defaults', () => {
  it('are those that users were promised', () => {
    const { settings, file, meaningless } = read(undefined)
    expect(file).toBeUndefined()
    expect(meaningless).toEqual([])
    expect(settings).toEqual({
      address: '127.0.0.1',
      port: 8000,
      cors: true,
      'http.trusted_proxies': 'none',
      log_level: 'normal',
      'log.format': 'text',
      'storage.datadir': null,
      'storage.database': null,
      'storage.blocks.type': 'local',
      'storage.blocks.path': null,
      'storage.limit': 0,
      'storage.history_limit': 0,
      'storage.history': 'none',
      'storage.reserve': 268_435_456,
      'storage.staging': 'memory',
      'storage.scrub_mib_per_s': 4,
      'keys.type': 'static',
      'keys.secret': null,
      'invocation.max_lifetime_secs': 300,
      'invocation.clock_skew_secs': 0,
      'kv.implicit_text': 'drop',
      'public_spaces.rate_limit_per_minute': 60,
      'public_spaces.rate_limit_burst': 10,
      'public_spaces.storage_limit': 10_485_760,
      'spaces.allowlist': 'none',
      'did.web': false,
      'ethereum.rpc_urls': 'none',
      'compute.workers': null,
      'telemetry.enabled': null,
      'prometheus.port': null,
    })
  })
})

describe('which one wins', () => {
  const LAYERS = [
    'port = 1001',
    '[default]\nport = 1002',
    '[release]\nport = 1003',
    '[global]\nport = 1004',
  ]

  it('the flat file, [default], [release], [global] in this order, wherever they stand in the file', () => {
    expect(portOf('')).toBe(8000)
    for (const [index] of LAYERS.entries()) {
      const layers = LAYERS.slice(0, index + 1)
      expect(portOf(layers.join('\n'))).toBe(1001 + index)
    }
    expect(portOf('[global]\nport = 1004\n[default]\nport = 1002')).toBe(1004)
  })

  it('[debug] is ignored, whatever is in it', () => {
    expect(portOf('port = 1001\n[debug]\nport = 1009\nnonsense = 1')).toBe(1001)
  })

  it('a variable wins over the file, and its __ form over its _ form', () => {
    const toml = '[global.storage]\nstaging = "Memory"'
    const single = { TINYCLOUD_STORAGE_STAGING: 'FileSystem' }
    const double = { TINYCLOUD_STORAGE__STAGING: 'Memory' }
    expect(read(toml, single).settings['storage.staging']).toBe('filesystem')
    expect(read(toml, { ...single, ...double }).settings['storage.staging']).toBe('memory')
    expect(read(toml, { ...double, ...single }).settings['storage.staging']).toBe('memory')
  })

  it('layers are merged key by key', () => {
    const { settings } = read(
      'storage.blocks.path = "a"\n[default.storage]\nstaging = "FileSystem"\n[global.storage.blocks]\ntype = "Local"',
      { TINYCLOUD_STORAGE_DATADIR: 'd' },
    )
    expect(settings['storage.blocks.path']).toBe('a')
    expect(settings['storage.staging']).toBe('filesystem')
    expect(settings['storage.datadir']).toBe('d')
  })
})

describe('the file', () => {
  it('is the nearest one, in the working directory or above it', () => {
    const inner = join(directory(), 'a/b')
    mkdirSync(inner, { recursive: true })
    writeFileSync(join(directory(), 'tinycloud.toml'), 'port = 1001')
    const readInner = (): ReadSettings => readSettings({ environment: {}, workingDirectory: inner })
    expect(readInner()).toMatchObject({
      settings: { port: 1001 },
      file: join(directory(), 'tinycloud.toml'),
    })
    writeFileSync(join(inner, 'tinycloud.toml'), 'port = 1002')
    expect(readInner()).toMatchObject({
      settings: { port: 1002 },
      file: join(inner, 'tinycloud.toml'),
    })
  })

  it('is the one that TINYCLOUD_CONFIG_FILE names, which must exist', () => {
    writeFileSync(join(directory(), 'other.toml'), 'port = 1003')
    expect(portOf('port = 1001', { TINYCLOUD_CONFIG_FILE: 'other.toml' })).toBe(1003)
    expect(portOf('port = 1001', { TINYCLOUD_CONFIG_FILE: join(directory(), 'other.toml') })).toBe(
      1003,
    )
    const fault = catchFault(() => read('', { TINYCLOUD_CONFIG_FILE: 'missing.toml' }))
    expect(fault.what).toContain(join(directory(), 'missing.toml'))
    expect(fault.what).toContain('does not exist')
  })

  it('that is no TOML is refused by line and column, without quoting the line, which may hold a secret', () => {
    const fault = catchFault(() => read('port = 1\nkeys.secret = "very secret" oops\n'))
    expect(fault.what).toContain('tinycloud.toml is not valid TOML')
    expect(fault.why).toContain('Line 2, column')
    expect(JSON.stringify(fault)).not.toContain('very secret')
  })

  it('that cannot be read, or is far too large, is refused', () => {
    mkdirSync(join(directory(), 'tinycloud.toml'))
    expect(catchFault(() => read(undefined)).what).toContain('cannot be read')
    writeFileSync(join(directory(), 'large.toml'), '#'.repeat(1024 * 1024 + 1))
    const environment = { TINYCLOUD_CONFIG_FILE: 'large.toml' }
    expect(catchFault(() => read(undefined, environment)).why).toContain('1048576 bytes')
  })

  it('may repeat no key and nest no deeper than the parser allows', () => {
    expect(catchFault(() => read('port = 1\nport = 2')).what).toContain('not valid TOML')
    expect(problemsOf(`a${'.a'.repeat(5000)} = 1`)).toContain('`a.a.a.a.a.a.a.a` is not known')
    expect(catchFault(() => read(`port = ${'['.repeat(50_000)}`)).what).toContain('not valid TOML')
  })

  it('with a profile that is no table is refused', () => {
    expect(problemsOf('default = 1')).toContain('`default` is a profile and must be a table')
  })
})

describe('variables', () => {
  it('have names that are computed from the keys, each for one key only', () => {
    expect(variableOf('storage.blocks.path')).toBe('TINYCLOUD_STORAGE_BLOCKS_PATH')
    expect(exactVariableOf('storage.blocks.path')).toBe('TINYCLOUD_STORAGE__BLOCKS__PATH')
    expect(variableOf('log_level')).toBe('TINYCLOUD_LOG_LEVEL')
    const owners = new Map<string, string>()
    for (const key of SETTING_KEYS)
      for (const variable of [variableOf(key), exactVariableOf(key)]) {
        expect(owners.get(variable) ?? key).toBe(key)
        owners.set(variable, key)
      }
  })

  it('reach every setting, in both forms', () => {
    const samples = { switch: 'true', text: 'text', number: '9', size: '9', history: '9' }
    for (const nameOf of [variableOf, exactVariableOf]) {
      const texts = SETTING_KEYS.map((key) => {
        const { format, choices = [] } = settingOf(key)
        return [key, format === 'choice' ? (choices.at(-1) ?? '') : samples[format]] as const
      })
      const environment = Object.fromEntries(texts.map(([key, text]) => [nameOf(key), text]))
      const { settings } = read(undefined, environment)
      const asTexts = SETTING_KEYS.map((key) => [key, String(settings[key])])
      expect(asTexts).toEqual(texts.map(([key, text]) => [key, text.toLowerCase()]))
    }
  })

  it('are found whatever their case, but not twice', () => {
    expect(read(undefined, { tinycloud_port: '1005' }).settings.port).toBe(1005)
    expect(problemsOf(undefined, { tinycloud_port: '1', TINYCLOUD_PORT: '2' })).toContain(
      'are the same variable',
    )
  })

  it('are parsed by the type of their key: a secret of digits stays text', () => {
    const { settings } = read(undefined, {
      TINYCLOUD_KEYS_SECRET: '1234',
      TINYCLOUD_STORAGE_DATADIR: 'true',
      TINYCLOUD_CORS: 'false',
    })
    expect(settings['keys.secret']).toBe('1234')
    expect(settings['storage.datadir']).toBe('true')
    expect(settings.cors).toBe(false)
  })

  it.each([
    ['TINYCLOUD_PORT', '80x'],
    ['TINYCLOUD_PORT', ''],
    ['TINYCLOUD_PORT', '8e3'],
    ['TINYCLOUD_PORT', '0x50'],
    ['TINYCLOUD_PORT', ' 80'],
    ['TINYCLOUD_PORT', '-1'],
    ['TINYCLOUD_PORT', '65536'],
    ['TINYCLOUD_CORS', 'yes'],
    ['TINYCLOUD_CORS', '1'],
    ['TINYCLOUD_STORAGE_DATADIR', ''],
    ['TINYCLOUD_STORAGE_STAGING', 'Disk'],
    ['TINYCLOUD_LOG_LEVEL', 'verbose'],
    ['TINYCLOUD_INVOCATION_MAX_LIFETIME_SECS', '0'],
    ['TINYCLOUD_COMPUTE_WORKERS', '0'],
  ])('%s=%j is refused, and the message names the variable', (variable, text) => {
    expect(problemsOf(undefined, { [variable]: text })).toMatch(
      new RegExp(`^${variable}: .* must `),
    )
  })
})

describe('values of the file', () => {
  it.each([
    ['port = 80.5', 'a whole number from 0 to 65535'],
    ['port = [80]', 'a whole number'],
    ['port = 1979-05-27', 'a whole number'],
    ['port = {}', 'a whole number'],
    ['cors = 1', 'true or false'],
    ['keys.secret = 12345678901234', 'a text in quotes'],
    ['storage.datadir = true', 'a text in quotes'],
    ['storage.staging = ["Memory"]', 'one of Memory, FileSystem'],
    ['storage.blocks.type = "S4"', 'one of Local'],
  ])('%s is refused', (toml, rule) => {
    expect(problemsOf(toml)).toContain(`must be ${rule}`)
  })

  it('are named with their place, and never if they are secret', () => {
    const why = problemsOf(
      '[global]\nport = 70000\nkeys.secret = 1234567890\nstorage.database = 11',
    )
    expect(why).toContain('tinycloud.toml [global]: `port` must be a whole number')
    expect(why).toContain('70000')
    expect(why).toContain('`keys.secret` must be a text in quotes')
    expect(why).not.toContain('1234567890')
    expect(why).not.toContain('value was 11')
  })

  it('of any length give a short message', () => {
    expect(problemsOf(`log_level = "${'x'.repeat(100_000)}"`).length).toBeLessThan(400)
  })

  it('may be spelled in any case where they are words', () => {
    expect(read('storage.staging = "fileSYSTEM"').settings['storage.staging']).toBe('filesystem')
    expect(read('keys.type = "static"').settings['keys.type']).toBe('static')
  })
})
