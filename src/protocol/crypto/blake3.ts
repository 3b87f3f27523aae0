/** BLAKE3 with 32 bytes of output: the hash of every token, value and epoch. */
import { BackendChoice, type Backend } from './backend-choice.ts'
import { loadNativeBlake3 } from './blake3-native.ts'
import { nobleBlake3 } from './blake3-noble.ts'
import { loadWasmBlake3 } from './blake3-wasm.ts'
import { toHex } from '../bytes.ts'

export interface Blake3Hasher {
  /** Borrowed: nothing of `bytes` is kept. */
  update(bytes: Uint8Array): void
  /** 32 bytes. The hasher is spent. */
  digest(): Uint8Array
}

export interface Blake3Backend extends Backend {
  hash(bytes: Uint8Array): Uint8Array
  createHasher(): Blake3Hasher
}

const HASH_OF_NOTHING = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'

function answersRight(backend: Blake3Backend): boolean {
  const nothing = new Uint8Array(0)
  const hasher = backend.createHasher()
  hasher.update(nothing)
  return [backend.hash(nothing), hasher.digest()].every(
    (digest) => toHex(digest) === HASH_OF_NOTHING,
  )
}

export const blake3Backends: BackendChoice<Blake3Backend> = new BackendChoice<Blake3Backend>(
  [
    { load: loadNativeBlake3 },
    { load: loadWasmBlake3, isPortable: true },
    { load: () => nobleBlake3, isPortable: true },
  ],
  answersRight,
)

/** 32 bytes. */
export const blake3 = (bytes: Uint8Array): Uint8Array => blake3Backends.current.hash(bytes)

/** For what arrives in pieces. */
export const createBlake3 = (): Blake3Hasher => blake3Backends.current.createHasher()
