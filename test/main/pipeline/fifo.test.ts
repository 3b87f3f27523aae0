import { describe, expect, it } from 'vitest'

import { Fifo } from '../../../src/main/pipeline/fifo.ts'

describe('Fifo', () => {
  it('gives items in the order in which they came, over many turns', () => {
    const queue = new Fifo<number>()
    let pushed = 0
    let shifted = 0
    for (let round = 0; round < 200; round++) {
      for (let count = round % 7; count >= 0; count--) queue.push(pushed++)
      for (let count = round % 5; count >= 0 && queue.length > 0; count--) {
        expect(queue.peek()).toBe(shifted)
        expect(queue.shift()).toBe(shifted++)
      }
      expect(queue.length).toBe(pushed - shifted)
    }
    expect(pushed).toBeGreaterThan(500)
  })

  it('is empty at first and again at the end', () => {
    const queue = new Fifo<string>()
    expect(queue.shift()).toBeUndefined()
    queue.push('a')
    expect(queue.shift()).toBe('a')
    expect(queue.shift()).toBeUndefined()
    expect(queue.length).toBe(0)
  })
})
