import { describe, expect, it } from 'vitest'
import { LruMap } from '../../src/protocol/lru.ts'

describe('LruMap', () => {
  it('keeps the entries used last, and no more than its limit', () => {
    const map = new LruMap<string, number>(2)
    map.set('a', 1)
    map.set('b', 2)
    expect(map.get('a')).toBe(1)
    map.set('c', 3)
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3])
    expect(map.size).toBe(2)
  })

  it('replaces a value without forgetting another key', () => {
    const map = new LruMap<string, number>(2)
    map.set('a', 1)
    map.set('b', 2)
    map.set('a', 3)
    expect([map.get('a'), map.get('b'), map.size]).toEqual([3, 2, 2])
  })
})
