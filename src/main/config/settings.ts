/**
 * Merges everything that was written into one checked set of settings.
 *
 * Which one wins, lowest first (DESIGN §9): defaults, flat file, `[default]`, `[release]`, `[global]`, TINYCLOUD_A_B,
 * TINYCLOUD_A__B. Convict holds the table, merges the layers, parses variables by the type of their key, and checks.
 */
import convict from 'convict'

import { StartFault } from '../../workers/storage/request.ts'
import { type Environment, readVariables, variableOf } from './env.ts'
import { type Findings, noteUnknownName, type WrittenValue } from './findings.ts'
import { foreignKey } from './foreign-names.ts'
import { convictFormat, parseText } from './formats.ts'
import { nearestName } from './nearest-name.ts'
import {
  isSettingKey,
  type Setting,
  SETTING_KEYS,
  type SettingKey,
  settingOf,
  type Settings,
} from './schema.ts'
import { findConfigFile, isTable, readConfigFile } from './toml.ts'

export interface ConfigSource {
  readonly environment: Environment
  /** Absolute. Written paths are relative to it. */
  readonly workingDirectory: string
}

export interface ReadSettings {
  readonly settings: Settings
  /** The file that was read. */
  readonly file: string | undefined
  /** Names of the existing node that have no meaning here. */
  readonly meaningless: readonly string[]
}

/** Longest line of a problem; a value that was written may be of any length. */
const PROBLEM_CHARS_MAX = 300
const PROBLEMS_SHOWN_MAX = 20

/** @throws {StartFault} naming every problem at once */
export function readSettings(source: ConfigSource): ReadSettings {
  const findings: Findings = { problems: [], meaningless: [] }
  const variables = readVariables(source.environment, findings)
  const file = findConfigFile(variables.configFile, source.workingDirectory)
  const layers = file === undefined ? [] : readConfigFile(file, findings)
  const origins = new Map<SettingKey, string>()

  const config = createConvict(
    new Map([...variables.settings].map(([key, { text }]) => [key, text])),
  )
  for (const layer of layers) config.load(selectKnown(layer, origins, findings))
  for (const [key, { variable }] of variables.settings) origins.set(key, variable)
  findings.problems.push(...checkValues(config, origins))

  if (findings.problems.length > 0) throw configurationFault(findings.problems, file)
  const settings = Object.fromEntries(SETTING_KEYS.map((key) => [key, config.get(key)]))
  if (!areChecked(settings)) throw new Error('convict lost a setting')
  return { settings, file, meaningless: findings.meaningless }
}

/** The fault for values that are each well-formed and yet cannot be used. */
export function configurationFault(
  problems: readonly string[],
  file: string | undefined,
): StartFault {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  const shown = problems
    .slice(0, PROBLEMS_SHOWN_MAX)
    .map((problem) => problem.slice(0, PROBLEM_CHARS_MAX))
  const hidden = problems.length - shown.length
  const places = file === undefined ? 'the environment' : `${file} or the environment`
  return new StartFault({
    what: `The configuration has ${count}`,
    why: [...shown, ...(hidden > 0 ? [`… and ${hidden} more.`] : [])].join('\n'),
    remedy: `Correct it in ${places}. \`tinycloud help\` lists every setting.`,
  })
}

/** The nested table in convict's form. `texts` are the variables, which win over everything that is loaded. */
function createConvict(
  texts: ReadonlyMap<SettingKey, string>,
): convict.Config<Record<string, unknown>> {
  const entries = SETTING_KEYS.map((key): [string, convict.SchemaObj] => {
    const setting = settingOf(key)
    return [
      key,
      {
        ...setting,
        default: defaultOf(setting),
        format: convictFormat(setting.format),
        nullable: setting.default === null,
        sensitive: setting.isSecret === true,
        env: variableOf(key),
      },
    ]
  })
  const env = Object.fromEntries([...texts].map(([key, text]) => [variableOf(key), text]))
  return convict<Record<string, unknown>>(nest(entries), { env, args: [] })
}

/** As its format reads it: convict takes defaults as they are. */
const defaultOf = ({ default: value, format }: Setting): unknown =>
  typeof value === 'string' ? parseText(format, value) : value

/** Keeps the settings of a layer, nested; the rest goes into the findings. */
function selectKnown(
  layer: readonly WrittenValue[],
  origins: Map<SettingKey, string>,
  findings: Findings,
): Nested<unknown> {
  const known: [string, unknown][] = []
  for (const { key, value, origin } of layer) {
    if (isSettingKey(key)) {
      known.push([key, value])
      origins.set(key, origin)
    } else {
      noteUnknownKey({ key, value, origin }, findings)
    }
  }
  return nest(known)
}

function noteUnknownKey({ key, value, origin }: WrittenValue, findings: Findings): void {
  const shown = `${origin}: \`${key}\``
  if (SETTING_KEYS.some((known) => known.startsWith(`${key}.`))) {
    // An empty table sets nothing.
    if (!isTable(value)) findings.problems.push(`${shown} must be a table with settings in it.`)
    return
  }
  noteUnknownName(findings, {
    name: key,
    shown,
    foreign: foreignKey(key),
    nearest: () => `\`${nearestName(key, SETTING_KEYS)}\``,
  })
}

/** Convict reports one line for each wrong value: its key, the rule, and the value unless the setting is secret. */
function checkValues(
  config: convict.Config<Record<string, unknown>>,
  origins: ReadonlyMap<SettingKey, string>,
): string[] {
  try {
    config.validate({ allowed: 'strict' })
    return []
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return error.message.split('\n').map((line) => {
      const colon = line.indexOf(':')
      const key = line.slice(0, colon)
      const origin = isSettingKey(key) ? origins.get(key) : undefined
      return origin === undefined ? line : `${origin}: \`${key}\`${line.slice(colon + 1)}`
    })
  }
}

/** Convict has checked every value against the table from which this type is derived. */
const areChecked = (values: Readonly<Record<string, unknown>>): values is Settings =>
  SETTING_KEYS.every((key) => Object.hasOwn(values, key))

interface Nested<V> {
  [name: string]: V | Nested<V>
}

/** Dotted keys → nested objects. Keys are settings, hence never `__proto__`. */
function nest<V>(entries: readonly (readonly [key: string, value: V])[]): Nested<V> {
  const nested: Nested<V> = {}
  const tables = new Map<string, (readonly [string, V])[]>()
  for (const [key, value] of entries) {
    const dot = key.indexOf('.')
    if (dot === -1) {
      nested[key] = value
      continue
    }
    const name = key.slice(0, dot)
    const members = tables.get(name) ?? []
    members.push([key.slice(dot + 1), value])
    tables.set(name, members)
  }
  for (const [name, members] of tables) nested[name] = nest(members)
  return nested
}
