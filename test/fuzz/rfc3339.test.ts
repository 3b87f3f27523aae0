/** Times: what is taken is a time of the calendar, and the platform's own calendar agrees. */
import * as fc from 'fast-check'
import { parseRfc3339 } from '../../src/protocol/rfc3339.ts'
import { editedText } from '../_util/fuzz/edits.ts'
import { describeTextFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, parsed } from '../_util/fuzz/refusal.ts'

const number = (digits: number, max: number): fc.Arbitrary<string> =>
  fc.nat({ max }).map((value) => String(value).padStart(digits, '0'))

const times = fc
  .tuple(
    number(4, 9999),
    number(2, 13),
    number(2, 32),
    fc.constantFrom('T', 't', ' '),
    number(2, 24),
    number(2, 60),
    number(2, 60),
    fc.oneof(
      fc.constantFrom('', '.', '.0', '.999999999'),
      number(1, 999).map((digits) => `.${digits}`),
    ),
    fc.oneof(
      fc.constantFrom('Z', 'z', '', 'UTC'),
      fc
        .tuple(fc.constantFrom('+', '-', '−'), number(2, 24), number(2, 60))
        .map(([sign, hours, minutes]) => `${sign}${hours}:${minutes}`),
    ),
  )
  .map(
    ([year, month, day, mark, hour, minute, second, fraction, zone]) =>
      `${year}-${month}-${day}${mark}${hour}:${minute}:${second}${fraction}${zone}`,
  )

const FORM = /^(.{19})(\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

/** The time of day at the place that the offset means, as `Date` writes it. */
function localText(timeS: number, text: string): string {
  const [, hours = 0, minutes = 0] = /(\d\d):(\d\d)$/.exec(text.slice(19)) ?? []
  const sign = /-\d\d:\d\d$/.test(text.slice(19)) ? -1 : 1
  const offsetS = sign * (Number(hours) * 60 + Number(minutes)) * 60
  return new Date((Math.floor(timeS) + offsetS) * 1000).toISOString().slice(0, 19)
}

describeTextFuzz({
  name: 'rfc3339',
  inputs: fc.oneof(times, editedText(times)),
  check: (text) => {
    const timeS = parsed(() => parseRfc3339(text))
    if (timeS === undefined) return false
    const [, day = '', fraction = ''] = FORM.exec(text) ?? []
    const fractionS = fraction === '' ? 0 : Number(fraction)
    const wholeS = Math.round(timeS - fractionS)
    assertTrue(Math.abs(timeS - wholeS - fractionS) < 1e-3, 'the fraction is kept')
    // Years before 0000 and after 9999, which an offset can reach, are written otherwise.
    const isFourDigits = wholeS > -62_167_132_800 && wholeS < 253_402_214_400
    if (isFourDigits)
      assertTrue(localText(wholeS, text) === day.toUpperCase(), 'the calendar has that second')
    return true
  },
})
