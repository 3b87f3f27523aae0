import { expect, it } from 'vitest'
import { blake3Backends } from '../../src/protocol/crypto/blake3.ts'
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

describeVectors('blake3', (folder, tally) => {
  it('hashes every input alike on every backend, whole and in pieces', () => {
    const backends = blake3Backends.available()
    const { cases }: Blake3Vectors = folder.json('test_vectors.json')
    for (const { input_len: lengthBytes, hash } of cases) {
      tally.check(`${lengthBytes} bytes`, () => {
        const bytes = input(lengthBytes)
        for (const backend of backends) {
          const expected = hash.slice(0, DIGEST_HEX_CHARS)
          expect(toHex(backend.hash(bytes)), backend.name).toBe(expected)
          const hasher = backend.createHasher()
          for (let offset = 0; offset < lengthBytes; offset += PIECE_BYTES) {
            hasher.update(bytes.subarray(offset, offset + PIECE_BYTES))
          }
          expect(toHex(hasher.digest()), `${backend.name} in pieces`).toBe(expected)
        }
      })
    }
    expect(tally.cases).toBe(35)
  })
})
