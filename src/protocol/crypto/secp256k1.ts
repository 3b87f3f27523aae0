/** ECDSA on secp256k1: wallets (recovery, EIP-191) and ES256K. Hashes come ready made, 32 bytes. */
import { BackendChoice, type Backend } from './backend-choice.ts'
import { loadNativeSecp256k1 } from './secp256k1-native.ts'
import { nobleSecp256k1 } from './secp256k1-noble.ts'
import { hasPointForm } from './sec1-point.ts'
import { parseHex, toHex } from '../bytes.ts'

export interface RecoverableSignature {
  /** r ‖ s, 64 bytes, low s. */
  readonly compact: Uint8Array
  readonly recovery: number
}

export interface Secp256k1Backend extends Backend {
  recover(hash: Uint8Array, compact: Uint8Array, recovery: number): Uint8Array | undefined
  /** High s is accepted. */
  verify(compact: Uint8Array, hash: Uint8Array, publicKey: Uint8Array): boolean
  sign(hash: Uint8Array, secret: Uint8Array): RecoverableSignature
  publicKey(secret: Uint8Array, compressed: boolean): Uint8Array
}

const COMPACT_BYTES = 64
const HASH_BYTES = 32

// The secret 1, whose public key is the generator.
const KNOWN_SECRET = parseHex('0000000000000000000000000000000000000000000000000000000000000001')
const KNOWN_PUBLIC_KEY =
  '0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8'

function answersRight(backend: Secp256k1Backend): boolean {
  const { compact, recovery } = backend.sign(KNOWN_SECRET, KNOWN_SECRET)
  const recovered = backend.recover(KNOWN_SECRET, compact, recovery) ?? new Uint8Array(0)
  return (
    toHex(recovered) === KNOWN_PUBLIC_KEY &&
    toHex(backend.publicKey(KNOWN_SECRET, false)) === KNOWN_PUBLIC_KEY
  )
}

export const secp256k1Backends: BackendChoice<Secp256k1Backend> =
  new BackendChoice<Secp256k1Backend>(
    [{ load: loadNativeSecp256k1 }, { load: () => nobleSecp256k1, isPortable: true }],
    answersRight,
  )

/**
 * The uncompressed public key (65 bytes) that made the signature, high s included; undefined when there is none.
 * `recovery` is 0 or 1: the x of R beyond the group order, ids 2 and 3, does not occur.
 */
export function recoverSecp256k1(
  hash: Uint8Array,
  compact: Uint8Array,
  recovery: 0 | 1,
): Uint8Array | undefined {
  if (hash.length !== HASH_BYTES || compact.length !== COMPACT_BYTES) return undefined
  return secp256k1Backends.current.recover(hash, compact, recovery)
}

/** Whether the holder of `publicKey` (33 or 65 bytes) signed the hash; high s is accepted. Never throws for any bytes. */
export function verifySecp256k1(
  compact: Uint8Array,
  hash: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (hash.length !== HASH_BYTES || compact.length !== COMPACT_BYTES || !hasPointForm(publicKey))
    return false
  return secp256k1Backends.current.verify(compact, hash, publicKey)
}

/** Deterministic (RFC 6979). @throws for a hash or a secret of another length, and a secret outside 1 … n − 1 */
export const signSecp256k1 = (hash: Uint8Array, secret: Uint8Array): RecoverableSignature =>
  secp256k1Backends.current.sign(hash, secret)

/** 33 bytes, or 65 when not compressed. */
export const secp256k1PublicKey = (secret: Uint8Array, compressed: boolean): Uint8Array =>
  secp256k1Backends.current.publicKey(secret, compressed)
