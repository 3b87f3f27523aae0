import { describe, expect, it } from 'vitest'
import { parseParameters } from '../../../../src/workers/compute/invoke/capabilities-parameters.ts'

const all = { type: 'list', direction: 'all', path: undefined, actions: undefined }
const given = (parameters: unknown) => parseParameters([{ capabilitiesReadParams: parameters }])

describe('parseParameters (CAP-2)', () => {
  it('reads filters and chains', () => {
    const filters = { direction: 'created', path: 'photos', actions: ['tinycloud.kv/get', 5] }
    expect(given({ type: 'list', filters })).toEqual({
      type: 'list',
      direction: 'created',
      path: 'photos',
      actions: new Set(['tinycloud.kv/get']),
    })
    expect(given({ type: 'chain', delegation_cid: 'bafy' })).toEqual({
      type: 'chain',
      delegationCid: 'bafy',
    })
  })

  it('takes what it cannot read as absent', () => {
    for (const facts of [[], ['text'], [null], [{ other: 1 }]])
      expect(parseParameters(facts)).toEqual(all)
    for (const parameters of [
      null,
      'x',
      {},
      { type: 'chain' },
      { type: 'other' },
      { type: 'list', filters: [] },
    ])
      expect(given(parameters)).toEqual(all)
    expect(
      given({ type: 'list', filters: { direction: 'sideways', path: 5, actions: 'x' } }),
    ).toEqual(all)
  })

  it('looks at own members only', () => {
    const inherited = Object.create({
      capabilitiesReadParams: { type: 'chain', delegation_cid: 'x' },
    })
    expect(parseParameters([inherited])).toEqual(all)
  })
})
