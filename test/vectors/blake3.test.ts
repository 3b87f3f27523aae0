import { expect, it } from 'vitest'
import { type Blake3Backend, blake3Backends } from '../../src/protocol/crypto/blake3.ts'
import { toHex } from '../../src/protocol/bytes.ts'
import { describeVectors } from '../_util/vectors.ts'

interface Blake3Vectors {
  readonly cases: readonly { readonly input_len: number; readonly hash: string }[]
}

const DIGEST_HEX_CHARS = 64
const PIECE_BYTES = 777

/** The input of the suite: 0, 1, …, 250, 0, 1, … */
const input = (lengthBytes: number): Uint8Array =>
  Uint8Array.from({ length: lengthBytes }, (_, index) => index % 251)

function hashInPieces(backend: Blake3Backend, bytes: Uint8Array): Uint8Array {
  const hasher = backend.createHasher()
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
    hasher.update(bytes.subarray(offset, offset + PIECE_BYTES))
  }
  return hasher.digest()
}

describeVectors('blake3', (folder, tally) => {
  it('hashes every input alike on every backend, whole and in pieces', () => {
    const backends = blake3Backends.available()
    const { cases }: Blake3Vectors = folder.json('test_vectors.json')
    for (const { input_len: lengthBytes, hash } of cases) {
      tally.check(`${lengthBytes} bytes`, () => {
        const bytes = input(lengthBytes)
        const found = backends.flatMap((backend) => [
          toHex(backend.hash(bytes)),
          toHex(hashInPieces(backend, bytes)),
        ])
        expect(new Set(found)).toEqual(new Set([hash.slice(0, DIGEST_HEX_CHARS)]))
      })
    }
    expect(tally.cases).toBe(35)
  })
})
