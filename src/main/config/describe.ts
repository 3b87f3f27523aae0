/** The settings in words, for `tinycloud help` and for the test that compares the documents with the program. */
import { variableOf } from './env.ts'
import { SETTING_KEYS, type SettingKey, settingOf } from './schema.ts'

export interface SettingDescription {
  readonly key: SettingKey
  readonly variable: string
  /** As in tinycloud.toml, or in words where it depends on something. */
  readonly default: string
  /** The default is in words. */
  readonly isDerived: boolean
  readonly unit: string | undefined
  readonly choices: readonly string[]
  readonly doc: string
}

/** In the order of the table. */
export const describeSettings = (): SettingDescription[] =>
  SETTING_KEYS.map((key) => {
    const { default: value, derived = '', unit, choices = [], doc } = settingOf(key)
    return {
      key,
      variable: variableOf(key),
      default: value === null ? derived : String(value),
      isDerived: value === null,
      unit,
      choices,
      doc,
    }
  })
