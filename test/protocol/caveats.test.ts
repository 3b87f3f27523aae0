import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assertRecapCaveats,
  type CaveatUse,
  containsCaveats,
  equalJson,
  NO_CAVEATS,
  parseUcanCaveats,
} from '../../src/protocol/caveats.ts'
import { codeOf } from '../_util/credentials.ts'

const contains = (parent: unknown[], child: unknown[], use: CaveatUse = 'delegation'): boolean =>
  containsCaveats(parseUcanCaveats(parent), parseUcanCaveats(child), use)

describe('parseUcanCaveats', () => {
  it('takes one empty entry as no caveat', () => {
    expect(parseUcanCaveats([{}])).toEqual({})
    expect(parseUcanCaveats([{}])).toBe(NO_CAVEATS)
  })

  it('keeps anything else by index', () => {
    expect(parseUcanCaveats([{ a: 1 }])).toEqual({ 0: { a: 1 } })
    expect(parseUcanCaveats([{}, {}])).toEqual({ 0: {}, 1: {} })
  })

  it.each([[[]], [[null]], [[[]]], [['x']], [[{}, null]], [null], [{}], ['[{}]'], [undefined]])(
    'refuses %j',
    (value) => expect(codeOf(() => parseUcanCaveats(value))).toBe('TOKEN_MALFORMED'),
  )
})

describe('assertRecapCaveats', () => {
  it('takes empty entries only', () => {
    expect(codeOf(() => assertRecapCaveats([{}]))).toBeUndefined()
    expect(codeOf(() => assertRecapCaveats([{}, {}]))).toBeUndefined()
    for (const value of [[], [null], [{ a: 1 }], [{}, { a: 1 }], null, {}])
      expect(codeOf(() => assertRecapCaveats(value))).toBe('TOKEN_MALFORMED')
  })
})

describe('containsCaveats (CAVEAT-1)', () => {
  it('lets a child of an unrestricted parent state anything', () => {
    for (const child of [[{}], [{ only: 'sundays' }], [{}, {}]])
      expect(contains([{}], child, 'invocation')).toBe(true)
  })

  it('demands unknown conditions exactly', () => {
    const parent = [{ only: 'sundays', list: [1, { a: null }] }]
    expect(contains(parent, [{ list: [1, { a: null }], only: 'sundays' }])).toBe(true)
    for (const child of [
      [{}],
      [{ only: 'sundays' }],
      [{ only: 'mondays', list: [1, { a: null }] }],
      [{ only: 'sundays', list: [1, { a: null }], more: 1 }],
      [{ only: 'sundays', list: [1, { a: null }] }, {}],
    ])
      expect(contains(parent, child)).toBe(false)
  })

  it('takes two empty entries as a condition', () => {
    expect(contains([{}, {}], [{}, {}])).toBe(true)
    expect(contains([{}, {}], [{}])).toBe(false)
    expect(contains([{}, {}], [{}, { a: 1 }])).toBe(false)
  })

  it('is not fooled by inherited names', () => {
    expect(contains([{ a: 1 }, {}], [JSON.parse('{"__proto__":{"a":1}}'), {}])).toBe(false)
    expect(containsCaveats({ toString: {} }, { 0: {} }, 'delegation')).toBe(false)
  })
})

const selector = (kind: string, value: unknown, more: object = {}) => [
  { type: 'xyz.tinycloud.resource/selector', kind, value, ...more },
]

describe('selectors (CAVEAT-2)', () => {
  it('a prefix may be narrowed by a delegation, at a segment', () => {
    expect(contains(selector('prefix', 'a'), selector('exact', 'a/b'))).toBe(true)
    expect(contains(selector('prefix', 'a'), selector('prefix', 'a/b/'))).toBe(true)
    expect(contains(selector('prefix', 'a/'), selector('prefix', 'a/b'))).toBe(true)
    expect(contains(selector('prefix', 'a'), selector('exact', 'a'))).toBe(true)
  })

  it('nothing else counts as narrower', () => {
    for (const child of [
      selector('prefix', 'ab'),
      selector('prefix', ''),
      selector('exact', 'b'),
      selector('other', 'a/b'),
      selector('exact', ['a/b']),
      selector('exact', 'a/b', { more: 1 }),
      [{}],
    ])
      expect(contains(selector('prefix', 'a'), child)).toBe(false)
    expect(contains(selector('exact', 'a'), selector('exact', 'a/b'))).toBe(false)
    expect(contains(selector('exact', 'a'), selector('prefix', 'a'))).toBe(false)
    expect(contains(selector('exact', 'a'), selector('exact', 'a'))).toBe(true)
  })

  it('an invocation repeats it', () => {
    expect(contains(selector('prefix', 'a'), selector('exact', 'a/b'), 'invocation')).toBe(false)
    expect(contains(selector('prefix', 'a'), selector('prefix', 'a'), 'invocation')).toBe(true)
  })
})

const fixed = (...pairs: [number, unknown][]) => pairs.map(([index, value]) => ({ index, value }))

const sql = (statements: unknown[], { mode = 'constrained', readOnly = true, ...more } = {}) => [
  { mode, readOnly, statements, ...more },
]

describe('SQL statements (CAVEAT-2)', () => {
  const byId = { name: 'byId', sql: 'SELECT * FROM t WHERE id = ?1 AND x = ?2' }
  const all = { name: 'all', sql: 'SELECT * FROM t' }

  it('a child may drop statements and fix more parameters', () => {
    for (const use of ['delegation', 'invocation'] as const) {
      expect(contains(sql([byId, all]), sql([all]), use)).toBe(true)
      expect(contains(sql([byId, all]), sql([]), use)).toBe(true)
      expect(contains(sql([byId]), sql([{ ...byId, fixedParams: fixed([1, 'a']) }]), use)).toBe(
        true,
      )
      const parent = sql([{ ...byId, fixedParams: fixed([1, 'a']) }])
      expect(contains(parent, sql([{ ...byId, fixedParams: fixed([2, 3], [1, 'a']) }]), use)).toBe(
        true,
      )
      expect(contains(sql([all], { readOnly: false }), sql([all]), use)).toBe(true)
    }
  })

  it('nothing else counts as narrower', () => {
    const parent = sql([{ ...byId, fixedParams: fixed([1, 'a']) }])
    for (const child of [
      sql([byId]),
      sql([{ ...byId, fixedParams: fixed([1, 'b']) }]),
      sql([{ ...byId, fixedParams: fixed([2, 'a']) }]),
      sql([{ ...byId, sql: 'DROP TABLE t', fixedParams: fixed([1, 'a']) }]),
      sql([{ ...byId, name: 'other', fixedParams: fixed([1, 'a']) }]),
      sql([{ ...byId, fixedParams: fixed([1, 'a']), extra: 1 }]),
      sql([{ ...byId, fixedParams: 'all' }]),
      sql([all]),
      sql([null]),
      sql([], { readOnly: false }),
      sql([], { mode: 'free' }),
      sql([], { extra: true } as object),
      [{}],
    ])
      expect(contains(parent, child)).toBe(false)
  })
})

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )

describe('equalJson', () => {
  it('agrees with canonical texts', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
        expect(equalJson(a, b)).toBe(sorted(a) === sorted(b))
        expect(equalJson(a, JSON.parse(sorted(a)))).toBe(true)
      }),
    )
  })

  it('tells arrays from objects and null from nothing', () => {
    for (const [a, b] of [
      [[], {}],
      [{}, []],
      [null, {}],
      [{ a: null }, {}],
      [{ a: undefined }, { b: 1 }],
      [[1], [1, 2]],
      ['1', 1],
    ])
      expect(equalJson(a, b)).toBe(false)
  })
})
