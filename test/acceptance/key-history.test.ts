/** The kill loop's expectation of a key must allow every outcome that is right, and no other. */
import { describe, expect, it } from 'vitest'
import { KeyHistory } from '../_util/kill-loop/key-history.ts'

describe('what a key may hold after a crash', () => {
  it('is nothing before any write', () => {
    expect(new KeyHistory().possible()).toEqual([null])
  })

  it('is the last acknowledged value, and none before it', () => {
    const history = new KeyHistory()
    history.acknowledge(history.send('a', 1), 2)
    history.acknowledge(history.send('b', 3), 4)
    expect(history.possible()).toEqual(['b'])
  })

  it('is nothing after an acknowledged delete', () => {
    const history = new KeyHistory()
    history.acknowledge(history.send('a', 1), 2)
    history.acknowledge(history.send(null, 3), 4)
    expect(history.possible()).toEqual([null])
  })

  it('is the acknowledged value or any that was never answered', () => {
    const history = new KeyHistory()
    history.acknowledge(history.send('a', 1), 2)
    history.send('b', 3)
    history.send(null, 4)
    expect(history.possible()).toEqual(['a', 'b', null])
  })

  it('is a value that was never answered also when a later one was acknowledged', () => {
    const history = new KeyHistory()
    history.send('a', 1)
    history.acknowledge(history.send('b', 2), 3)
    expect(history.possible()).toEqual(['a', 'b'])
  })

  it('is either of two acknowledged values whose requests overlapped', () => {
    const history = new KeyHistory()
    const first = history.send('a', 1)
    const second = history.send('b', 2)
    history.acknowledge(second, 3)
    history.acknowledge(first, 4)
    expect(history.possible()).toEqual(['a', 'b'])
  })

  it('is not a value that was refused', () => {
    const history = new KeyHistory()
    history.acknowledge(history.send('a', 1), 2)
    history.refuse(history.send('b', 3))
    expect(history.possible()).toEqual(['a'])
  })

  it('is what was read after the crash, from then on', () => {
    const history = new KeyHistory()
    history.acknowledge(history.send('a', 1), 2)
    history.send('b', 3)
    history.settle('b', 4)
    expect(history.possible()).toEqual(['b'])
    history.acknowledge(history.send('c', 5), 6)
    expect(history.possible()).toEqual(['c'])
  })
})
