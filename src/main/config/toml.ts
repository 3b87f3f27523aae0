/**
 * Reads tinycloud.toml into layers, lowest first (DESIGN §9): what stands outside of any profile, `[default]`,
 * `[release]`, `[global]`. `[debug]` is skipped: it is for debug builds of the existing node (reference-behaviour §5.1).
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { parse, TomlError } from 'smol-toml'

import { StartFault } from '../../workers/storage/request.ts'
import { type Findings, type WrittenValue } from './findings.ts'

const FILE_NAME = 'tinycloud.toml'
const FILE_BYTES_MAX = 1024 * 1024
/** Settings have at most three. */
const KEY_LEVELS_MAX = 8
const PROFILES = ['default', 'release', 'global'] as const
const SKIPPED_PROFILE = 'debug'

export type ConfigLayer = readonly WrittenValue[]

/**
 * The file to read: `named` (TINYCLOUD_CONFIG_FILE) if given, else the nearest tinycloud.toml in the working directory
 * or above it (reference-behaviour §5.1); undefined: there is none, which is fine.
 * @throws {StartFault} when a named file is not there
 */
export function findConfigFile(
  named: string | undefined,
  workingDirectory: string,
): string | undefined {
  if (named !== undefined) {
    const path = resolve(workingDirectory, named)
    if (!existsSync(path)) throw missingFileFault(path)
    return path
  }
  let directory = workingDirectory
  for (;;) {
    const path = join(directory, FILE_NAME)
    if (existsSync(path)) return path
    const parent = dirname(directory)
    if (parent === directory) return undefined
    directory = parent
  }
}

/** @throws {StartFault} when it cannot be read or is no TOML */
export function readConfigFile(path: string, findings: Findings): ConfigLayer[] {
  const document = parseToml(path)
  const flat: WrittenValue[] = []
  const profiles = new Map<string, WrittenValue[]>(PROFILES.map((name) => [name, []]))
  for (const [name, value] of Object.entries(document)) {
    if (name !== SKIPPED_PROFILE && !profiles.has(name)) {
      flatten({ key: name, value, origin: path }, flat)
    } else if (!isTable(value)) {
      findings.problems.push(
        `${path}: \`${name}\` is a profile and must be a table, as in [${name}].`,
      )
    } else {
      const layer = profiles.get(name)
      if (layer === undefined) continue
      const origin = `${path} [${name}]`
      for (const [key, member] of Object.entries(value))
        flatten({ key, value: member, origin }, layer)
    }
  }
  return [flat, ...profiles.values()]
}

function parseToml(path: string): Record<string, unknown> {
  let text: string
  try {
    if (statSync(path).size > FILE_BYTES_MAX)
      throw new RangeError(`it has more than ${FILE_BYTES_MAX} bytes`)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new StartFault(
      {
        what: `The configuration file ${path} cannot be read`,
        why: error instanceof Error ? error.message : String(error),
        remedy:
          'Make it readable for the user that runs the node, or name another one in TINYCLOUD_CONFIG_FILE.',
      },
      { cause: error },
    )
  }
  try {
    return parse(text)
  } catch (error) {
    throw new StartFault({
      what: `The configuration file ${path} is not valid TOML`,
      why: describeSyntaxError(error),
      remedy: 'Correct that line. Texts stand in quotes: address = "127.0.0.1"',
    })
  }
}

/** The parser's first line only: the rest quotes the file, which may hold the secret. */
function describeSyntaxError(error: unknown): string {
  if (!(error instanceof TomlError)) return String(error)
  const reason = error.message.split('\n', 1)[0] ?? ''
  return `Line ${error.line}, column ${error.column}: ${reason}`
}

/** Below the deepest level a table counts as a value, whose name is then not known. */
function flatten({ key, value, origin }: WrittenValue, into: WrittenValue[], level = 1): void {
  const members = isTable(value) && level < KEY_LEVELS_MAX ? Object.entries(value) : []
  if (members.length === 0) into.push({ key, value, origin })
  for (const [name, member] of members)
    flatten({ key: `${key}.${name}`, value: member, origin }, into, level + 1)
}

/** Dates and arrays are values, not tables. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  )
}

const missingFileFault = (path: string): StartFault =>
  new StartFault({
    what: `The configuration file ${path} does not exist`,
    why: 'TINYCLOUD_CONFIG_FILE names it.',
    remedy:
      'Correct the path, or unset TINYCLOUD_CONFIG_FILE to use ./tinycloud.toml or the defaults.',
  })
