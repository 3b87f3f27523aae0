/** Signatures and hashes, on every backend that works on this machine; each verifies what the fastest one signed. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto'
import { blake3Backends } from '../../src/protocol/crypto/blake3.ts'
import { ed25519Backends } from '../../src/protocol/crypto/ed25519.ts'
import { p256Backends } from '../../src/protocol/crypto/p256.ts'
import { secp256k1Backends } from '../../src/protocol/crypto/secp256k1.ts'
import { type MicroTask } from './task.ts'

/** Of a usual token. */
const MESSAGE_BYTES = 900
const BLAKE3_BYTES = [1024, 1024 * 1024]

function ed25519Tasks(): MicroTask[] {
  const seed = randomBytes(32)
  const message = randomBytes(MESSAGE_BYTES)
  const publicKey = ed25519Backends.current.publicKey(seed)
  const signature = ed25519Backends.current.sign(message, seed)
  return ed25519Backends.available().map((backend) => ({
    name: `Ed25519 verify, ${backend.name}`,
    run: () => backend.verify(signature, message, publicKey),
  }))
}

function secp256k1Tasks(): MicroTask[] {
  const secret = randomBytes(32)
  const hash = randomBytes(32)
  const { compact, recovery } = secp256k1Backends.current.sign(hash, secret)
  return secp256k1Backends.available().map((backend) => ({
    name: `secp256k1 recover, ${backend.name}`,
    run: () => backend.recover(hash, compact, recovery),
  }))
}

function p256Tasks(): MicroTask[] {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const message = randomBytes(MESSAGE_BYTES)
  const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const compact = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' })
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  const point = Buffer.concat([
    Buffer.of(4),
    Buffer.from(x, 'base64url'),
    Buffer.from(y, 'base64url'),
  ])
  return p256Backends.available().map((backend) => ({
    name: `P-256 verify, ${backend.name}`,
    run: () => backend.verify(compact, message, point),
  }))
}

const blake3Tasks = (): MicroTask[] =>
  BLAKE3_BYTES.flatMap((valueBytes) => {
    const value = randomBytes(valueBytes)
    return blake3Backends.available().map((backend) => ({
      name: `BLAKE3 of ${valueBytes / 1024} KiB, ${backend.name}`,
      run: () => backend.hash(value),
    }))
  })

export const cryptoTasks = (): MicroTask[] => [
  ...ed25519Tasks(),
  ...secp256k1Tasks(),
  ...p256Tasks(),
  ...blake3Tasks(),
]
