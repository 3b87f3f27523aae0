/**
 * Signatures that nobody makes honestly: scalars at the ends of their range, points outside the group or with a part of
 * low order, keys that are no points. Libraries disagree on such cases, and a node must not.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha512 } from '@noble/hashes/sha2.js'
import * as fc from 'fast-check'
import { concatBytes } from '../../../src/protocol/bytes.ts'
import { sha256 } from '../../../src/protocol/crypto/sha256.ts'
import { editedBytes } from './edits.ts'

export interface SignatureCase {
  readonly signature: Uint8Array
  readonly message: Uint8Array
  readonly publicKey: Uint8Array
}

const SCALAR_BYTES = 32
const SEED = Buffer.alloc(SCALAR_BYTES, 0x66)

function toBytes(value: bigint, endian: 'big' | 'little'): Uint8Array {
  const wrapped = BigInt.asUintN(256, value)
  const bytes = Buffer.from(wrapped.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex')
  return endian === 'big' ? bytes : bytes.toReversed()
}
const fromLittle = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`)

const messages = fc.uint8Array({ maxLength: 40 })
const exactly = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
/** Kept at its length, so that more than the length is looked at. */
const damaged = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  editedBytes(fc.constant(bytes)).map((changed) =>
    changed.length < bytes.length ? concatBytes([changed, bytes.slice(changed.length)]) : changed,
  )

// Ed25519

const { Point } = ed25519
const ED_ORDER = Point.CURVE().n
const TORSION = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
const LOW_ORDER = Array.from({ length: 8 }, (_, factor) =>
  factor === 0 ? Point.ZERO : TORSION.multiplyUnsafe(BigInt(factor)),
)
const edScalars = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 8n, ED_ORDER - 1n, ED_ORDER, ED_ORDER + 1n, 2n ** 252n, 2n ** 253n),
  exactly(SCALAR_BYTES).map(fromLittle),
)
const edMultiple = (scalar: bigint) =>
  scalar % ED_ORDER === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(scalar % ED_ORDER)
/** Points in their encodings, some of which are no points, or second encodings. */
const edPoints = fc.oneof(
  fc
    .tuple(edScalars, fc.constantFrom(...LOW_ORDER))
    .map(([scalar, part]) => edMultiple(scalar).add(part).toBytes()),
  fc.constantFrom(...LOW_ORDER).map((point) => point.toBytes()),
  exactly(SCALAR_BYTES),
  fc.nat({ max: 20 }).map((excess) => toBytes(2n ** 255n - 20n + BigInt(excess), 'little')),
)

/** The equation holds but for parts of low order in R and A: with the cofactor it is true, without it is one time in eight. */
const mixedOrder: fc.Arbitrary<SignatureCase> = fc
  .tuple(messages, fc.constantFrom(...LOW_ORDER), fc.constantFrom(...LOW_ORDER), fc.nat())
  .map(([message, partOfR, partOfA, nonce]) => {
    const secret = 0x1234_5678_9abcn
    const publicKey = edMultiple(secret).add(partOfA).toBytes()
    const r = BigInt(nonce) + 1n
    const commitment = edMultiple(r).add(partOfR).toBytes()
    const hash = sha512(concatBytes([commitment, publicKey, message]))
    const s = (r + (fromLittle(hash) % ED_ORDER) * secret) % ED_ORDER
    return { signature: concatBytes([commitment, toBytes(s, 'little')]), message, publicKey }
  })

export const ed25519Cases: fc.Arbitrary<SignatureCase> = fc.oneof(
  mixedOrder,
  messages.chain((message) =>
    fc.record({
      signature: damaged(ed25519.sign(message, SEED)),
      message: fc.constant(message),
      publicKey: damaged(ed25519.getPublicKey(SEED)),
    }),
  ),
  messages.chain((message) => {
    const signature = ed25519.sign(message, SEED)
    const s = fromLittle(signature.subarray(SCALAR_BYTES))
    return fc.constantFrom(1n, 2n, 8n, 15n).map((times) => ({
      signature: concatBytes([
        signature.subarray(0, SCALAR_BYTES),
        toBytes(s + times * ED_ORDER, 'little'),
      ]),
      message,
      publicKey: ed25519.getPublicKey(SEED),
    }))
  }),
  fc.record({
    signature: fc
      .tuple(edPoints, edScalars)
      .map(([point, scalar]) => concatBytes([point, toBytes(scalar, 'little')])),
    message: messages,
    publicKey: edPoints,
  }),
)

// ECDSA

type EcdsaCurve = typeof p256

const HONEST_CASES = 48

function ecdsaCases(curve: EcdsaCurve, hashFirst: boolean): fc.Arbitrary<SignatureCase> {
  const order = curve.Point.CURVE().n
  const prime = curve.Point.CURVE().p
  const scalars = fc.oneof(
    fc.constantFrom(0n, 1n, 2n, order - 1n, order, order + 1n, order >> 1n, prime - order, prime),
    exactly(SCALAR_BYTES).map((bytes) => fromLittle(bytes)),
  )
  // Signing takes a millisecond here, so a few honest signatures stand for all.
  const honestCases = Array.from({ length: HONEST_CASES }, (_, index): SignatureCase => {
    const secret = toBytes(index < 4 ? BigInt(index + 1) : order - BigInt(index), 'big')
    const message = sha256(Uint8Array.of(index))
    const signed = hashFirst ? sha256(message) : message
    return {
      signature: curve.sign(signed, secret, { prehash: false, format: 'compact' }),
      message,
      publicKey: curve.getPublicKey(secret, index % 2 === 0),
    }
  })
  const honest = fc.constantFrom(...honestCases)
  const keys = honest.map(({ publicKey }) => publicKey)
  const oddKeys = fc.oneof(
    fc.constantFrom(Uint8Array.of(0), new Uint8Array(33), new Uint8Array(65)),
    fc
      .tuple(fc.constantFrom(2, 3, 4, 6, 7), scalars)
      .map(([kind, x]) => concatBytes([Uint8Array.of(kind), toBytes(x, 'big')])),
    keys.chain(damaged),
    keys.map((key) => concatBytes([Uint8Array.of((key[0] ?? 0) + 2), key.subarray(1)])),
  )
  const withHighS = honest.map((one) => {
    const s = BigInt(`0x${Buffer.from(one.signature.subarray(SCALAR_BYTES)).toString('hex')}`)
    const other = toBytes(order - s, 'big')
    return { ...one, signature: concatBytes([one.signature.subarray(0, SCALAR_BYTES), other]) }
  })
  return fc.oneof(
    honest,
    withHighS,
    honest.chain((one) => damaged(one.signature).map((signature) => ({ ...one, signature }))),
    honest.chain((one) => oddKeys.map((publicKey) => ({ ...one, publicKey }))),
    fc.record({
      signature: fc
        .tuple(scalars, scalars)
        .map(([r, s]) => concatBytes([toBytes(r, 'big'), toBytes(s, 'big')])),
      message: hashFirst ? messages : exactly(SCALAR_BYTES),
      publicKey: fc.oneof(keys, oddKeys),
    }),
  )
}

/** Messages, which are hashed by the verifier. */
export const p256Cases: fc.Arbitrary<SignatureCase> = ecdsaCases(p256, true)
/** Hashes of 32 bytes, also those that no message has. */
export const secp256k1Cases: fc.Arbitrary<SignatureCase> = ecdsaCases(secp256k1, false)
