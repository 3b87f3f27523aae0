import { p256 } from '@noble/curves/nist.js'
import { type P256Backend } from './p256.ts'

/** Portable, and the oracle of the native one. */
export const nobleP256: P256Backend = {
  name: '@noble/curves',
  verify: (compact, message, publicKey) => {
    try {
      return p256.verify(compact, message, publicKey, {
        prehash: true,
        lowS: false,
        format: 'compact',
      })
    } catch {
      return false
    }
  },
}
