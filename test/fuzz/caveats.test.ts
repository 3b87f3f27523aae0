/** Caveats: a child never gets rid of a condition, however many steps it takes. */
import * as fc from 'fast-check'
import {
  type CaveatUse,
  containsCaveats,
  equalJson,
  parseUcanCaveats,
} from '../../src/protocol/caveats.ts'
import { parseCapabilities, formatCapabilities } from '../../src/protocol/capabilities.ts'
import { formatJcs } from '../../src/protocol/json.ts'
import { parseResource } from '../../src/protocol/resource.ts'
import { describeValueFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, parsed } from '../_util/fuzz/refusal.ts'

const small = fc.constantFrom('a', 'a/', 'a/b', 'ab', '')
const number = fc.oneof(
  fc.constantFrom(-0, 1.5, 2 ** 53, 2 ** 63, 2 ** 64, -(2 ** 63), -(2 ** 64), 1e300, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(Number),
)
const selector = fc.record({
  type: fc.constant('xyz.tinycloud.resource/selector'),
  kind: fc.constantFrom('exact', 'prefix', 'prefix', 'other'),
  value: small,
})
const statement = fc.record(
  {
    name: fc.constantFrom('n', 'm'),
    sql: fc.constantFrom('select 1', 'select 2'),
    fixedParams: fc.array(fc.record({ index: fc.nat({ max: 1 }), value: small }), { maxLength: 2 }),
  },
  { requiredKeys: ['name', 'sql'] },
)
const sql = fc.record({
  mode: fc.constantFrom('constrained', 'free'),
  readOnly: fc.boolean(),
  statements: fc.array(statement, { maxLength: 2 }),
})
const entry = fc.oneof(
  fc.constant({}),
  selector,
  sql,
  fc.dictionary(fc.constantFrom('a', '__proto__', 'type'), fc.oneof(small, number), {
    maxKeys: 2,
    noNullPrototype: true,
  }),
  fc.jsonValue({ maxDepth: 3 }).map((value) => ({ value })),
)
const list = fc.oneof(
  { weight: 9, arbitrary: fc.array(entry, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom(null, [null], {}, 'x', [[]]) },
)

/** Three lists of conditions, the use of the last, and whether they are the same but for it. */
const families = fc
  .tuple(list, list, list, fc.constantFrom('delegation', 'invocation'), fc.nat({ max: 3 }))
  .map(([a, b, c, use, alike]) => ({
    lists: [a, alike & 1 ? a : b, alike & 2 ? b : c],
    use,
  }))

interface Family {
  readonly lists: readonly unknown[]
  readonly use: CaveatUse
}

describeValueFuzz<Family>({
  name: 'caveats',
  inputs: families,
  check: ({ lists, use }) => {
    const [a, b, c] = lists.map((value) => parsed(() => parseUcanCaveats(value)))
    if (!a || !b || !c) return false
    assertTrue(containsCaveats(a, a, use), 'repeating a condition satisfies it')
    assertTrue(containsCaveats({}, a, use), 'without a condition any may be stated')
    const isUnrestricted = Object.keys(b).length === 0
    if (isUnrestricted && Object.keys(a).length > 0)
      assertTrue(!containsCaveats(a, b, use), 'a condition does not vanish')
    const isBelow = containsCaveats(a, b, 'delegation') && containsCaveats(b, c, use)
    if (isBelow) assertTrue(containsCaveats(a, c, 'delegation'), 'two steps are one')
    const capability = { resource: parseResource('urn:x'), ability: 'a/b', caveats: a }
    // Whoever may ask for it is told what is stored, as JSON.
    const [stored] = parseCapabilities(formatCapabilities([capability]))
    assertTrue(equalJson(stored?.caveats, a), 'they come back from the row')
    assertTrue(formatJcs(stored?.caveats) === formatJcs(a), 'they are shown as given')
    return true
  },
})
