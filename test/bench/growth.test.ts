/** What the bench fills stores with is what clients would have left: signed, acknowledged, and whole. */
import { afterEach, describe, expect, it } from 'vitest'
import { growStore } from '../../bench/growth/grown-store.ts'
import { createPopulation } from '../../bench/growth/population.ts'
import { StoreMeter } from '../../bench/growth/store-turn.ts'
import { accountNumbered, createNumberedAccounts } from '../../bench/load/accounts.ts'
import { keyNumbered, planRequest } from '../../bench/load/plan.ts'
import { runVerifyProcess } from '../_util/verify-process.ts'

const SETTINGS = {
  isQuick: true,
  seconds: 0.2,
  pairs: 1,
  attemptsPerPairMax: 1,
  warmUpSeconds: 0,
  computeWorkers: undefined,
  against: undefined,
}

describe('numbered accounts', () => {
  it('are the same in every thread, and no two alike', () => {
    const accounts = createNumberedAccounts(2)
    expect(accountNumbered(accounts, 1)).toEqual(accountNumbered({ ...accounts }, 1))
    expect(accountNumbered(accounts, 0).space).not.toBe(accountNumbered(accounts, 1).space)
    expect(accountNumbered(createNumberedAccounts(2), 1).space).not.toBe(
      accountNumbered(accounts, 1).space,
    )
  })
})

describe('a scattered load', () => {
  const KEYS = 5000
  const stored = Array.from({ length: KEYS }, (_, no) => keyNumbered(no, true))
  const planned = (mode: 'get' | 'replace' | 'put' | 'list', count = 2000) =>
    Array.from({ length: count }, (_, index) =>
      planRequest(index, { mode, spaces: 7, keys: KEYS, isScattered: true }),
    )

  it('meets keys that are there, all over, in all spaces', () => {
    const gets = planned('get')
    expect(new Set(stored).size).toBe(KEYS)
    expect(gets.every(({ key }) => stored.includes(key))).toBe(true)
    expect(new Set(gets.map(({ key }) => key)).size).toBeGreaterThan(1000)
    expect(new Set(gets.map(({ account }) => account)).size).toBe(7)
  })

  it('puts keys that are not there', () => {
    const puts = planned('put').map(({ key }) => key)
    expect(new Set([...puts, ...stored]).size).toBe(puts.length + KEYS)
  })

  it('lists prefixes under which a page of keys lies', () => {
    const prefixes = new Set(planned('list').map(({ key }) => key))
    expect(prefixes.size).toBeGreaterThan(10)
    for (const prefix of prefixes)
      expect(stored.filter((key) => key.startsWith(prefix)).length).toBeGreaterThanOrEqual(100)
  })
})

describe('a grown store', () => {
  const removals: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const remove of removals.splice(0)) await remove()
  })

  it.each([
    { name: 'one space, a token per key', population: createPopulation(1, 300) },
    {
      name: 'spaces with batches',
      population: { ...createPopulation(5, 20), keysPerToken: 15 },
    },
  ])(
    'is clean and answers its load: $name',
    async ({ name, population }) => {
      const store = await growStore(name, population, SETTINGS)
      removals.push(() => store.remove())
      const node = await store.start()
      const { exitCode, output } = await runVerifyProcess(store.directory)
      await node.stop()
      expect({ exitCode, output }).toMatchObject({ exitCode: 0 })
      expect(output).toContain(String(population.accounts.count * population.keysPerSpace))
      const turn = await new StoreMeter(store).takeTurn(
        [
          { name: 'get', mode: 'get' },
          { name: 'put', mode: 'put' },
        ],
        SETTINGS.seconds,
      )
      for (const { alone, crowded } of Object.values(turn.reports))
        for (const { statuses } of [alone, crowded]) expect(Object.keys(statuses)).toEqual(['200'])
      expect(turn.startMs).toBeGreaterThan(0)
    },
    60_000,
  )
})
