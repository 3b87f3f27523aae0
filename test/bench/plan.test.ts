import { describe, expect, it } from 'vitest'
import { parseBenchOptions } from '../../bench/options.ts'
import { createAccounts } from '../../bench/load/accounts.ts'
import { createTokenMaker, planRequest } from '../../bench/load/plan.ts'
import { sumByStage } from '../../bench/profiling/stages.ts'
import { parseToken, verifyToken } from '../../src/protocol/token.ts'

const keysOf = (plan: Parameters<typeof planRequest>[1], count: number): string[] =>
  Array.from({ length: count }, (_, index) => planRequest(index, plan).key)

describe('the plan of a load', () => {
  it('puts a new key each time', () => {
    expect(new Set(keysOf({ mode: 'put', spaces: 1, keys: 10 }, 500)).size).toBe(500)
  })

  it('writes every key into every space before it reads them', () => {
    const prepared = keysOf({ mode: 'prepare', spaces: 4, keys: 10 }, 40)
    expect(new Set(prepared).size).toBe(10)
    expect(prepared.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => prepared[0]))
    const read = keysOf({ mode: 'get', spaces: 4, keys: 10 }, 500)
    expect(new Set(read)).toEqual(new Set(prepared))
  })

  it('mixes four gets with one put', () => {
    const plan = { mode: 'mixed', spaces: 1, keys: 10 } as const
    const puts = Array.from({ length: 1000 }, (_, index) => planRequest(index, plan)).filter(
      ({ operation }) => operation === 'put',
    )
    expect(puts.length).toBeGreaterThan(180)
    expect(puts.length).toBeLessThan(220)
  })

  it('signs tokens that verify, no two alike, for a chain as deep as asked for', () => {
    const accounts = createAccounts({ count: 2, depth: 4 })
    expect(accounts.map(({ delegations }) => delegations.length)).toEqual([4, 4])
    const makeToken = createTokenMaker(accounts)
    const operations = ['put', 'put', 'get', 'list', 'delegate'] as const
    const tokens = operations.map((operation, index) =>
      makeToken({ operation, key: 'a', account: index % 2 }),
    )
    expect(new Set(tokens).size).toBe(tokens.length)
    const delegations = accounts.flatMap((account) => account.delegations)
    for (const token of [...tokens, ...delegations])
      expect(() => verifyToken(parseToken(token))).not.toThrow()
  })
})

describe('options', () => {
  it('measure seven pairs by themselves and three in a hurry', () => {
    expect(parseBenchOptions([])).toMatchObject({ isQuick: false, pairs: 7 })
    expect(parseBenchOptions(['--quick'])).toMatchObject({ isQuick: true, pairs: 3 })
    expect(parseBenchOptions(['--quick', '--pairs', '1'])).toMatchObject({ pairs: 1 })
  })

  it.each(['--pairs=0', '--seconds=long', '--against-pid=-1', '--fast'])('refuse %s', (option) =>
    expect(() => parseBenchOptions([option])).toThrow(option.split('=')[0] ?? option),
  )
})

describe('stages', () => {
  it('put every file somewhere, and add up', () => {
    const files = [
      { name: 'src/protocol/crypto/ed25519.ts', selfUs: 5 },
      { name: 'sodium-native/index.js', selfUs: 7 },
      { name: '(garbage collector)', selfUs: 3 },
      { name: 'node:internal/fs/promises', selfUs: 2 },
      { name: 'src/main/http/server.ts', selfUs: 1 },
      { name: 'something-else/index.js', selfUs: 4 },
    ]
    expect(sumByStage(files)).toEqual([
      { name: 'signatures and hashes', selfUs: 12 },
      { name: 'other', selfUs: 4 },
      { name: 'garbage collection', selfUs: 3 },
      { name: 'packs and files', selfUs: 2 },
      { name: 'HTTP', selfUs: 1 },
    ])
  })
})
