import { getPublicKey, hash, hashes, Point, sign } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { type Ed25519Backend } from './ed25519.ts'
import { concatBytes, equalBytes, toHex } from '../bytes.ts'

hashes.sha512 = sha512

const ORDER = Point.CURVE().n

const scalar = (littleEndian: Uint8Array): bigint => BigInt(`0x${toHex(littleEndian.toReversed())}`)

/**
 * Portable, and the oracle of the native ones. The library's own `verify` multiplies by the cofactor, the native ones
 * do not, so the equation is written out here: R = S·B − k·A, compared as bytes.
 */
function verifyCofactorless(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  let negatedKey: Point
  try {
    negatedKey = Point.fromBytes(publicKey, false).negate()
  } catch {
    return false
  }
  const r = signature.subarray(0, 32)
  const s = scalar(signature.subarray(32))
  const k = scalar(hash(concatBytes([r, publicKey, message]))) % ORDER
  const expected = Point.BASE.multiply(s, false).add(negatedKey.multiply(k, false))
  return equalBytes(expected.toBytes(), r)
}

export const nobleEd25519: Ed25519Backend = {
  name: '@noble/ed25519',
  verify: verifyCofactorless,
  sign: (message, seed) => sign(message, seed),
  publicKey: (seed) => getPublicKey(seed),
}
