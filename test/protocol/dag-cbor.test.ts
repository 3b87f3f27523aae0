import * as fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { concatBytes, parseHex, toHex } from '../../src/protocol/bytes.ts'
import { decodeDagCbor, encodeDagCbor } from '../../src/protocol/dag-cbor.ts'
import { ProtocolError } from '../../src/protocol/error.ts'
import { asObject } from '../../src/protocol/json.ts'

const malformed: unknown = expect.objectContaining({ code: 'TOKEN_MALFORMED' })
const decode = (hex: string, depthMax = 32): unknown => decodeDagCbor(parseHex(hex), { depthMax })
const decodeCanonical = (hex: string): unknown =>
  decodeDagCbor(parseHex(hex), { depthMax: 32, canonical: true })

const HOSTILE_MS = 1000
const LINK = 'd82a582500015512205891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'

const link = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((digest) => CID.decode(concatBytes([parseHex('01711e20'), digest])))

const text = fc.string({ unit: 'binary' })

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(fc.maxSafeInteger(), text, fc.boolean(), fc.constant(null), fc.uint8Array(), link),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(text, tie('value'), { maxKeys: 5 }),
  ),
}))

/** Whether the bytes are decoded or refused as malformed; anything else is a bug. */
function refusesOrDecodes(bytes: Uint8Array): boolean {
  try {
    decodeDagCbor(bytes, { depthMax: 8 })
    return true
  } catch (error) {
    return error instanceof ProtocolError && error.code === 'TOKEN_MALFORMED'
  }
}

describe('encode and decode', () => {
  it('give the value and the bytes back', () => {
    fc.assert(
      fc.property(values.value, (value) => {
        const bytes = encodeDagCbor(value)
        const decoded = decodeDagCbor(bytes, { depthMax: 100, canonical: true })
        expect(toHex(encodeDagCbor(decoded))).toBe(toHex(bytes))
        expect(decoded).toEqual(value)
      }),
    )
  })

  it('sort keys by length, then by bytes', () => {
    expect(toHex(encodeDagCbor({ parents: 0, events: 0, b: 0, aa: 0, a: 0 }))).toBe(
      'a561610061620062616100666576656e74730067706172656e747300',
    )
  })

  it('refuse nothing but malformed bytes, and throw nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(refusesOrDecodes(bytes)).toBe(true)
      }),
      { numRuns: 3000 },
    )
    const valid = encodeDagCbor({
      s: { s: new Uint8Array(65), t: 'eip191' },
      p: ['a', 1, null],
      l: CID.decode(parseHex(LINK).subarray(5)),
    })
    fc.assert(
      fc.property(
        fc.nat(valid.length - 1),
        fc.nat(255),
        fc.nat(valid.length),
        (index, byte, length) => {
          const bytes = Uint8Array.from(valid)
          bytes[index] = byte
          expect(refusesOrDecodes(bytes)).toBe(true)
          expect(refusesOrDecodes(bytes.subarray(0, length))).toBe(true)
        },
      ),
      { numRuns: 3000 },
    )
  })
})

describe('order and form', () => {
  it('is free on input, unless canonical', () => {
    expect(decode('a2616201616100')).toEqual({ a: 0, b: 1 })
    expect(() => decodeCanonical('a2616201616100')).toThrow(malformed)
    expect(decodeCanonical('a2616100616201')).toEqual({ a: 0, b: 1 })
  })

  it.each([
    ['a duplicate key', 'a2616100616101'],
    ['a key that is no text', 'a10000'],
    ['bytes after the end', '0000'],
    ['nothing', ''],
    ['an integer longer than needed', '1817'],
    ['a length longer than needed', '780161'],
    ['an indefinite array', '9fff'],
    ['an indefinite text', '7fff'],
    ['a break alone', 'ff'],
    ['undefined', 'f7'],
    ['a 16-bit float', 'f93e00'],
    ['a 32-bit float', 'fa3fc00000'],
    ['NaN', 'fb7ff8000000000000'],
    ['infinity', 'fb7ff0000000000000'],
    ['a simple value in two bytes', 'f818'],
    ['a reserved length', '1c'],
    ['text that is not UTF-8', '62c328'],
    ['a key that is not UTF-8', 'a162c32800'],
    ['another tag', 'c06161'],
    ['a link to text', 'd82a6161'],
    ['a link without bytes', 'd82a'],
    ['a link in a link', `d82a${LINK}`],
    [
      'a link without the zero byte',
      'd82a5824015512205891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
    ],
    ['a link with a digest cut short', `d82a58240001551220${'00'.repeat(31)}`],
    ['a map cut off', 'a1'],
    ['a map without its value', 'a16161'],
    ['an array cut off', '8201'],
    ['bytes cut off', '4261'],
    ['a head cut off', '19'],
  ])('refuses %s', (_, hex) => {
    expect(() => decode(hex)).toThrow(malformed)
  })

  it('takes a float with a fraction, and 0.0 unless canonical', () => {
    expect(decodeCanonical('fb3ff8000000000000')).toBe(1.5)
    expect(decode('fb0000000000000000')).toBe(0)
    expect(() => decodeCanonical('fb0000000000000000')).toThrow(malformed)
  })
})

describe('hostile sizes', () => {
  it.each([
    ['arrays', '81'.repeat(200_000)],
    ['maps', 'a16161'.repeat(100_000)],
    ['tags', 'd82a'.repeat(100_000)],
    ['arrays that close', `${'81'.repeat(200_000)}00`],
  ])('refuses deep %s, in time', (_, hex) => {
    const startMs = performance.now()
    expect(() => decode(hex)).toThrow(malformed)
    expect(performance.now() - startMs).toBeLessThan(HOSTILE_MS)
  })

  it.each([
    ['array', '9bffffffffffffffff'],
    ['array of 2^31', '9a80000000'],
    ['map', 'bbffffffffffffffff'],
    ['map of 2^31', 'ba80000000'],
    ['bytes', '5bffffffffffffffff'],
    ['text of 2^32', '7b0000000100000000'],
    ['link', 'd82a5bffffffffffffffff'],
  ])('refuses a %s longer than the bytes, in time', (_, hex) => {
    const startMs = performance.now()
    expect(() => decode(hex)).toThrow(malformed)
    expect(() => decode(`82${hex}`)).toThrow(malformed)
    expect(performance.now() - startMs).toBeLessThan(HOSTILE_MS)
  })

  it('counts maps and arrays as depth', () => {
    expect(decode('8180', 2)).toEqual([[]])
    expect(() => decode('8180', 1)).toThrow(malformed)
    expect(decode('828080', 2)).toEqual([[], []])
    expect(decode('00', 0)).toBe(0)
  })
})

describe('names of Object.prototype', () => {
  it('are own members and change no prototype', () => {
    const value = asObject(decode('a1695f5f70726f746f5f5fa168706f6c6c75746564f5'))
    expect(Object.hasOwn(value, '__proto__')).toBe(true)
    expect('polluted' in value).toBe(false)
  })
})
