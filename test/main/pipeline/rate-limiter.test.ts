import { describe, expect, it } from 'vitest'

import { RateLimiter } from '../../../src/main/pipeline/rate-limiter.ts'

/** A limiter with a clock that the test turns. */
function limited(perMinute: number, burst: number, clientsMax?: number) {
  let nowMs = 1_000_000
  const limiter = new RateLimiter({ perMinute, burst }, () => nowMs, clientsMax)
  return {
    limiter,
    wait: (ms: number) => {
      nowMs += ms
    },
    /** How many of `count` requests pass at once. */
    passing: (client: string, count: number): number =>
      Array.from({ length: count }, () => limiter.take(client)).filter(
        (waitS) => waitS === undefined,
      ).length,
  }
}

describe('the rate of a client (PUBLIC-4)', () => {
  it('allows a burst and then a steady rate', () => {
    const { passing, wait } = limited(60, 10)
    expect(passing('a', 100)).toBe(11)
    wait(999)
    expect(passing('a', 5)).toBe(0)
    wait(1)
    expect(passing('a', 5)).toBe(1)
    wait(5000)
    expect(passing('a', 50)).toBe(5)
  })

  it('fills up to its burst and no further', () => {
    const { passing, wait } = limited(60, 10)
    passing('a', 100)
    wait(3_600_000)
    expect(passing('a', 100)).toBe(11)
  })

  it('is each client its own', () => {
    const { passing } = limited(60, 0)
    expect(passing('a', 10)).toBe(1)
    expect(passing('b', 10)).toBe(1)
    expect(passing('a', 10)).toBe(0)
  })

  it('says how long to wait, in whole seconds', () => {
    const { limiter, wait } = limited(6, 0)
    expect(limiter.take('a')).toBeUndefined()
    expect(limiter.take('a')).toBe(10)
    wait(9500)
    expect(limiter.take('a')).toBe(1)
    wait(500)
    expect(limiter.take('a')).toBeUndefined()
  })

  it('is not used up by what it refuses', () => {
    const { limiter, wait, passing } = limited(60, 0)
    passing('a', 1)
    for (let tenth = 1; tenth < 10; tenth++) {
      wait(100)
      expect(limiter.take('a')).toBe(1)
    }
    wait(100)
    expect(passing('a', 1)).toBe(1)
  })
})

describe('the memory of the limiter', () => {
  it('forgets clients whose bucket is full again', () => {
    const { limiter, wait, passing } = limited(60, 10)
    for (let client = 0; client < 1000; client++) passing(`client ${client}`, 3)
    expect(limiter.clientCount).toBe(1000)
    wait(60_000)
    for (let client = 0; client < 1000; client++) passing('a', 1)
    expect(limiter.clientCount).toBe(1)
  })

  it('is bounded, whoever comes; those seen last are remembered', () => {
    const { limiter, passing } = limited(60, 0, 100)
    for (let client = 0; client < 10_000; client++) {
      passing(`client ${client}`, 1)
      expect(limiter.clientCount).toBeLessThanOrEqual(100)
    }
    expect(passing('client 9999', 1)).toBe(0)
    expect(passing('client 0', 1)).toBe(1)
  })
})
