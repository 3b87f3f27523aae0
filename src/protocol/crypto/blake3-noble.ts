import { blake3 } from '@noble/hashes/blake3.js'
import { type Blake3Backend } from './blake3.ts'

/** Portable, and the oracle of the native one. */
export const nobleBlake3: Blake3Backend = {
  name: '@noble/hashes',
  hash: (bytes) => blake3(bytes),
  createHasher: () => {
    const state = blake3.create()
    return {
      update: (bytes) => {
        state.update(bytes)
      },
      digest: () => state.digest(),
    }
  },
}
