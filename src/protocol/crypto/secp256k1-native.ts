import { requireNative } from './native-module.ts'
import { type Secp256k1Backend } from './secp256k1.ts'

interface Secp256k1 {
  ecdsaRecover(
    compact: Uint8Array,
    recovery: number,
    hash: Uint8Array,
    compressed: boolean,
  ): Uint8Array
  ecdsaVerify(compact: Uint8Array, hash: Uint8Array, publicKey: Uint8Array): boolean
  ecdsaSign(hash: Uint8Array, secret: Uint8Array): { signature: Uint8Array; recid: number }
  signatureNormalize(compact: Uint8Array): Uint8Array
  publicKeyCreate(secret: Uint8Array, compressed: boolean): Uint8Array
}

/** libsecp256k1 by `secp256k1`. Its entry falls back to slow JavaScript silently; `bindings.js` is the library or nothing. */
export function loadNativeSecp256k1(): Secp256k1Backend {
  const native: Secp256k1 = requireNative('secp256k1/bindings.js')
  return {
    name: 'secp256k1',
    recover: (hash, compact, recovery) => {
      try {
        return native.ecdsaRecover(compact, recovery, hash, false)
      } catch {
        return undefined
      }
    },
    verify: (compact, hash, publicKey) => {
      try {
        // The library refuses high s; its other form is as good a signature. It works in place, so on a copy.
        return native.ecdsaVerify(
          native.signatureNormalize(Uint8Array.from(compact)),
          hash,
          publicKey,
        )
      } catch {
        return false
      }
    },
    sign: (hash, secret) => {
      const { signature, recid } = native.ecdsaSign(hash, secret)
      return { compact: signature, recovery: recid }
    },
    publicKey: (secret, compressed) => native.publicKeyCreate(secret, compressed),
  }
}
