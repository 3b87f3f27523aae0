import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { parseHex, toHex, utf8 } from '../../../src/protocol/bytes.ts'
import { selectBackends } from '../../../src/protocol/crypto/backends.ts'
import {
  ed25519Backends,
  ed25519PublicKey,
  signEd25519,
  verifyEd25519,
} from '../../../src/protocol/crypto/ed25519.ts'
import { hasNativePackages } from '../../_util/native-packages.ts'

// RFC 8032 §7.1, tests 1 to 3.
const RFC_8032 = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const

/** The order L of the base point, little-endian. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

function littleEndian(value: bigint): Uint8Array {
  return parseHex(value.toString(16).padStart(64, '0')).toReversed()
}

function withS(signature: Uint8Array, change: (s: bigint) => bigint): Uint8Array {
  const s = BigInt(`0x${toHex(signature.subarray(32).toReversed())}`)
  const changed = Uint8Array.from(signature)
  changed.set(littleEndian(change(s)), 32)
  return changed
}

const backends = ed25519Backends.available()

afterEach(() => {
  selectBackends()
})

it.runIf(hasNativePackages)('all three backends run here', () => {
  expect(backends.map(({ name }) => name)).toEqual([
    'sodium-native',
    'node:crypto',
    '@noble/ed25519',
  ])
})

describe.each(backends)('Ed25519 on $name', (backend) => {
  it.each(RFC_8032)('signs and verifies as RFC 8032: seed %s', (seed, key, message, signature) => {
    ed25519Backends.use(backend)
    expect(toHex(ed25519PublicKey(parseHex(seed)))).toBe(key)
    expect(toHex(signEd25519(parseHex(message), parseHex(seed)))).toBe(signature)
    expect(verifyEd25519(parseHex(signature), parseHex(message), parseHex(key))).toBe(true)
  })

  it('refuses every changed bit, and other lengths', () => {
    ed25519Backends.use(backend)
    const seed = new Uint8Array(32).fill(3)
    const publicKey = ed25519PublicKey(seed)
    const message = utf8('message')
    const signature = signEd25519(message, seed)
    expect(verifyEd25519(signature, message, publicKey)).toBe(true)
    for (let bit = 0; bit < 512; bit += 7) {
      const changed = Uint8Array.from(signature)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(verifyEd25519(changed, message, publicKey)).toBe(false)
    }
    expect(verifyEd25519(signature, utf8('messagf'), publicKey)).toBe(false)
    expect(verifyEd25519(signature, message, ed25519PublicKey(new Uint8Array(32).fill(4)))).toBe(
      false,
    )
    expect(verifyEd25519(Buffer.concat([signature, Buffer.of(0)]), message, publicKey)).toBe(false)
    expect(verifyEd25519(signature.subarray(0, 63), message, publicKey)).toBe(false)
    expect(verifyEd25519(signature, message, publicKey.subarray(0, 31))).toBe(false)
    expect(verifyEd25519(signature, message, new Uint8Array(33))).toBe(false)
    expect(verifyEd25519(new Uint8Array(0), message, new Uint8Array(0))).toBe(false)
  })

  it('refuses S + L, the second spelling of the same signature', () => {
    ed25519Backends.use(backend)
    const seed = new Uint8Array(32).fill(5)
    const message = utf8('malleable')
    const signature = signEd25519(message, seed)
    const publicKey = ed25519PublicKey(seed)
    expect(
      verifyEd25519(
        withS(signature, (s) => s + ORDER),
        message,
        publicKey,
      ),
    ).toBe(false)
    expect(
      verifyEd25519(
        withS(signature, () => ORDER),
        message,
        publicKey,
      ),
    ).toBe(false)
    expect(
      verifyEd25519(
        withS(signature, (s) => s),
        message,
        publicKey,
      ),
    ).toBe(true)
  })

  it('refuses keys that are no point, or not in their one spelling, without throwing', () => {
    ed25519Backends.use(backend)
    const signature = signEd25519(utf8('x'), new Uint8Array(32).fill(6))
    for (let low = 0; low < 32; low++) {
      const key = new Uint8Array(32).fill(0xff)
      key[0] = 0xe0 + low
      expect(verifyEd25519(signature, utf8('x'), key)).toBe(false)
      key[31] = 0x7f
      expect(verifyEd25519(signature, utf8('x'), key)).toBe(false)
      const small = new Uint8Array(32)
      small[0] = low
      expect(verifyEd25519(signature, utf8('x'), small)).toBe(false)
    }
  })

  it('signs long messages and parts of buffers', () => {
    ed25519Backends.use(backend)
    const buffer = new Uint8Array(300_000).fill(9)
    const seed = new Uint8Array(40).fill(8).subarray(4, 36)
    const signature = signEd25519(buffer.subarray(5, 200_005), seed)
    expect(
      verifyEd25519(
        signature,
        Uint8Array.from(buffer.subarray(5, 200_005)),
        ed25519PublicKey(seed),
      ),
    ).toBe(true)
    expect(Object.getPrototypeOf(signature)).toBe(Uint8Array.prototype)
    expect(Object.getPrototypeOf(ed25519PublicKey(seed))).toBe(Uint8Array.prototype)
  })

  it.each([0, 31, 33, 64])('takes no seed of %d bytes', (lengthBytes) => {
    ed25519Backends.use(backend)
    expect(() => signEd25519(utf8('x'), new Uint8Array(lengthBytes))).toThrow(RangeError)
    expect(() => ed25519PublicKey(new Uint8Array(lengthBytes))).toThrow(RangeError)
  })
})

describe('all backends', () => {
  it('sign alike and agree on signatures, whole and damaged', () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(seeds, fc.uint8Array({ maxLength: 200 }), fc.nat(511), (seed, message, bit) => {
        const signed = backends.map((backend) => {
          ed25519Backends.use(backend)
          const signature = signEd25519(message, seed)
          const damaged = Uint8Array.from(signature)
          damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          const publicKey = ed25519PublicKey(seed)
          const verdicts = [signature, damaged].map((each) =>
            verifyEd25519(each, message, publicKey),
          )
          return `${toHex(publicKey)} ${toHex(signature)} ${verdicts.join()}`
        })
        expect(new Set(signed).size).toBe(1)
        expect(signed[0]).toMatch(/ true,false$/)
      }),
      { numRuns: 30 },
    )
  })
})
