import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHex, toHex } from '../../src/protocol/bytes.ts'
import { formatVarint, parseVarint, varintBytes, writeVarint } from '../../src/protocol/varint.ts'

const malformed: unknown = expect.objectContaining({ code: 'TOKEN_MALFORMED' })

describe('varint', () => {
  it.each([
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [255, 'ff01'],
    [300, 'ac02'],
    [0x1200, '8024'],
    [16_384, '808001'],
    [2 ** 32, '8080808010'],
    [Number.MAX_SAFE_INTEGER, 'ffffffffffffff0f'],
  ])('%d is %s', (value, hex) => {
    expect(toHex(formatVarint(value))).toBe(hex)
    expect(parseVarint(parseHex(hex), 0)).toEqual({ value, length: hex.length / 2 })
  })

  it('gives back what it wrote, at any offset', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(5), (value, offset) => {
        const bytes = new Uint8Array(offset + varintBytes(value))
        expect(writeVarint(bytes, offset, value)).toBe(bytes.length)
        expect(parseVarint(bytes, offset)).toEqual({ value, length: varintBytes(value) })
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['cut off', '80'],
    ['a longer form of 0', '8000'],
    ['a longer form of 1', '818000'],
    ['2^53', '8080808080808010'],
    ['nine bytes', 'ffffffffffffffff7f'],
    ['endless', 'ff'.repeat(100)],
  ])('refuses %s', (_, hex) => {
    expect(() => parseVarint(parseHex(hex), 0)).toThrow(malformed)
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('writes no %d', (value) => {
    expect(() => formatVarint(value)).toThrow(RangeError)
  })
})
