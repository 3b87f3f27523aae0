import { describe, expect, it } from 'vitest'

import { ReplayClaims } from '../../../src/main/pipeline/replay-claims.ts'
import { createRandom } from '../../_util/random.ts'

/** An id whose first word is chosen, so that ids can share a place in the index. */
function createId(first: number, rest = 0): Uint8Array {
  const id = Buffer.alloc(16)
  id.writeUInt32LE(first >>> 0, 0)
  id.writeUInt32LE(rest >>> 0, 12)
  return id
}

describe('ReplayClaims (INV-10)', () => {
  it('grants an id once', () => {
    const claims = new ReplayClaims(8, 1)
    expect(claims.claim(createId(1), 100, 0)).toBe(true)
    expect(claims.claim(createId(1), 100, 0)).toBe(false)
    expect(claims.claim(createId(2), 100, 0)).toBe(true)
    expect(claims.claim(createId(1), 100, 99)).toBe(false)
  })

  it('reads only the first 16 bytes, and all of them', () => {
    const claims = new ReplayClaims(64, 1)
    const id = new Uint8Array(32).fill(5)
    expect(claims.claim(id, 100, 0)).toBe(true)
    expect(claims.claim(id.subarray(0, 16), 100, 0)).toBe(false)
    for (let byte = 0; byte < 16; byte++) {
      const other = Uint8Array.from(id)
      other[byte] = 6
      expect(claims.claim(other, 100, 0)).toBe(true)
    }
  })

  it('forgets what has expired, and keeps what has not, to the last fraction of a second', () => {
    const claims = new ReplayClaims(8, 1)
    claims.claim(createId(1), 10.2, 0)
    claims.claim(createId(2), 50, 0)
    expect(claims.claim(createId(1), 10.2, 10.9)).toBe(false)
    expect(claims.claim(createId(3), 50, 11.1)).toBe(true)
    expect(claims.count).toBe(2)
  })

  it('forgets the oldest when it is full', () => {
    const claims = new ReplayClaims(4, 1)
    for (let index = 0; index < 5; index++) expect(claims.claim(createId(index), 100, 0)).toBe(true)
    expect(claims.count).toBe(4)
    for (let index = 1; index < 5; index++)
      expect(claims.claim(createId(index), 100, 0)).toBe(false)
    expect(claims.claim(createId(0), 100, 0)).toBe(true)
  })

  it('agrees with a plain list over long runs with collisions and expiry', () => {
    for (const seed of [1, 2, 3]) {
      const random = createRandom(seed)
      const capacity = 64
      const claims = new ReplayClaims(capacity, seed * 99_991)
      let kept: { name: string; expiresAtS: number }[] = []
      let nowS = 0
      for (let step = 0; step < 20_000; step++) {
        if (random.below(20) === 0) nowS += 1
        const first = random.below(16)
        const rest = random.below(20)
        const expiresAtS = nowS + 1 + random.below(5)
        const name = `${first} ${rest}`
        const isNew = !kept.some((entry) => entry.name === name)
        expect(claims.claim(createId(first, rest), expiresAtS, nowS)).toBe(isNew)
        if (!isNew) continue
        const live = kept.findIndex((entry) => entry.expiresAtS >= nowS)
        kept = live < 0 ? [] : kept.slice(live)
        if (kept.length === capacity) kept.shift()
        kept.push({ name, expiresAtS })
        expect(claims.count).toBe(kept.length)
      }
    }
  })
})
