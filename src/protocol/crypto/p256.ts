/** ECDSA on P-256 over SHA-256 (ES256). The message is hashed here. */
import { BackendChoice, type Backend } from './backend-choice.ts'
import { nobleP256 } from './p256-noble.ts'
import { loadNodeP256 } from './p256-node.ts'
import { hasPointForm } from './sec1-point.ts'
import { parseHex } from '../bytes.ts'

export interface P256Backend extends Backend {
  /** High s is accepted. */
  verify(compact: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
}

const COMPACT_BYTES = 64

// RFC 6979 §A.2.5, message "sample" with SHA-256.
const KNOWN = {
  publicKey: parseHex('0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6'),
  message: Buffer.from('sample'),
  compact: parseHex(
    'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
  ),
}

export const p256Backends: BackendChoice<P256Backend> = new BackendChoice<P256Backend>(
  [{ load: loadNodeP256 }, { load: () => nobleP256, isPortable: true }],
  (backend) =>
    backend.verify(KNOWN.compact, KNOWN.message, KNOWN.publicKey) &&
    !backend.verify(KNOWN.compact, KNOWN.publicKey, KNOWN.publicKey),
)

/** Whether the holder of `publicKey` (33 or 65 bytes) signed `message`; high s is accepted. Never throws for any bytes. */
export function verifyP256(
  compact: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (compact.length !== COMPACT_BYTES || !hasPointForm(publicKey)) return false
  return p256Backends.current.verify(compact, message, publicKey)
}
