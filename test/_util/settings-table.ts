/** The rows that the documents must show, one for each setting. */
import { describeSettings, type SettingDescription } from '../../src/main/config/describe.ts'

/** Key, variable, default, meaning: docs/configuration.md. */
export const fullRows = (): string[] =>
  describeSettings().map((setting) =>
    formatRow([code(setting.key), code(setting.variable), defaultOf(setting), meaningOf(setting)]),
  )

/** Key, default, meaning: README.md. */
export const shortRows = (): string[] =>
  describeSettings().map((setting) =>
    formatRow([code(setting.key), defaultOf(setting), meaningOf(setting)]),
  )

const code = (text: string): string => `\`${text}\``

const formatRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** A value in code, a default in words as words. */
const defaultOf = ({ default: value, isDerived, unit }: SettingDescription): string =>
  `${isDerived ? value.replaceAll('<datadir>', '‹datadir›') : code(value)}${unit !== undefined && !isDerived ? ` ${unit}` : ''}`

const meaningOf = ({ doc, choices }: SettingDescription): string =>
  choices.length > 1 ? `${doc} One of ${choices.map(code).join(', ')}.` : doc
