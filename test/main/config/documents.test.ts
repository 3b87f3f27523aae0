/** The documents say what the program does: tinycloud.toml, README.md and docs/configuration.md against the settings. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { parseConfig, type ParsedConfig } from '../../../src/main/config/config.ts'
import { variableOf } from '../../../src/main/config/env.ts'
import { SETTING_KEYS, settingOf } from '../../../src/main/config/schema.ts'
import { PROJECT_ROOT } from '../../_util/paths.ts'
import { fullRows, shortRows } from '../../_util/settings-table.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const readDocument = (name: string): string => readFileSync(join(PROJECT_ROOT, name), 'utf8')

/** Rows of the table under the line that begins with `heading`. */
const tableRows = (document: string, heading: string): string[] => {
  const lines = readDocument(document).split('\n')
  const start = lines.findIndex((line) => line.startsWith(heading))
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 2, end)
}

const parseAt = (toml: string): ParsedConfig => {
  writeFileSync(join(directory(), 'tinycloud.toml'), toml)
  return parseConfig({ environment: {}, workingDirectory: directory() })
}

const SHIPPED = readDocument('tinycloud.toml')
const SETTING_LINE = /^(?:# )?(?<key>[a-z][a-z_.]*) = (?<value>"[^"]*"|\S+)/
const settingLines = SHIPPED.split('\n').flatMap((line) => {
  const groups = SETTING_LINE.exec(line)?.groups
  return groups === undefined ? [] : [{ line, key: groups['key'], value: groups['value'] }]
})

describe('tinycloud.toml', () => {
  it('sets the data directory and nothing else', () => {
    expect(
      settingLines.filter(({ line }) => !line.startsWith('#')).map(({ line }) => line),
    ).toEqual(['storage.datadir = "./data"'])
    expect(parseAt(SHIPPED).storage).toEqual({
      kind: 'kept',
      dataDirectory: join(directory(), 'data'),
      databasePath: join(directory(), 'data/caps.db'),
      blocksPath: join(directory(), 'data/blocks'),
    })
  })

  it('shows every setting once, with its default', () => {
    expect(settingLines.map(({ key }) => key)).toEqual(SETTING_KEYS)
    const defaults = SETTING_KEYS.map((key) => {
      const { default: fallback, sample } = settingOf(key)
      return `${key} = ${JSON.stringify(fallback ?? sample)}`
    })
    expect(settingLines.map(({ key, value }) => `${key} = ${value}`)).toEqual(defaults)
  })

  it('changes nothing when every default in it is uncommented', () => {
    const lines = settingLines.filter(
      ({ key }) => key !== 'keys.secret' && key !== 'compute.workers',
    )
    const uncommented = lines.map(({ line }) => line.replace(/^# /, '')).join('\n')
    expect(parseAt(uncommented)).toEqual(parseAt(SHIPPED))
  })

  it('shows a secret that is refused', () => {
    const line = settingLines.find(({ key }) => key === 'keys.secret')?.line ?? ''
    expect(() => parseAt(line.replace(/^# /, ''))).toThrow(/cannot be used/)
  })
})

describe('the tables of the documents', () => {
  it('docs/configuration.md has exactly the settings of the program', () => {
    expect(tableRows('docs/configuration.md', '| key | variable |')).toEqual(fullRows())
  })

  it('README.md has exactly the settings of the program', () => {
    expect(tableRows('README.md', '| key | default |')).toEqual(shortRows())
  })

  it('deploy/ names only variables that exist', () => {
    const files = ['deploy/tinycloud.service', 'deploy/Containerfile'].map(readDocument)
    const named = files.flatMap((text) => text.match(/TINYCLOUD_[A-Z_]+/g) ?? [])
    const known: readonly string[] = SETTING_KEYS.map(variableOf)
    expect(named).toContain('TINYCLOUD_STORAGE_DATADIR')
    expect(named.filter((variable) => !known.includes(variable))).toEqual([])
  })
})
