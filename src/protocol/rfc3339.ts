/** Times as RFC 3339 text. `Date` rolls 31 February over to March and takes many other forms, so it is not used to read them. */
import { ProtocolError } from './error.ts'

const TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const
const DAY_S = 86_400

const isLeapYear = (year: number): boolean =>
  year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0)
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const yearsBefore = year - 1
  const leapDays =
    Math.floor(yearsBefore / 4) - Math.floor(yearsBefore / 100) + Math.floor(yearsBefore / 400)
  let days = yearsBefore * 365 + leapDays + day - 1
  for (let before = 1; before < month; before++) days += daysInMonth(year, before)
  return days - 719_162
}

/**
 * The time as Unix seconds, its fraction kept.
 *
 * Rule: CACAO-3, RFC 3339 §5.6; the day must exist, the offset is required. A leap second (`:60`) is refused: Unix
 * time has none.
 * @throws {ProtocolError} TOKEN_MALFORMED
 */
export function parseRfc3339(text: string): number {
  const match = TIME.exec(text)
  if (!match) throw new ProtocolError('TOKEN_MALFORMED', 'not an RFC 3339 time')
  const part = (group: number): number => Number(match[group] ?? 0)
  const [year, month, day] = [part(1), part(2), part(3)]
  const [hour, minute, second] = [part(4), part(5), part(6)]
  const [offsetHour, offsetMinute] = [part(9), part(10)]
  const isDay = day >= 1 && day <= daysInMonth(year, month)
  if (!isDay || hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) {
    throw new ProtocolError('TOKEN_MALFORMED', 'no such time')
  }
  const offsetS = (offsetHour * 60 + offsetMinute) * (match[8] === '-' ? -60 : 60)
  const timeS = daysSinceEpoch(year, month, day) * DAY_S + (hour * 60 + minute) * 60 + second
  return timeS - offsetS + part(7)
}

/** The text of a time in UTC with milliseconds, `2026-11-24T07:28:14.250Z`. Unix seconds; rounded. */
export const formatPreciseRfc3339 = (timeS: number): string =>
  // A fraction of seconds is not exact: cut off, 0.123 may turn into 122 ms.
  new Date(Math.round(timeS * 1000)).toISOString()

/** The text of a time in UTC, `2026-11-24T07:28:14Z`. Unix seconds; fractions are cut off. */
export const formatRfc3339 = (timeS: number): string =>
  new Date(Math.floor(timeS) * 1000).toISOString().replace('.000Z', 'Z')
