/** Sizes as people write them. */
import { describe, expect, it } from 'vitest'

import { parseSize } from '../../../src/main/config/size.ts'

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['10485760', 10_485_760],
    ['10 MiB', 10 * 1024 ** 2],
    ['10MiB', 10 * 1024 ** 2],
    ['10 mib', 10 * 1024 ** 2],
    ['1 kB', 1000],
    ['1 KiB', 1024],
    ['100 GiB', 100 * 1024 ** 3],
    ['1.5 GB', 1_500_000_000],
    ['2 TiB', 2 * 1024 ** 4],
    ['1 PiB', 1024 ** 5],
    ['7 B', 7],
    ['0.0001 kB', 0],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each([
    '',
    ' ',
    '-1',
    '+1',
    '1e9',
    '0x10',
    '.5 MiB',
    '5. MiB',
    '10  MiB',
    ' 10 MiB',
    '10 MiB ',
    '10 Mi',
    '10 M',
    '10 EiB',
    '10 bytes',
    '10 iB',
    '١٠',
    '1,5 GB',
    '100 PiB',
    '9'.repeat(100),
  ])('does not read %j', (text) => {
    expect(parseSize(text)).toBeUndefined()
  })
})
