import { describe, expect, it } from 'vitest'
import { parseKeepRule } from '../../../src/main/config/keep-rule.ts'

describe('storage.history', () => {
  it.each([
    ['none', { kind: 'none' }],
    ['None', { kind: 'none' }],
    [0, { kind: 'none' }],
    [1, { kind: 'versions', versions: 1 }],
    ['1000', { kind: 'versions', versions: 1000 }],
    ['10 versions', { kind: 'versions', versions: 10 }],
    ['1 version', { kind: 'versions', versions: 1 }],
    ['1s', { kind: 'time', seconds: 1 }],
    ['90 secs', { kind: 'time', seconds: 90 }],
    ['30 min', { kind: 'time', seconds: 1800 }],
    ['12 hours', { kind: 'time', seconds: 43_200 }],
    [' 30 Days ', { kind: 'time', seconds: 2_592_000 }],
    ['2w', { kind: 'time', seconds: 1_209_600 }],
    ['3650 days', { kind: 'time', seconds: 315_360_000 }],
  ])('takes %j', (written, rule) => {
    expect(parseKeepRule(written)).toEqual(rule)
  })

  it.each([
    '',
    'all',
    '-1',
    -1,
    1.5,
    '1.5 days',
    1001,
    '1001',
    '0 days',
    '3651 days',
    '999999999 weeks',
    '9999999999 s',
    '10 m',
    '10 months',
    '10 parsecs',
    '1e3',
    Number.NaN,
    true,
    null,
    ['10'],
  ])('refuses %j', (written) => {
    expect(() => parseKeepRule(written)).toThrow(
      /must be none, a number of versions from 1 to 1000/,
    )
  })
})
