import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  countedRounds,
  measureRounds,
  type Round,
  shareOfSide,
  type Side,
  type SideName,
  spreadOfSide,
} from '../../bench/compare/pairs.ts'

const SIDES: readonly Side[] = [
  { name: 'node', url: 'http://127.0.0.1:1', pid: undefined },
  { name: 'limit', url: 'http://127.0.0.1:2', pid: undefined },
  { name: 'against', url: 'http://127.0.0.1:3', pid: undefined },
]

const round = (
  figures: Partial<Record<SideName, number>>,
  foreignShare = 0,
  isDisturbed = false,
): Round<number> => ({
  turns: Object.fromEntries(
    Object.entries(figures).map(([name, report]) => [name, { report, usage: undefined }]),
  ),
  foreignShare,
  isDisturbed,
})

const itself = (value: number): number => value

describe('rounds', () => {
  it('give every side the same load, and start with another side each time', async () => {
    const turns: string[] = []
    await measureRounds({
      sides: SIDES,
      rounds: 3,
      attemptsPerRoundMax: 1,
      prepare: async (roundNo) => `load ${roundNo}`,
      measure: async ({ name }, load) => turns.push(`${name} ${load}`),
    })
    expect(turns).toEqual([
      'node load 0',
      'limit load 0',
      'against load 0',
      'limit load 1',
      'against load 1',
      'node load 1',
      'against load 2',
      'node load 2',
      'limit load 2',
    ])
  })

  it('are disturbed by foreign load, and repeated up to the named number of attempts', async () => {
    const stranger = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
    try {
      const own: Side = { name: 'node', url: 'http://127.0.0.1:1', pid: process.pid }
      const rounds = await measureRounds({
        sides: [own],
        rounds: 1,
        attemptsPerRoundMax: 3,
        prepare: async () => undefined,
        measure: async () => sleep(300),
      })
      expect(rounds.map(({ isDisturbed }) => isDisturbed)).toEqual([true, true, true])
    } finally {
      stranger.kill('SIGKILL')
    }
  })
})

describe('figures of rounds', () => {
  it('leave disturbed rounds out while there is an undisturbed one', () => {
    const rounds = [round({ node: 1 }, 0.5, true), round({ node: 8 }), round({ node: 10 })]
    expect(countedRounds(rounds)).toHaveLength(2)
    expect(spreadOfSide(rounds, 'node', itself)).toEqual({ median: 9, least: 8, most: 10 })
  })

  it('count all rounds where every one was disturbed', () => {
    const rounds = [round({ node: 1 }, 0.5, true), round({ node: 3 }, 0.5, true)]
    expect(spreadOfSide(rounds, 'node', itself)?.median).toBe(2)
  })

  it('divide within a round, not medians by medians', () => {
    const rounds = [
      round({ node: 10, limit: 20 }),
      round({ node: 90, limit: 100 }),
      round({ node: 40, limit: 50 }),
    ]
    expect(shareOfSide(rounds, 'limit', itself)).toEqual({ median: 0.8, least: 0.5, most: 0.9 })
  })

  it('are missing for a side that did not run', () => {
    const rounds = [round({ node: 10 })]
    expect(spreadOfSide(rounds, 'against', itself)).toBeUndefined()
    expect(shareOfSide(rounds, 'against', itself)).toBeUndefined()
  })
})
