/**
 * The types of settings: how a text (an environment variable) becomes a value, and what is accepted.
 *
 * Texts are parsed by the type of the key and by nothing else, so a secret of digits stays a text. A text that does
 * not parse is left as it is, and the check then refuses it with the rule that it breaks. Convict's own formats are
 * not used: they read `80x` as 80 and `no` as true.
 */
import convict from 'convict'

import { parseKeepRule } from './keep-rule.ts'
import { parseSize } from './size.ts'

/** The types of settings and the values that they give. */
export interface FormatValues {
  switch: boolean
  /** Text that is not empty. */
  text: string
  /** One of the setting's `choices`, in lower case. */
  choice: string
  /** A whole number between the setting's `min` and `max`. */
  number: number
  /** Bytes. */
  size: number
  /** None, a number of versions, or a time: what `parseKeepRule` takes. */
  history: string | number
}

export type Format = keyof FormatValues

/** What a check needs to know of its setting, which convict hands over whole. */
interface Rule extends Record<string, unknown> {
  readonly choices?: readonly string[]
  readonly laterChoices?: readonly string[]
  readonly min?: number
  readonly max?: number
}

const WHOLE_NUMBER = /^-?[0-9]{1,15}$/

interface FormatRule {
  readonly parse: (text: string) => unknown
  /** @throws {Error} saying what the value must be */
  readonly check: (value: unknown, rule: Rule) => void
}

const FORMATS: Readonly<Record<Format, FormatRule>> = {
  switch: {
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : text),
    check(value) {
      if (typeof value !== 'boolean') throw new TypeError('must be true or false')
    },
  },
  text: {
    parse: (text) => text,
    check(value) {
      if (typeof value !== 'string') throw new TypeError('must be a text in quotes')
      if (value === '') throw new RangeError('must not be empty')
    },
  },
  choice: {
    parse: (text) => text.toLowerCase(),
    check(value, { choices = [], laterChoices = [] }) {
      if (choices.some((choice) => choice.toLowerCase() === value)) return
      const later = laterChoices.map((choice) => `; ${choice} comes with a later version`)
      throw new RangeError(`must be one of ${choices.join(', ')}${later.join('')}`)
    },
  },
  number: {
    parse: (text) => (WHOLE_NUMBER.test(text) ? Number(text) : text),
    check(value, { min = 0, max = Number.MAX_SAFE_INTEGER }) {
      if (!Number.isInteger(value) || Number(value) < min || Number(value) > max)
        throw new RangeError(`must be a whole number from ${min} to ${max}`)
    },
  },
  size: {
    parse: (text) => parseSize(text) ?? text,
    check(value) {
      if (!Number.isSafeInteger(value) || Number(value) < 0)
        throw new RangeError('must be a size such as 10 MiB, or a number of bytes')
    },
  },
  history: {
    parse: (text) => text,
    check(value) {
      parseKeepRule(value)
    },
  },
}

/** The name under which convict knows a format. Its own formats are left alone. */
export const convictFormat = (format: string): string => `tinycloud ${format}`

/** What a text is for a format. Of one that cannot be read, the text itself. */
export const parseText = (format: Format, text: string): unknown => FORMATS[format].parse(text)

for (const [format, { parse, check }] of Object.entries(FORMATS))
  convict.addFormat({ name: convictFormat(format), validate: check, coerce: parse })
