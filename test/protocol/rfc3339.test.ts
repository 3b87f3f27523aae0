import { describe, expect, it } from 'vitest'
import { formatPreciseRfc3339, parseRfc3339 } from '../../src/protocol/rfc3339.ts'
import { codeOf } from '../_util/credentials.ts'

describe('parseRfc3339', () => {
  it('agrees with Date on every day from 1600 to 2400', () => {
    const startMs = Date.UTC(1600, 0, 1)
    const wrong: string[] = []
    for (let day = 0; day < 292_194; day++) {
      const timeMs = startMs + day * 86_400_000 + (day % 86_400) * 1000
      const text = new Date(timeMs).toISOString()
      if (parseRfc3339(text) !== timeMs / 1000) wrong.push(text)
    }
    expect(wrong).toEqual([])
  })

  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01t00:00:00z', 0],
    ['0001-01-01T00:00:00Z', -62_135_596_800],
    ['0000-02-29T00:00:00Z', -62_162_121_600],
    ['9999-12-31T23:59:59Z', 253_402_300_799],
    ['2000-02-29T00:00:00Z', 951_782_400],
    ['2021-09-30T16:25:24-02:00', 1_633_026_324],
    ['2099-01-01T00:00:00+05:30', 4_070_889_000],
    ['2021-09-30T16:25:24-00:00', 1_633_019_124],
  ])('reads %s', (text, timeS) => {
    expect(parseRfc3339(text)).toBe(timeS)
  })

  it('keeps fractions of any length', () => {
    expect(parseRfc3339('1970-01-01T00:00:01.5Z')).toBe(1.5)
    expect(parseRfc3339('2099-01-01T00:00:00.123456Z')).toBeCloseTo(4_070_908_800.123456, 6)
    expect(parseRfc3339(`1970-01-01T00:00:00.${'9'.repeat(1000)}Z`)).toBe(1)
    expect(parseRfc3339('1969-12-31T23:59:59.5Z')).toBe(-0.5)
  })

  it.each([
    '',
    '2025-02-31T17:09:38.578Z',
    '2100-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2023-04-31T00:00:00Z',
    '2023-00-01T00:00:00Z',
    '2023-13-01T00:00:00Z',
    '2023-01-00T00:00:00Z',
    '2023-01-32T00:00:00Z',
    '2023-01-01T24:00:00Z',
    '2023-01-01T00:60:00Z',
    '2016-12-31T23:59:60Z',
    '2023-01-01T00:00:00',
    '2023-01-01T00:00:00+24:00',
    '2023-01-01T00:00:00+00:60',
    '2023-01-01T00:00:00+0000',
    '2023-01-01 00:00:00Z',
    '2023-01-01T00:00Z',
    '2023-01-01T00:00:00.Z',
    '2023-1-1T00:00:00Z',
    '20230101T000000Z',
    '+002023-01-01T00:00:00Z',
    ' 2023-01-01T00:00:00Z',
    '2023-01-01T00:00:00Z\n',
    '２023-01-01T00:00:00Z',
    'Wed Oct 05 2011 16:48:00 GMT+0200 (CEST)',
  ])('refuses %j', (text) => expect(codeOf(() => parseRfc3339(text))).toBe('TOKEN_MALFORMED'))
})

describe('a time with milliseconds', () => {
  it('is the one that was read, whatever its fraction', () => {
    for (let ms = 0; ms < 1000; ms++) {
      const text = `2026-11-24T07:28:14.${String(ms).padStart(3, '0')}Z`
      expect(formatPreciseRfc3339(parseRfc3339(text))).toBe(text)
    }
  })

  it('is rounded, and may be far away', () => {
    expect(formatPreciseRfc3339(0.0005)).toBe('1970-01-01T00:00:00.001Z')
    expect(formatPreciseRfc3339(-0.25)).toBe('1969-12-31T23:59:59.750Z')
    expect(formatPreciseRfc3339(8_640_000_000_000)).toBe('+275760-09-13T00:00:00.000Z')
  })
})
