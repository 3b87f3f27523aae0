/**
 * Reads the environment: the only file that touches `process.env`.
 *
 * The names of the variables are computed from the settings: `storage.blocks.path` is TINYCLOUD_STORAGE_BLOCKS_PATH, or
 * TINYCLOUD_STORAGE__BLOCKS__PATH, which wins (DESIGN §9). Case does not matter (reference-behaviour §5.1).
 */
import { type Findings, noteUnknownName } from './findings.ts'
import { foreignVariable } from './foreign-names.ts'
import { nearestName } from './nearest-name.ts'
import { SETTING_KEYS, type SettingKey } from './schema.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The variables that set something. */
export interface Variables {
  /** Value of TINYCLOUD_CONFIG_FILE. */
  readonly configFile: string | undefined
  readonly settings: ReadonlyMap<SettingKey, { readonly text: string; readonly variable: string }>
}

const PREFIX = 'TINYCLOUD_'
const CONFIG_FILE_VARIABLE = 'TINYCLOUD_CONFIG_FILE'

/** Variables of the existing node's web framework, which its containers set, and what to set here instead. */
const FRAMEWORK_PREFIX = 'ROCKET_'
const FRAMEWORK_SETTINGS: Readonly<Record<string, SettingKey>> = {
  ROCKET_ADDRESS: 'address',
  ROCKET_PORT: 'port',
  ROCKET_LOG_LEVEL: 'log_level',
}

/** The environment of this process. */
export const processEnvironment = (): Environment => process.env

/** The variable of a setting, as documentation shows it: TINYCLOUD_A_B. */
export const variableOf = (key: SettingKey): string =>
  PREFIX + key.replaceAll('.', '_').toUpperCase()

/** The form with one `__` per dot: TINYCLOUD_A__B. */
export const exactVariableOf = (key: SettingKey): string =>
  PREFIX + key.replaceAll('.', '__').toUpperCase()

/** Every known variable, lowest precedence first for each key. */
const KEY_BY_VARIABLE: ReadonlyMap<string, SettingKey> = new Map(
  [variableOf, exactVariableOf].flatMap((nameOf) =>
    SETTING_KEYS.map((key): [string, SettingKey] => [nameOf(key), key]),
  ),
)

/** Sorts the variables into settings, and into findings what sets nothing. Values are not looked at. */
export function readVariables(environment: Environment, findings: Findings): Variables {
  const written = new Map<string, { text: string; variable: string }>()
  for (const [variable, text] of Object.entries(environment)) {
    const name = variable.toUpperCase()
    if (text === undefined) continue
    if (name.startsWith(FRAMEWORK_PREFIX))
      findings.meaningless.push(describeFrameworkVariable(name))
    if (!name.startsWith(PREFIX)) continue
    const twin = written.get(name)
    if (twin !== undefined)
      findings.problems.push(
        `${variable} and ${twin.variable} are the same variable: unset one of them.`,
      )
    written.set(name, { text, variable })
    if (KEY_BY_VARIABLE.has(name) || name === CONFIG_FILE_VARIABLE) continue
    noteUnknownName(findings, {
      name: variable,
      shown: variable,
      foreign: foreignVariable(name),
      nearest: () => findNearestVariable(name),
    })
  }
  const settings = new Map<SettingKey, { text: string; variable: string }>()
  for (const [name, key] of KEY_BY_VARIABLE) {
    const value = written.get(name)
    if (value !== undefined) settings.set(key, value)
  }
  return { configFile: written.get(CONFIG_FILE_VARIABLE)?.text, settings }
}

function findNearestVariable(name: string): string {
  const known = [...KEY_BY_VARIABLE.keys(), CONFIG_FILE_VARIABLE].map(withoutPrefix)
  return PREFIX + nearestName(withoutPrefix(name), known)
}

const withoutPrefix = (variable: string): string => variable.slice(PREFIX.length)

function describeFrameworkVariable(name: string): string {
  const key = Object.hasOwn(FRAMEWORK_SETTINGS, name) ? FRAMEWORK_SETTINGS[name] : undefined
  return key === undefined ? name : `${name} (set ${variableOf(key)} instead)`
}
