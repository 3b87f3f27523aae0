import { describe, expect, it } from 'vitest'
import {
  compareBytes,
  concatBytes,
  equalBytes,
  parseHex,
  parseUtf8,
  toHex,
  utf8,
  viewOf,
} from '../../src/protocol/bytes.ts'

const malformed: unknown = expect.objectContaining({ code: 'TOKEN_MALFORMED' })

describe('compareBytes', () => {
  it('orders by unsigned bytes, a prefix first', () => {
    const texts = ['', 'A', 'AB', 'B', 'a', '\u007f', '\u0080', '\uffff', '\u{10000}']
    const shuffled = texts.toReversed().map(utf8)
    expect(shuffled.toSorted(compareBytes).map(parseUtf8)).toEqual(texts)
    expect(compareBytes(Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBeLessThan(0)
  })
})

describe('equalBytes', () => {
  it.each([
    ['', '', true],
    ['00', '', false],
    ['00', '0000', false],
    ['0001', '0001', true],
    ['0001', '0002', false],
  ])('%j and %j: %j', (a, b, expected) => {
    expect(equalBytes(parseHex(a), parseHex(b))).toBe(expected)
  })
})

describe('concatBytes', () => {
  it('gives a copy that owns exactly its memory', () => {
    const part = Uint8Array.of(1, 2)
    const whole = concatBytes([part, new Uint8Array(0), Buffer.from([3])])
    part[0] = 9
    expect(whole).toEqual(Uint8Array.of(1, 2, 3))
    expect(whole.buffer.byteLength).toBe(3)
  })
})

describe('viewOf', () => {
  it('shares the memory of a part of a buffer', () => {
    const bytes = Uint8Array.of(1, 2, 3).subarray(1)
    viewOf(bytes)[0] = 7
    expect(bytes).toEqual(Uint8Array.of(7, 3))
  })
})

describe('hex', () => {
  it('is written in lower case and read in any', () => {
    expect(toHex(parseHex('00fFAb'))).toBe('00ffab')
    expect(parseHex('')).toHaveLength(0)
  })

  it.each(['0', '0x00', 'zz', '00 ', '0g', '00\n', '٠٠'])('refuses %j', (text) => {
    expect(() => parseHex(text)).toThrow(malformed)
  })
})

describe('UTF-8', () => {
  it.each(['', 'a', 'é', '€', '𐍈', '\u0000', '\ufeffbom', '\uffff'])('keeps %j', (text) => {
    expect(parseUtf8(utf8(text))).toBe(text)
  })

  it.each([
    ['continuation alone', '80'],
    ['cut sequence', 'e282'],
    ['overlong slash', 'c0af'],
    ['surrogate', 'eda080'],
    ['beyond U+10FFFF', 'f4908080'],
    ['Latin-1', '63616663e9'],
  ])('refuses a %s', (_, hex) => {
    expect(() => parseUtf8(parseHex(hex))).toThrow(malformed)
  })
})
