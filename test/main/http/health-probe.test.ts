import { describe, expect, it } from 'vitest'

import { HealthProbe } from '../../../src/main/http/health-probe.ts'
import { type Failure } from '../../../src/protocol/answer.ts'

function createProbe() {
  const state = {
    nowMs: 0,
    probes: [] as boolean[],
    failure: undefined as Failure | undefined,
    isComputeAlive: true,
  }
  const probe = new HealthProbe(
    {
      probeStorage: async (write) => {
        state.probes.push(write)
        await Promise.resolve()
        return state.failure
      },
      isComputeAlive: () => state.isComputeAlive,
    },
    () => state.nowMs,
  )
  return { probe, state }
}

describe('HealthProbe', () => {
  it('asks once for all who ask at the same time, apart by kind', async () => {
    const { probe, state } = createProbe()
    await Promise.all([
      probe.check(false),
      probe.check(true),
      probe.check(false),
      probe.check(true),
    ])
    expect(state.probes).toEqual([false, true])
  })

  it('lets a result hold for half a second', async () => {
    const { probe, state } = createProbe()
    await probe.check(true)
    state.nowMs = 499
    await probe.check(true)
    expect(state.probes).toHaveLength(1)
    state.nowMs = 500
    state.failure = { code: 'STORAGE_UNAVAILABLE', detail: '' }
    expect(await probe.check(true)).toEqual(state.failure)
    expect(state.probes).toHaveLength(2)
  })

  it('is ill without a compute worker, whatever storage says', async () => {
    const { probe, state } = createProbe()
    state.isComputeAlive = false
    expect(await probe.check(false)).toBeDefined()
    expect(state.probes).toEqual([])
  })
})
