import { describe, expect, it } from 'vitest'

import { runPhases } from '../../src/main/shutdown.ts'

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('runPhases', () => {
  it('runs one phase after the other and names none when all are in time', async () => {
    const seen: string[] = []
    const phase = (name: string) => ({
      name,
      deadlineMs: 1000,
      run: async () => {
        seen.push(`${name} starts`)
        await sleep(5)
        seen.push(`${name} ends`)
      },
    })
    expect(await runPhases([phase('a'), phase('b')], (name) => seen.push(name))).toEqual([])
    expect(seen).toEqual(['a', 'a starts', 'a ends', 'b', 'b starts', 'b ends'])
  })

  it('cuts off a phase that is late, goes on, and names it; the limit is one for all', async () => {
    const startedMs = performance.now()
    const late = await runPhases(
      [
        { name: 'hangs', deadlineMs: 60, run: () => sleep(5000) },
        { name: 'quick', deadlineMs: 60, run: () => Promise.resolve() },
        { name: 'slow', deadlineMs: 80, run: () => sleep(60) },
        { name: 'breaks', deadlineMs: 1000, run: () => Promise.reject(new Error('planted')) },
      ],
      () => undefined,
    )
    expect(late).toEqual(['hangs', 'slow', 'breaks'])
    expect(performance.now() - startedMs).toBeLessThan(1000)
  })
})
