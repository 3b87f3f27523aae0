import { describe, expect, it } from 'vitest'

import { AnswerCache, TOO_MANY_FLIGHTS } from '../../../src/main/network/answer-cache.ts'

const open = (clock: { ms: number }, limits: { entriesMax?: number; flightsMax?: number } = {}) =>
  new AnswerCache<string>({ entriesMax: 2, flightsMax: 2, ...limits, nowMs: () => clock.ms })

const about = (subject: string, client = '192.0.2.1'): { subject: string; client: string } => ({
  subject,
  client,
})

/** A question that counts how often it was asked. */
function question(value: string, lifetimeMs = 100) {
  const asked = { count: 0 }
  const ask = (): Promise<{ value: string; lifetimeMs: number }> => {
    asked.count += 1
    return Promise.resolve({ value, lifetimeMs })
  }
  return { asked, ask }
}

/** A question that is answered when the test says so. */
function pending() {
  const { promise, resolve, reject } = Promise.withResolvers<{
    value: string
    lifetimeMs: number
  }>()
  return { ask: () => promise, resolve, reject }
}

describe('answers', () => {
  it('are given again until their time is over, and then asked for', async () => {
    const clock = { ms: 0 }
    const cache = open(clock)
    const { asked, ask } = question('yes', 100)
    expect(await cache.get(about('a'), ask)).toBe('yes')
    clock.ms = 99
    expect(await cache.get(about('a'), ask)).toBe('yes')
    expect(asked.count).toBe(1)
    clock.ms = 100
    expect(await cache.get(about('a'), ask)).toBe('yes')
    expect(asked.count).toBe(2)
  })

  it('are kept up to a number, those used last', async () => {
    const cache = open({ ms: 0 })
    const [a, b, c] = [question('a'), question('b'), question('c')]
    await cache.get(about('a'), a.ask)
    await cache.get(about('b'), b.ask)
    await cache.get(about('a'), a.ask)
    await cache.get(about('c'), c.ask)
    expect(cache.size).toBe(2)
    await cache.get(about('a'), a.ask)
    expect(a.asked.count).toBe(1)
    await cache.get(about('b'), b.ask)
    expect(b.asked.count).toBe(2)
  })

  it('live from when they came, not from when they were asked for', async () => {
    const clock = { ms: 0 }
    const cache = open(clock)
    const slow = pending()
    const first = cache.get(about('a'), slow.ask)
    clock.ms = 1000
    slow.resolve({ value: 'late', lifetimeMs: 100 })
    expect(await first).toBe('late')
    clock.ms = 1099
    expect(await cache.get(about('a'), question('other').ask)).toBe('late')
  })
})

describe('questions', () => {
  it('are on their way once, however many wait', async () => {
    const cache = open({ ms: 0 })
    const slow = pending()
    const second = question('other')
    const waiting = [cache.get(about('a'), slow.ask), cache.get(about('a'), second.ask)]
    slow.resolve({ value: 'one', lifetimeMs: 0 })
    expect(await Promise.all(waiting)).toEqual(['one', 'one'])
    expect(second.asked.count).toBe(0)
  })

  it('are not asked when too many are on their way; known answers are given all the same', async () => {
    const cache = open({ ms: 0 })
    await cache.get(about('known'), question('yes').ask)
    const [a, b] = [pending(), pending()]
    const flights = [cache.get(about('a'), a.ask), cache.get(about('b', 'other'), b.ask)]
    const refused = question('no')
    expect(await cache.get(about('c', 'third'), refused.ask)).toBe(TOO_MANY_FLIGHTS)
    expect(refused.asked.count).toBe(0)
    expect(await cache.get(about('known'), refused.ask)).toBe('yes')
    a.resolve({ value: 'a', lifetimeMs: 0 })
    b.resolve({ value: 'b', lifetimeMs: 0 })
    await Promise.all(flights)
    expect(await cache.get(about('c'), refused.ask)).toBe('no')
  })

  it('of one client are half of all at most, and it may join those of others', async () => {
    const cache = open({ ms: 0 }, { flightsMax: 4 })
    const [a, b, c] = [pending(), pending(), pending()]
    const flights = [cache.get(about('a'), a.ask), cache.get(about('b'), b.ask)]
    const refused = question('no')
    expect(await cache.get(about('c'), refused.ask)).toBe(TOO_MANY_FLIGHTS)
    flights.push(cache.get(about('c', 'other'), c.ask), cache.get(about('c'), refused.ask))
    a.resolve({ value: 'a', lifetimeMs: 0 })
    await flights[0]
    expect(await cache.get(about('d'), refused.ask)).toBe('no')
    for (const flight of [b, c]) flight.resolve({ value: 'bc', lifetimeMs: 0 })
    expect(await Promise.all(flights)).toEqual(['a', 'bc', 'bc', 'bc'])
    expect(refused.asked.count).toBe(1)
  })

  it('that fail leave nothing behind', async () => {
    const cache = open({ ms: 0 })
    const broken = pending()
    const first = cache.get(about('a'), broken.ask)
    broken.reject(new Error('broken'))
    await expect(first).rejects.toThrow('broken')
    expect(cache.size).toBe(0)
    expect(await cache.get(about('a'), question('whole').ask)).toBe('whole')
  })
})
