import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatBase64url, parseBase64url } from '../../src/protocol/base64url.ts'
import { ProtocolError } from '../../src/protocol/error.ts'
import { utf8 } from '../../src/protocol/bytes.ts'

const malformed: unknown = expect.objectContaining({ code: 'TOKEN_MALFORMED' })

function bytesOrRefusal(text: string, padding: 'none' | 'required'): Uint8Array | 'refused' {
  try {
    return parseBase64url(text, { padding })
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'TOKEN_MALFORMED') return 'refused'
    throw error
  }
}

describe.each(['none', 'required'] as const)('base64url, padding %s', (padding) => {
  it('gives back what it wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(parseBase64url(formatBase64url(bytes, { padding }), { padding })).toEqual(bytes)
      }),
    )
  })

  it('takes one text for each sequence of bytes', () => {
    const alphabet = ['A', 'Q', 'Z', 'a', 'g', 'w', '0', '9', '-', '_', '+', '/', '=', ' ']
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 9 }), (text) => {
        const bytes = bytesOrRefusal(text, padding)
        expect(bytes === 'refused' || formatBase64url(bytes, { padding }) === text).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('strictness (TOKEN-3)', () => {
  it.each([
    ['padding', 'YQ=='],
    ['a single character', 'Y'],
    ['five characters', 'YWJjZ'],
    ['loose bits', 'YR'],
    ['the other alphabet', '+/8'],
    ['a blank inside', 'Y Q'],
    ['a newline after', 'YQ\n'],
    ['a character of two bytes', 'Yé'],
    ['a full-width letter', 'Ｙ'],
    ['a zero', 'YQ\u0000'],
    ['nothing but padding', '=='],
  ])('unpadded: refuses %s', (_, text) => {
    expect(() => parseBase64url(text, { padding: 'none' })).toThrow(malformed)
  })

  it.each([
    ['no padding', 'YQ'],
    ['half the padding', 'YQ='],
    ['too much padding', 'YWJj===='],
    ['padding in the middle', 'YQ==YQ=='],
    ['loose bits', 'YR=='],
    ['the other alphabet', '+/8='],
  ])('padded: refuses %s', (_, text) => {
    expect(() => parseBase64url(text, { padding: 'required' })).toThrow(malformed)
  })

  it('takes the empty text, and the padding that it asks for', () => {
    expect(parseBase64url('', { padding: 'none' })).toHaveLength(0)
    expect(parseBase64url('YQ==', { padding: 'required' })).toEqual(utf8('a'))
    expect(parseBase64url('_-8', { padding: 'none' })).toEqual(Uint8Array.of(0xff, 0xef))
  })
})
