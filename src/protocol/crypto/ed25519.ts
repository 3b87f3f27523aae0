/**
 * Ed25519 (RFC 8032) with one verdict on every backend.
 *
 * Libraries disagree on signatures that nobody makes honestly: of 914 edge cases node:crypto accepts 208 or 43, by its
 * version, noble 212 or 826. A node must not accept what its peers refuse, so `verifyEd25519` decides the disputed
 * cases itself, before any backend (DESIGN §3).
 */
import { BackendChoice, type Backend } from './backend-choice.ts'
import { nobleEd25519 } from './ed25519-noble.ts'
import { loadNodeEd25519 } from './ed25519-node.ts'
import { loadSodiumEd25519 } from './ed25519-native.ts'
import { parseHex } from '../bytes.ts'

export interface Ed25519Backend extends Backend {
  /** Cofactorless verification. Is given 64 and 32 bytes, S < L, A canonical, neither A nor R of low order. */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
  sign(message: Uint8Array, seed: Uint8Array): Uint8Array
  publicKey(seed: Uint8Array): Uint8Array
}

const SIGNATURE_BYTES = 64
const POINT_BYTES = 32
const SEED_BYTES = 32

/** The order of the base point, 2^252 + 27742317777372353535851937790883648493, little-endian. */
const ORDER = parseHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
/** The field's prime, 2^255 − 19, little-endian. */
const PRIME = parseHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')

/** y of the eight points of low order, with p + 0 and p + 1, which decode to the same; the sign bit is not looked at. */
const LOW_ORDER_Y = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(parseHex)

// RFC 8032 §7.1, test 2.
const KNOWN = {
  seed: parseHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
  publicKey: parseHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'),
  message: parseHex('72'),
  signature: parseHex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ),
}

export const ed25519Backends: BackendChoice<Ed25519Backend> = new BackendChoice<Ed25519Backend>(
  [
    { load: loadSodiumEd25519 },
    { load: loadNodeEd25519 },
    { load: () => nobleEd25519, isPortable: true },
  ],
  (backend) =>
    Buffer.compare(backend.publicKey(KNOWN.seed), KNOWN.publicKey) === 0 &&
    backend.verify(KNOWN.signature, KNOWN.message, KNOWN.publicKey) &&
    !backend.verify(KNOWN.signature, KNOWN.seed, KNOWN.publicKey),
)

/** Whether `publicKey` signed `message`. Never throws for any bytes. Rule: UCAN-7. */
export function verifyEd25519(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== POINT_BYTES) return false
  if (!isBelow(signature, POINT_BYTES, ORDER) || isLowOrder(signature) || isLowOrder(publicKey))
    return false
  if (!isCanonicalPoint(publicKey)) return false
  return ed25519Backends.current.verify(signature, message, publicKey)
}

/** 64 bytes. Deterministic. `seed`: the 32 bytes of RFC 8032, not the expanded key. */
export function signEd25519(message: Uint8Array, seed: Uint8Array): Uint8Array {
  assertSeed(seed)
  return ed25519Backends.current.sign(message, seed)
}

/** 32 bytes. */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  assertSeed(seed)
  return ed25519Backends.current.publicKey(seed)
}

/** The 32 bytes at `offset` are less than `limit`, both little-endian. */
function isBelow(bytes: Uint8Array, offset: number, limit: Uint8Array): boolean {
  for (let index = POINT_BYTES - 1; index >= 0; index--) {
    const byte = bytes[offset + index] ?? 0
    const limitByte = limit[index] ?? 0
    if (byte !== limitByte) return byte < limitByte
  }
  return false
}

/** The first 32 bytes encode one of the eight points of low order, in one of its 14 spellings. */
function isLowOrder(bytes: Uint8Array): boolean {
  return LOW_ORDER_Y.some((y) => {
    for (let index = 0; index < POINT_BYTES - 1; index++)
      if (bytes[index] !== y[index]) return false
    return ((bytes[POINT_BYTES - 1] ?? 0) & 0x7f) === y[POINT_BYTES - 1]
  })
}

/** y < p. OpenSSL reduces a larger one, libsodium and noble refuse it. */
function isCanonicalPoint(bytes: Uint8Array): boolean {
  if (((bytes[POINT_BYTES - 1] ?? 0) & 0x7f) !== 0x7f) return true
  const y = Uint8Array.from(bytes)
  y[POINT_BYTES - 1] = 0x7f
  return isBelow(y, 0, PRIME)
}

function assertSeed(seed: Uint8Array): void {
  if (seed.length !== SEED_BYTES) throw new RangeError(`an Ed25519 seed has ${SEED_BYTES} bytes`)
}
