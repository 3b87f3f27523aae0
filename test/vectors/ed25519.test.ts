import { afterAll, describe, expect, it } from 'vitest'
import { selectBackends } from '../../src/protocol/crypto/backends.ts'
import { ed25519Backends, verifyEd25519 } from '../../src/protocol/crypto/ed25519.ts'
import { parseHex, utf8 } from '../../src/protocol/bytes.ts'
import { describeVectors } from '../_util/vectors.ts'

interface CctvVector {
  readonly number: number
  readonly key: string
  readonly sig: string
  readonly msg: string
  readonly flags: readonly string[] | null
}

interface SpeccheckVector {
  readonly message: string
  readonly pub_key: string
  readonly signature: string
}

/** The strict rule as a function of the flags (README of the vectors): 43 of 914. */
const REFUSED_FLAGS = ['low_order_A', 'low_order_R', 'low_order_residue']
/** The row "strict" of the README: only case 3. */
const SPECCHECK_ACCEPTED = [3]

/** The verdicts of all backends of this machine, which must be one. */
function verdictOfAll(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  const verdicts = new Map<string, boolean>()
  for (const backend of ed25519Backends.available()) {
    ed25519Backends.use(backend)
    verdicts.set(backend.name, verifyEd25519(signature, message, publicKey))
  }
  const distinct = new Set(verdicts.values())
  if (distinct.size !== 1) throw new Error(`backends disagree: ${JSON.stringify([...verdicts])}`)
  return [...distinct][0] === true
}

describe('Ed25519 edge cases (UCAN-7)', () => {
  afterAll(() => {
    selectBackends()
  })

  describeVectors('ed25519-cctv', (folder, tally) => {
    it('accepts exactly what the strict rule accepts, on every backend', () => {
      const vectors: CctvVector[] = folder.json('ed25519vectors.json')
      let accepted = 0
      for (const { number, key, sig, msg, flags } of vectors) {
        tally.check(`number ${number}`, () => {
          const expected = REFUSED_FLAGS.every((flag) => flags?.includes(flag) !== true)
          const verdict = verdictOfAll(parseHex(sig), utf8(msg), parseHex(key))
          expect(verdict).toBe(expected)
          if (verdict) accepted++
        })
      }
      expect({ cases: tally.cases, accepted }).toEqual({ cases: 914, accepted: 43 })
    })
  })

  describeVectors('ed25519-speccheck', (folder, tally) => {
    it('accepts exactly what the strict rule accepts, on every backend', () => {
      const vectors: SpeccheckVector[] = folder.json('cases.json')
      for (const [index, { message, pub_key: key, signature }] of vectors.entries()) {
        tally.check(`case ${index}`, () => {
          const verdict = verdictOfAll(parseHex(signature), parseHex(message), parseHex(key))
          expect(verdict).toBe(SPECCHECK_ACCEPTED.includes(index))
        })
      }
      expect(tally.cases).toBe(12)
    })
  })
})
