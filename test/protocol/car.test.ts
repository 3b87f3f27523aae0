import { CarReader } from '@ipld/car'
import * as fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { concatBytes, parseHex, toHex, utf8 } from '../../src/protocol/bytes.ts'
import {
  carSectionBytes,
  carSectionHeadBytes,
  formatCarHeader,
  formatCarSection,
  parseCarHeader,
  parseCarSection,
} from '../../src/protocol/car.ts'
import {
  BLAKE3_CODE,
  DAG_CBOR_CODEC,
  formatCidBytes,
  formatRawCid,
  RAW_CODEC,
} from '../../src/protocol/cid.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'

const malformed: unknown = expect.objectContaining({ code: 'TOKEN_MALFORMED' })

const section = (data: Uint8Array, codec = RAW_CODEC): Uint8Array =>
  formatCarSection(codec, blake3(data), data)

describe('what the node writes', () => {
  it('is a CAR to @ipld/car, with and without roots', async () => {
    const values = [utf8('hello'), new Uint8Array(0), new Uint8Array(300_000).fill(7)]
    const root = formatCidBytes(RAW_CODEC, blake3(utf8('hello')))
    for (const roots of [[], [root]]) {
      const file = concatBytes([formatCarHeader(roots), ...values.map((value) => section(value))])
      const reader = await CarReader.fromBytes(file)
      expect((await reader.getRoots()).map((cid) => toHex(cid.bytes))).toEqual(roots.map(toHex))
      for (const value of values) {
        const block = await reader.get(CID.parse(formatRawCid(blake3(value))))
        expect(toHex(block?.bytes ?? new Uint8Array(1))).toBe(toHex(value))
      }
    }
  })

  it('has a header of fixed bytes when there are no roots', () => {
    expect(toHex(formatCarHeader([]))).toBe('11a265726f6f7473806776657273696f6e01')
  })

  it('reads back, and says its size before', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(5), (data, offset) => {
        const bytes = concatBytes([
          new Uint8Array(offset),
          section(data, DAG_CBOR_CODEC),
          Uint8Array.of(1),
        ])
        expect(parseCarSection(bytes, offset)).toEqual({
          codec: DAG_CBOR_CODEC,
          hashCode: BLAKE3_CODE,
          digest: blake3(data),
          data,
          sectionBytes: carSectionBytes(data.length),
        })
        expect(bytes).toHaveLength(offset + carSectionBytes(data.length) + 1)
      }),
    )
  })

  it.each([
    [0, 37],
    [91, 37],
    [92, 38],
    [16_347, 38],
    [16_348, 39],
  ])('has the right head around %d bytes', (dataBytes, headBytes) => {
    expect(carSectionHeadBytes(dataBytes)).toBe(headBytes)
    expect(section(new Uint8Array(dataBytes))).toHaveLength(headBytes + dataBytes)
  })
})

describe('parseCarSection', () => {
  it('says undefined at every cut', () => {
    const bytes = section(utf8('hello world, this is a section'))
    for (let length = 0; length < bytes.length; length++) {
      expect(parseCarSection(bytes.subarray(0, length), 0)).toBeUndefined()
    }
    expect(parseCarSection(bytes, bytes.length)).toBeUndefined()
  })

  it.each([
    ['a hole in the file', '00'.repeat(64)],
    ['a section without room for its CID', '0401551e20'],
    ['a CID longer than its section', `2001551e20${'00'.repeat(32)}`],
    ['another version of CID', `2402551e20${'00'.repeat(32)}`],
    ['a length in too many bytes', 'ff'.repeat(16)],
    ['a length that is not minimal', `a40001551e20${'00'.repeat(32)}`],
  ])('refuses %s', (_, hex) => {
    expect(() => parseCarSection(parseHex(hex), 0)).toThrow(malformed)
  })

  it('gives views, not copies', () => {
    const bytes = section(utf8('hello'))
    expect(parseCarSection(bytes, 0)?.data.buffer).toBe(bytes.buffer)
  })
})

describe('parseCarHeader', () => {
  const root = formatCidBytes(DAG_CBOR_CODEC, blake3(utf8('root')))

  it('gives roots and the offset of the first section', () => {
    const header = formatCarHeader([root])
    expect(parseCarHeader(concatBytes([header, Uint8Array.of(9)]))).toEqual({
      roots: [root],
      headerBytes: header.length,
    })
  })

  it('says undefined at every cut', () => {
    const header = formatCarHeader([root])
    for (let length = 0; length < header.length; length++) {
      expect(parseCarHeader(header.subarray(0, length))).toBeUndefined()
    }
  })

  it.each([
    ['version 2', '11a265726f6f7473806776657273696f6e02'],
    ['no roots', '0aa16776657273696f6e01'],
    ['no version', '08a165726f6f747380'],
    ['roots that are no links', '12a265726f6f747381006776657273696f6e01'],
    ['one member more', '14a361610065726f6f7473806776657273696f6e01'],
    ['keys in another order', '11a26776657273696f6e0165726f6f747380'],
    ['an array', '0180'],
    ['nothing', '00'],
    ['a hole in the file', '00'.repeat(64)],
  ])('refuses %s', (_, hex) => {
    expect(() => parseCarHeader(parseHex(hex))).toThrow(malformed)
  })
})
