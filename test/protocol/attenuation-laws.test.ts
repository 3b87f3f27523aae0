/**
 * Goal: "covers" is a preorder: everything covers itself, and what a child may pass on its parent could have passed on.
 * Chains are checked link by link, so a right that grows over two links would be found by nobody.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coversAbility } from '../../src/protocol/ability.ts'
import { type CaveatUse, containsCaveats, parseUcanCaveats } from '../../src/protocol/caveats.ts'
import { coversResource, parseResource } from '../../src/protocol/resource.ts'
import { OWNER, SPACE } from '../_util/credentials.ts'

/** Most random links do not hold: so often the law must have been tried on two that do. */
const HELD_MIN = 200

/** Checks the law on random links, and tells how many pairs of links held. */
function tryLaw<T>(items: fc.Arbitrary<T>, covers: (base: T, child: T) => boolean): number {
  let held = 0
  fc.assert(
    fc.property(items, items, items, (a, b, c) => {
      expect(covers(a, a)).toBe(true)
      if (!covers(a, b) || !covers(b, c)) return
      held++
      expect(covers(a, c)).toBe(true)
    }),
    { numRuns: 20_000 },
  )
  return held
}

describe('covers is reflexive and transitive', () => {
  it('for resources', () => {
    const path = fc.string({ unit: fc.constantFrom('a', 'b', '/', '%2F'), maxLength: 5 })
    const rest = fc.oneof(
      fc.constant(''),
      path.map((text) => `/${text}`),
    )
    const suffix = fc.constantFrom('', '', '', '#f', '?q')
    const space = fc.constantFrom(SPACE, SPACE, SPACE, OWNER.spaceId('other'))
    const uri = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.tuple(space, fc.constant('/kv'), rest, suffix).map((parts) => parts.join('')),
      },
      fc.string({ unit: fc.constantFrom('a', ':'), maxLength: 4 }).map((text) => `urn:${text}`),
      fc.constantFrom(
        `urn:tinycloud:encryption:${OWNER.did}:x`,
        `urn:tinycloud:encryption:${OWNER.did}:xy`,
      ),
    )
    expect(tryLaw(uri.map(parseResource), coversResource)).toBeGreaterThan(HELD_MIN)
  })

  it('for abilities', () => {
    const names = [
      '*',
      'read',
      'select',
      'write',
      'schema',
      'admin',
      'import',
      'export',
      'del',
      'delete',
    ]
    const services = ['tinycloud.sql', 'tinycloud.duckdb', 'tinycloud.kv']
    const abilities = services.flatMap((service) => names.map((name) => `${service}/${name}`))
    const grown = abilities.flatMap((a) => {
      const held = abilities.filter((b) => coversAbility(a, b))
      const passedOn = held.flatMap((b) => abilities.filter((c) => coversAbility(b, c)))
      return [...(held.includes(a) ? [] : [a]), ...passedOn.filter((c) => !held.includes(c))]
    })
    expect(grown).toEqual([])
  })

  const statement = fc.record({
    name: fc.constantFrom('one', 'two'),
    sql: fc.constant('SELECT ?1, ?2'),
    fixedParams: fc.uniqueArray(
      fc.record({ index: fc.constantFrom(1, 2), value: fc.constantFrom('x', 'y') }),
      { maxLength: 2, selector: ({ index }) => index },
    ),
  })
  const entry = fc.oneof(
    fc.record({
      type: fc.constant('xyz.tinycloud.resource/selector'),
      kind: fc.constantFrom('exact', 'prefix'),
      value: fc.string({ unit: fc.constantFrom('a', '/'), maxLength: 3 }),
    }),
    fc.record({
      mode: fc.constant('constrained'),
      readOnly: fc.boolean(),
      statements: fc.array(statement, { maxLength: 2 }),
    }),
    fc.record({ only: fc.constantFrom('sundays', 'mondays') }),
    fc.constant({}),
  )
  const caveats = fc.array(entry, { minLength: 1, maxLength: 2 }).map(parseUcanCaveats)

  it.each<CaveatUse>(['delegation', 'invocation'])('for caveats: %s', (use) => {
    const held = tryLaw(caveats, (parent, child) => containsCaveats(parent, child, use))
    expect(held).toBeGreaterThan(HELD_MIN)
  })
})
