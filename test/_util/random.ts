/** Seeded randomness: the same seed gives the same run. */

export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number in [0, limit). */
  below(limit: number): number
  pick<T>(items: readonly T[]): T
  bytes(count: number): Uint8Array
}

/** Mulberry32: 32 bits of state, good enough to choose between cases, and no more. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const next = (): number => next32() / 2 ** 32
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    pick<T>(items: readonly T[]): T {
      const picked = items[below(items.length)]
      if (picked === undefined) throw new RangeError('pick from nothing')
      return picked
    },
    bytes(count) {
      const bytes = Buffer.alloc(count)
      let offset = 0
      for (; offset + 4 <= count; offset += 4) bytes.writeUInt32LE(next32(), offset)
      for (; offset < count; offset++) bytes[offset] = below(256)
      return bytes
    },
  }
}

/** The run's seed: `TINYCLOUD_TEST_SEED` to repeat one, else a new one. */
export function chooseSeed(): number {
  const wanted = process.env['TINYCLOUD_TEST_SEED']
  return wanted === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(wanted)
}

/** A count that a long run raises through its variable. */
export function countFromEnvironment(name: string, fallback: number): number {
  const text = process.env[name]
  if (text === undefined) return fallback
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`${name} must be a count`)
  return count
}
