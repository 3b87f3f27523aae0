import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asObject, formatJcs, parseStrictJson } from '../../src/protocol/json.ts'

const malformed: unknown = expect.objectContaining({ code: 'TOKEN_MALFORMED' })
const parse = (text: string, depthMax = 32): unknown => parseStrictJson(text, { depthMax })

/** A bound that a linear scan of this length never comes near, on a loaded machine too. */
const HOSTILE_MS = 1000

describe('parseStrictJson (TOKEN-4)', () => {
  it('reads whatever JSON.parse reads, when no name is repeated', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const compact = JSON.stringify(value)
        expect(parse(compact)).toEqual(JSON.parse(compact))
        expect(parse(JSON.stringify(value, undefined, 2))).toEqual(JSON.parse(compact))
      }),
    )
  })

  it.each([
    ['at the top', '{"a":1,"a":1}'],
    ['below', '{"x":[{"a":1,"b":2,"a":3}]}'],
    ['spelled with an escape', String.raw`{"a":1,"\u0061":2}`],
    ['the empty name', '{"":1,"":2}'],
    ['with white space before the colon', '{"a" \n\t\r:1,"a":2}'],
    ['in an object that is itself overwritten', '{"a":{"b":1},"a":{"b":1}}'],
    ['of escaped quotes', String.raw`{"\"":1,"\"":2}`],
    ['of backslashes', String.raw`{"\\":1,"\\":2}`],
    ['__proto__', '{"__proto__":1,"__proto__":2}'],
  ])('refuses a duplicate name %s', (_, text) => {
    expect(() => parse(text)).toThrow(malformed)
  })

  it.each([
    ['the same name in two objects', '[{"a":1},{"a":2},{"b":{"a":3},"a":4}]'],
    ['text that looks like a member', String.raw`{"a":"\"b\":1,\"b\":2","b":": {"}`],
    ['backslashes at the end of a text', String.raw`{"a":"\\","b":"\\\\","c":"\\\""}`],
    ['names of different case and form', '{"a":1,"A":2,"é":3,"e\u0301":4}'],
    ['white space everywhere', ' { "a" : [ "b" , { "c" : "d" } ] , "b" : "e" } '],
    ['a text alone', '":"'],
    ['names of Object.prototype', '{"toString":1,"constructor":2,"hasOwnProperty":3}'],
  ])('takes %s', (_, text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  it.each([
    ['nothing', ''],
    ['two values', '1 2'],
    ['single quotes', "{'a':1}"],
    ['a trailing comma', '[1,]'],
    ['a comment', '/**/1'],
    ['NaN', 'NaN'],
    ['a byte order mark', '\ufeff1'],
    ['a control character in a text', '"\u0001"'],
    ['a leading zero', '01'],
    ['an open object', '{"a":1'],
    ['a number beyond a double', '[1e400]'],
    ['a negative one', '{"a":-1e400}'],
    ['a lone surrogate', String.raw`"\ud800"`],
    ['a lone surrogate in a name', String.raw`{"\udc00":1}`],
    ['a lone surrogate as it is', '["\ud800"]'],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(malformed)
  })

  it('takes a pair of surrogates, escaped or not', () => {
    expect(parse(String.raw`"\ud83d\ude00"`)).toBe('😀')
    expect(parse('"😀"')).toBe('😀')
  })

  it('counts objects and arrays as depth', () => {
    expect(parse('1', 0)).toBe(1)
    expect(parse('[{}]', 2)).toEqual([{}])
    expect(() => parse('[{}]', 1)).toThrow(malformed)
    expect(() => parse('{"a":{"b":[]}}', 2)).toThrow(malformed)
  })

  it.each([
    ['deep arrays', '['.repeat(250_000) + ']'.repeat(250_000)],
    ['deep objects', '{"a":'.repeat(80_000) + '1' + '}'.repeat(80_000)],
    ['open arrays', '['.repeat(500_000)],
    ['an open text', `"${'\\'.repeat(499_999)}`],
  ])('refuses %s, in time', (_, text) => {
    const startMs = performance.now()
    expect(() => parse(text)).toThrow(malformed)
    expect(performance.now() - startMs).toBeLessThan(HOSTILE_MS)
  })

  it.each([
    ['backslashes', `"${'\\'.repeat(499_998)}"`],
    ['escaped quotes', `"${'\\"'.repeat(249_999)}"`],
    ['short texts', `[${'"",'.repeat(160_000)}""]`],
    ['members', `{${Array.from({ length: 40_000 }, (_, index) => `"${index}":0`).join(',')}}`],
  ])('reads many %s, in time', (_, text) => {
    const startMs = performance.now()
    expect(parse(text)).toEqual(JSON.parse(text))
    expect(performance.now() - startMs).toBeLessThan(HOSTILE_MS)
  })

  it('makes __proto__ an own member and changes no prototype', () => {
    const value = asObject(parse('{"__proto__":{"polluted":true}}'))
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.hasOwn(value, '__proto__')).toBe(true)
    expect('polluted' in value).toBe(false)
  })
})

describe('asObject', () => {
  it('gives plain objects', () => {
    const bare: unknown = Object.create(null)
    expect(asObject({ a: 1 })).toEqual({ a: 1 })
    expect(asObject(bare)).toBe(bare)
  })

  it.each([[null], [undefined], [[]], ['{}'], [1], [true], [new Map()], [new Date(0)]])(
    'refuses %j',
    (value) => {
      expect(() => asObject(value)).toThrow(malformed)
    },
  )
})

describe('formatJcs', () => {
  it('writes names in the order of UTF-16 code units, not of code points', () => {
    expect(formatJcs({ '\ufb33': 1, '😀': 2, a: 3, '\r': 4, 1: 5 })).toBe(
      '{"\\r":4,"1":5,"a":3,"😀":2,"\ufb33":1}',
    )
  })

  it('is a fixed point of reading and writing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = formatJcs(value)
        expect(formatJcs(JSON.parse(text))).toBe(text)
      }),
    )
  })

  it.each([[undefined], [Number.NaN], [Number.POSITIVE_INFINITY], ['\ud800'], [1n], [new Date(0)]])(
    'refuses what JSON cannot hold: %s',
    (value) => {
      expect(() => formatJcs({ value })).toThrow(TypeError)
    },
  )

  it('refuses a lone surrogate in a name', () => {
    expect(() => formatJcs({ '\udfff': 1 })).toThrow(TypeError)
  })
})
