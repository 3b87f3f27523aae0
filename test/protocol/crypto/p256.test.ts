import { createSign, generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { concatBytes, parseHex, toHex, utf8 } from '../../../src/protocol/bytes.ts'
import { selectBackends } from '../../../src/protocol/crypto/backends.ts'
import { p256Backends, verifyP256 } from '../../../src/protocol/crypto/p256.ts'

const ORDER = 0xffffffff_00000000_ffffffff_ffffffff_bce6faad_a7179e84_f3b9cac2_fc632551n

const bytes32 = (value: bigint): Uint8Array => parseHex(value.toString(16).padStart(64, '0'))

const { privateKey, publicKey: keyObject } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const spki = keyObject.export({ format: 'der', type: 'spki' })
const uncompressed = Uint8Array.from(spki.subarray(-65))
const compressed = concatBytes([
  Uint8Array.of(2 + ((uncompressed[64] ?? 0) & 1)),
  uncompressed.subarray(1, 33),
])
const message = utf8('message')
const signature = Uint8Array.from(
  createSign('sha256').update(message).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' }),
)

const backends = p256Backends.available()

afterEach(() => {
  selectBackends()
})

it('both backends run here', () => {
  expect(backends.map(({ name }) => name)).toEqual(['node:crypto', '@noble/curves'])
})

describe.each(backends)('P-256 on $name', (backend) => {
  it('verifies with either form of the key, with high and with low s', () => {
    p256Backends.use(backend)
    const s = BigInt(`0x${toHex(signature.subarray(32))}`)
    const other = concatBytes([signature.subarray(0, 32), bytes32(ORDER - s)])
    for (const key of [compressed, uncompressed]) {
      expect(verifyP256(signature, message, key)).toBe(true)
      expect(verifyP256(other, message, key)).toBe(true)
    }
  })

  it('refuses other messages, lengths, keys and forms, without throwing', () => {
    p256Backends.use(backend)
    const offCurve = Uint8Array.from(uncompressed)
    offCurve[64] = (offCurve[64] ?? 0) ^ 1
    const hybrid = Uint8Array.from(uncompressed)
    hybrid[0] = 6 + ((uncompressed[64] ?? 0) & 1)
    const noPoint = Uint8Array.from({ length: 33 }, (_, index) => (index === 0 ? 2 : 0xff))
    expect(verifyP256(signature, utf8('other'), compressed)).toBe(false)
    expect(verifyP256(signature.subarray(1), message, compressed)).toBe(false)
    expect(verifyP256(concatBytes([signature, Uint8Array.of(0)]), message, compressed)).toBe(false)
    for (const key of [
      offCurve,
      hybrid,
      noPoint,
      new Uint8Array(33),
      new Uint8Array(65),
      new Uint8Array(0),
    ]) {
      expect(verifyP256(signature, message, key)).toBe(false)
    }
    for (const edge of [0n, ORDER, 2n ** 256n - 1n]) {
      expect(
        verifyP256(concatBytes([bytes32(edge), signature.subarray(32)]), message, compressed),
      ).toBe(false)
      expect(
        verifyP256(concatBytes([signature.subarray(0, 32), bytes32(edge)]), message, compressed),
      ).toBe(false)
    }
  })
})
