/** `storage.history` as people write it: `none`, a number of versions, or a time such as `30 days`. */
import { type KeepRule } from '../../workers/storage/request.ts'

/** Kept versions of one key at most, beside the one that counts. */
const KEPT_VERSIONS_MAX = 1000
/** Ten years. */
const KEPT_DAYS_MAX = 3650
const DAY_S = 86_400

const NUMBER = /^(\d{1,9})(?: ?versions?)?$/
const TIME = /^(\d{1,9}) ?(s|secs?|seconds?|mins?|minutes?|h|hours?|d|days?|w|weeks?)$/

/** By the first letter of the unit. */
const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: DAY_S, w: 7 * DAY_S }

/** @throws {RangeError} saying what the value must be */
export function parseKeepRule(value: unknown): KeepRule {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string') throw invalid()
  const written = text.trim().toLowerCase()
  if (written === 'none' || written === '0') return { kind: 'none' }
  const versions = Number(NUMBER.exec(written)?.[1] ?? Number.NaN)
  if (versions >= 1 && versions <= KEPT_VERSIONS_MAX) return { kind: 'versions', versions }
  const [, count, unit] = TIME.exec(written) ?? []
  const seconds = Number(count ?? 0) * (UNIT_S[unit?.charAt(0) ?? ''] ?? 0)
  if (seconds < 1 || seconds > KEPT_DAYS_MAX * DAY_S) throw invalid()
  return { kind: 'time', seconds }
}

const invalid = (): RangeError =>
  new RangeError(
    `must be none, a number of versions from 1 to ${KEPT_VERSIONS_MAX}, or a time such as 30 days, up to ${KEPT_DAYS_MAX} days`,
  )
