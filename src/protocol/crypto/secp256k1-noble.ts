import { secp256k1 } from '@noble/curves/secp256k1.js'
import { type Secp256k1Backend } from './secp256k1.ts'

/** Portable, and the oracle of the native one. */
export const nobleSecp256k1: Secp256k1Backend = {
  name: '@noble/curves',
  recover: (hash, compact, recovery) => {
    try {
      return secp256k1.Signature.fromBytes(compact, 'compact')
        .addRecoveryBit(recovery)
        .recoverPublicKey(hash)
        .toBytes(false)
    } catch {
      return undefined
    }
  },
  verify: (compact, hash, publicKey) => {
    try {
      return secp256k1.verify(compact, hash, publicKey, {
        prehash: false,
        lowS: false,
        format: 'compact',
      })
    } catch {
      return false
    }
  },
  sign: (hash, secret) => {
    const signed = secp256k1.sign(hash, secret, { prehash: false, lowS: true, format: 'recovered' })
    return { compact: signed.subarray(1), recovery: signed[0] ?? 0 }
  },
  publicKey: (secret, compressed) => secp256k1.getPublicKey(secret, compressed),
}
