import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHex, toHex, utf8 } from '../../../src/protocol/bytes.ts'
import { blake3, blake3Backends, createBlake3 } from '../../../src/protocol/crypto/blake3.ts'
import { keccak256 } from '../../../src/protocol/crypto/keccak256.ts'
import { sha256 } from '../../../src/protocol/crypto/sha256.ts'
import { hasNativePackages } from '../../_util/native-packages.ts'

const distinct = (values: readonly unknown[]): number => new Set(values).size

describe('BLAKE3', () => {
  const backends = blake3Backends.available()

  it.runIf(hasNativePackages)('has a native and two portable backends', () => {
    expect(backends.map(({ name }) => name)).toEqual([
      '@napi-rs/blake-hash',
      'hash-wasm',
      '@noble/hashes',
    ])
  })

  it.each([0, 1, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 16_384, 16_385, 100_000])(
    'is the same on every backend for %i bytes',
    (lengthBytes) => {
      const bytes = new Uint8Array(lengthBytes).map((_, index) => index % 251)
      expect(distinct(backends.map((backend) => toHex(backend.hash(bytes))))).toBe(1)
    },
  )

  it('is the same on every backend, whole and in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 5 }), (pieces) => {
        const whole = Buffer.concat(pieces)
        const found = backends.flatMap((backend) => {
          const hasher = backend.createHasher()
          for (const piece of pieces) hasher.update(piece)
          return [toHex(backend.hash(whole)), toHex(hasher.digest())]
        })
        expect(distinct(found)).toBe(1)
      }),
    )
  })

  it.each(backends)(
    '$name hashes what a view shows, and gives plain bytes of its own',
    (backend) => {
      const buffer = new Uint8Array(100).fill(1)
      const view = buffer.subarray(10, 20)
      const digest = backend.hash(view)
      expect(toHex(digest)).toBe(toHex(backend.hash(Uint8Array.from(view))))
      expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype)
      buffer.fill(2)
      expect(toHex(digest)).not.toBe(toHex(backend.hash(view)))
    },
  )

  it.each(backends)('$name keeps nothing of a piece', (backend) => {
    const piece = utf8('abc')
    const hasher = backend.createHasher()
    hasher.update(piece)
    piece.fill(0)
    expect(toHex(hasher.digest())).toBe(toHex(backend.hash(utf8('abc'))))
  })

  it('runs on the chosen one', () => {
    const hasher = createBlake3()
    hasher.update(utf8('hello'))
    const expected = 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f'
    expect([toHex(blake3(utf8('hello'))), toHex(hasher.digest())]).toEqual([expected, expected])
  })
})

describe('SHA-256 and Keccak-256', () => {
  it('have the published hashes of nothing', () => {
    const nothing = new Uint8Array(0)
    expect(toHex(sha256(nothing))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
    expect(toHex(keccak256(nothing))).toBe(
      'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
    )
  })

  it('hash what a view shows', () => {
    const view = parseHex('00616263ff').subarray(1, 4)
    expect(toHex(sha256(view))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(toHex(keccak256(view))).toBe(
      '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45',
    )
  })
})
