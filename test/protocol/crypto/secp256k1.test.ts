import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { concatBytes, parseHex, toHex, utf8 } from '../../../src/protocol/bytes.ts'
import { selectBackends } from '../../../src/protocol/crypto/backends.ts'
import { keccak256 } from '../../../src/protocol/crypto/keccak256.ts'
import {
  recoverSecp256k1,
  secp256k1Backends,
  secp256k1PublicKey,
  signSecp256k1,
  verifySecp256k1,
} from '../../../src/protocol/crypto/secp256k1.ts'
import { hasNativePackages } from '../../_util/native-packages.ts'

/** The group order n. */
const ORDER = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n
const PRIME = 2n ** 256n - 2n ** 32n - 977n

const bytes32 = (value: bigint): Uint8Array => parseHex(value.toString(16).padStart(64, '0'))
const compactOf = (r: bigint, s: bigint): Uint8Array => concatBytes([bytes32(r), bytes32(s)])
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`)
const negatedS = (compact: Uint8Array): Uint8Array =>
  compactOf(numberOf(compact.subarray(0, 32)), ORDER - numberOf(compact.subarray(32)))

const backends = secp256k1Backends.available()
const SECRET = new Uint8Array(32).fill(0x11)
const HASH = keccak256(utf8('hash'))

const recoveryOf = ({ recovery }: { readonly recovery: number }): 0 | 1 => (recovery === 1 ? 1 : 0)

/** What each backend recovers, as text: all must say the same. */
function recoverOnAll(hash: Uint8Array, compact: Uint8Array, recovery: 0 | 1): string {
  const found = backends.map((backend) => {
    secp256k1Backends.use(backend)
    const publicKey = recoverSecp256k1(hash, compact, recovery)
    return publicKey === undefined ? 'nobody' : toHex(publicKey)
  })
  if (new Set(found).size !== 1) throw new Error(`backends disagree: ${found.join(' ')}`)
  return found[0] ?? ''
}

function verifyOnAll(compact: Uint8Array, hash: Uint8Array, publicKey: Uint8Array): boolean {
  const verdicts = backends.map((backend) => {
    secp256k1Backends.use(backend)
    return verifySecp256k1(compact, hash, publicKey)
  })
  if (new Set(verdicts).size !== 1) throw new Error(`backends disagree: ${verdicts.join(' ')}`)
  return verdicts[0] === true
}

afterEach(() => {
  selectBackends()
})

it.runIf(hasNativePackages)('both backends run here', () => {
  expect(backends.map(({ name }) => name)).toEqual(['secp256k1', '@noble/curves'])
})

describe.each(backends)('secp256k1 on $name', (backend) => {
  it('signs with low s, recovers the key, verifies with either form of it', () => {
    secp256k1Backends.use(backend)
    const signature = signSecp256k1(HASH, SECRET)
    const publicKey = secp256k1PublicKey(SECRET, false)
    expect(numberOf(signature.compact.subarray(32)) <= ORDER / 2n).toBe(true)
    expect(toHex(recoverSecp256k1(HASH, signature.compact, recoveryOf(signature)) ?? HASH)).toBe(
      toHex(publicKey),
    )
    expect(verifySecp256k1(signature.compact, HASH, publicKey)).toBe(true)
    expect(verifySecp256k1(signature.compact, HASH, secp256k1PublicKey(SECRET, true))).toBe(true)
  })

  it('takes high s, whose recovery bit is the other one, and leaves its input as it was', () => {
    secp256k1Backends.use(backend)
    const signature = signSecp256k1(HASH, SECRET)
    const high = negatedS(signature.compact)
    const before = toHex(high)
    const publicKey = secp256k1PublicKey(SECRET, false)
    expect(verifySecp256k1(high, HASH, publicKey)).toBe(true)
    const flipped = recoveryOf(signature) === 1 ? 0 : 1
    expect(toHex(recoverSecp256k1(HASH, high, flipped) ?? HASH)).toBe(toHex(publicKey))
    expect(toHex(high)).toBe(before)
  })

  it('refuses other hashes, keys, lengths and forms, without throwing', () => {
    secp256k1Backends.use(backend)
    const { compact } = signSecp256k1(HASH, SECRET)
    const publicKey = secp256k1PublicKey(SECRET, false)
    const other = secp256k1PublicKey(new Uint8Array(32).fill(0x12), false)
    const hybrid = Uint8Array.from(publicKey)
    hybrid[0] = 6 + ((publicKey[64] ?? 0) & 1)
    const offCurve = Uint8Array.from(publicKey)
    offCurve[64] = (offCurve[64] ?? 0) ^ 1
    expect(verifySecp256k1(compact, keccak256(utf8('other')), publicKey)).toBe(false)
    for (const key of [
      other,
      hybrid,
      offCurve,
      publicKey.subarray(1),
      new Uint8Array(65),
      new Uint8Array(33),
      new Uint8Array(0),
    ]) {
      expect(verifySecp256k1(compact, HASH, key)).toBe(false)
    }
    expect(verifySecp256k1(compact.subarray(1), HASH, publicKey)).toBe(false)
    expect(verifySecp256k1(concatBytes([compact, Uint8Array.of(0)]), HASH, publicKey)).toBe(false)
    expect(verifySecp256k1(compact, HASH.subarray(1), publicKey)).toBe(false)
    expect(recoverSecp256k1(HASH, compact.subarray(1), 0)).toBeUndefined()
    expect(recoverSecp256k1(HASH.subarray(1), compact, 0)).toBeUndefined()
  })

  it.each([
    ['zero', 0n],
    ['the order', ORDER],
    ['beyond the order', 2n ** 256n - 1n],
  ])('has no key for the secret %s', (_, secret) => {
    secp256k1Backends.use(backend)
    expect(() => secp256k1PublicKey(bytes32(secret), true)).toThrow(Error)
    expect(() => signSecp256k1(HASH, bytes32(secret))).toThrow(Error)
  })
})

describe('all backends', () => {
  it('sign alike and recover alike', () => {
    const word = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(
        word,
        fc.bigInt({ min: 1n, max: ORDER - 1n }),
        fc.boolean(),
        (hash, secret, isHigh) => {
          const signed = backends.map((backend) => {
            secp256k1Backends.use(backend)
            const { compact, recovery } = signSecp256k1(hash, bytes32(secret))
            return `${toHex(compact)} ${recovery} ${toHex(secp256k1PublicKey(bytes32(secret), false))}`
          })
          expect(new Set(signed).size).toBe(1)
          const [low = '', recovery, publicKey] = (signed[0] ?? '').split(' ')
          const compact = isHigh ? negatedS(parseHex(low)) : parseHex(low)
          const bit = (recovery === '1') === isHigh ? 0 : 1
          expect(recoverOnAll(hash, compact, bit)).toBe(publicKey)
        },
      ),
      { numRuns: 20 },
    )
  })

  it('agree on any bytes', () => {
    const word = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const compacts = fc.uint8Array({ minLength: 64, maxLength: 64 })
    fc.assert(
      fc.property(
        word,
        compacts,
        fc.constantFrom(0 as const, 1 as const),
        (hash, compact, recovery) => {
          const publicKey = recoverOnAll(hash, compact, recovery)
          const isSigned = publicKey !== 'nobody' && verifyOnAll(compact, hash, parseHex(publicKey))
          expect(isSigned).toBe(publicKey !== 'nobody')
        },
      ),
      { numRuns: 60 },
    )
  })

  it('agree at the edges: no r or s of 0 or from n on, no r off the curve', () => {
    const { compact } = signSecp256k1(HASH, SECRET)
    const r = numberOf(compact.subarray(0, 32))
    const s = numberOf(compact.subarray(32))
    // 5 is no x of the curve: 5³ + 7 is not a square.
    const outside = [
      compactOf(0n, s),
      compactOf(r, 0n),
      compactOf(0n, 0n),
      compactOf(ORDER, s),
      compactOf(r, ORDER),
      compactOf(PRIME, s),
      compactOf(2n ** 256n - 1n, 2n ** 256n - 1n),
      compactOf(5n, s),
    ]
    for (const recovery of [0, 1] as const) {
      for (const each of outside) expect(recoverOnAll(HASH, each, recovery)).toBe('nobody')
      expect(recoverOnAll(HASH, compactOf(1n, 1n), recovery)).not.toBe('nobody')
      expect(recoverOnAll(HASH, compactOf(r, ORDER - 1n), recovery)).not.toBe('nobody')
    }
  })

  it('agree on hashes of 0, n and beyond', () => {
    for (const hash of [bytes32(0n), bytes32(ORDER), bytes32(2n ** 256n - 1n)]) {
      const { compact } = signSecp256k1(HASH, SECRET)
      for (const recovery of [0, 1] as const) {
        const publicKey = recoverOnAll(hash, compact, recovery)
        expect(verifyOnAll(compact, hash, parseHex(publicKey))).toBe(true)
      }
    }
  })

  it('find no key where the recovered point is the one at infinity', () => {
    // Q = r⁻¹(s·R − z·G) is at infinity for R = G, s = z.
    const generatorX = numberOf(secp256k1PublicKey(bytes32(1n), true).subarray(1))
    const generatorIsOdd = secp256k1PublicKey(bytes32(1n), true)[0] === 3
    const z = numberOf(HASH)
    const bit = generatorIsOdd ? 1 : 0
    expect(recoverOnAll(HASH, compactOf(generatorX, z), bit)).toBe('nobody')
  })
})
