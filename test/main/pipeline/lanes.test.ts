import { describe, expect, it } from 'vitest'

import { type LaneItem, Lanes } from '../../../src/main/pipeline/lanes.ts'

interface Item extends LaneItem {
  readonly name: string
}

function fill(lanes: Lanes<Item>, lane: string, count: number, bytes = 1): void {
  for (let index = 0; index < count; index++) lanes.push({ lane, bytes, name: `${lane}${index}` })
}

const names = (items: readonly Item[]): string => items.map((item) => item.name).join(' ')

describe('Lanes', () => {
  it('takes one of each lane in turn, so that a busy one does not starve the others', () => {
    const lanes = new Lanes<Item>()
    fill(lanes, 'a', 100)
    fill(lanes, 'b', 2)
    fill(lanes, 'c', 1)
    expect(names(lanes.take({ itemsMax: 6, bytesMax: 100 }))).toBe('a0 b0 c0 a1 b1 a2')
    expect(lanes.itemCount).toBe(97)
    expect(lanes.laneCount).toBe(1)
  })

  it('goes on with the next lane in the next batch', () => {
    const lanes = new Lanes<Item>()
    fill(lanes, 'a', 3)
    fill(lanes, 'b', 3)
    expect(names(lanes.take({ itemsMax: 3, bytesMax: 100 }))).toBe('a0 b0 a1')
    expect(names(lanes.take({ itemsMax: 3, bytesMax: 100 }))).toBe('b1 a2 b2')
    expect(lanes.laneCount).toBe(0)
    expect(lanes.take({ itemsMax: 3, bytesMax: 100 })).toEqual([])
  })

  it('keeps to the bytes, lets a large item travel alone, and never lets it be overtaken', () => {
    const lanes = new Lanes<Item>()
    fill(lanes, 'a', 1, 60)
    fill(lanes, 'b', 1, 500)
    fill(lanes, 'c', 1, 10)
    expect(names(lanes.take({ itemsMax: 32, bytesMax: 100 }))).toBe('a0')
    expect(names(lanes.take({ itemsMax: 32, bytesMax: 100 }))).toBe('b0')
    expect(names(lanes.take({ itemsMax: 32, bytesMax: 100 }))).toBe('c0')
  })

  it('keeps the order within a lane', () => {
    const lanes = new Lanes<Item>()
    fill(lanes, 'a', 50)
    const taken: Item[] = []
    while (lanes.itemCount > 0) taken.push(...lanes.take({ itemsMax: 7, bytesMax: 100 }))
    expect(taken.map((item) => item.name)).toEqual(
      Array.from({ length: 50 }, (_, index) => `a${index}`),
    )
  })
})
