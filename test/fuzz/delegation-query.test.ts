/** The body of POST /delegation/query: what is taken says what an independent reader of JSON finds there, within limits. */
import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { utf8 } from '../../src/protocol/bytes.ts'
import { JSON_BODY_DEPTH_MAX, QUERY_LIMIT_MAX } from '../../src/protocol/limits.ts'
import {
  DELEGATION_STATES,
  QUERY_DIRECTIONS,
  QUERY_REQUEST,
} from '../../src/protocol/messages/delegation-query.ts'
import {
  parseQueryFilter,
  type QueryFilter,
} from '../../src/workers/compute/delegations/query-filter.ts'
import { GUEST, SPACE } from '../_util/credentials.ts'
import { editedText } from '../_util/fuzz/edits.ts'
import { describeTextFuzz } from '../_util/fuzz/harness.ts'
import { jsonTexts } from '../_util/fuzz/json-texts.ts'
import { readJson } from '../_util/fuzz/reference-json.ts'
import { assertTrue, verdictOf } from '../_util/fuzz/refusal.ts'
import { SESSION_TOKEN } from '../_util/fuzz/signed-texts.ts'

const CODES = ['QUERY_INVALID', 'REQUEST_MALFORMED', 'BODY_UNPROCESSABLE'] as const
const MEMBERS = Object.keys(QUERY_REQUEST.properties)

const cursorOf = (cid: string): string => formatBase64url(utf8(cid), { padding: 'none' })

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, '', [], {}, ['granted'], '__proto__', '\ud800', '\ufeff'),
  fc.jsonValue({ maxDepth: 2 }),
)
const mostly = (values: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: odd })

const request = fc.record(
  {
    direction: mostly([...QUERY_DIRECTIONS, null]),
    status: mostly([...DELEGATION_STATES, null]),
    space: mostly([SPACE, SPACE.toLowerCase(), 'default', 'tinycloud:', `${SPACE}/kv`, null]),
    limit: mostly([1, 50, QUERY_LIMIT_MAX, QUERY_LIMIT_MAX + 1, 0, -1, 1.5, 1e300, null]),
    cursor: mostly([cursorOf(SESSION_TOKEN.cid), cursorOf(GUEST.did), SESSION_TOKEN.cid, null]),
  },
  { requiredKeys: [] },
)
/** As an object, as an array of the members in their order, or with a member that nobody knows. */
const bodies = fc.oneof(
  { weight: 6, arbitrary: request.map((members) => JSON.stringify(members)) },
  {
    weight: 2,
    arbitrary: request.map((members) =>
      JSON.stringify(MEMBERS.map((name) => Reflect.get(members, name) ?? null)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(request, fc.constantFrom('Direction', '__proto__', 'constructor', '', 'cursor '), odd)
      .map(([members, name, value]) => JSON.stringify({ ...members, [name]: value })),
  },
)

/** The members as the other reader sees them; an array stands for the members in their order. */
function membersOf(text: string): Map<string, unknown> | undefined {
  const value = readJson(text, JSON_BODY_DEPTH_MAX)?.value
  if (typeof value !== 'object' || value === null) return undefined
  return Array.isArray(value)
    ? new Map(value.map((item: unknown, index) => [MEMBERS[index] ?? '', item]))
    : new Map(Object.entries(value))
}

function assertFilter(filter: QueryFilter, members: ReadonlyMap<string, unknown>): void {
  const { direction, status, space, limit, after } = filter
  const given = (name: string): unknown => members.get(name) ?? undefined
  assertTrue(
    [...members.keys()].every((name) => MEMBERS.includes(name)),
    'nothing unknown is passed over',
  )
  assertTrue(direction === (given('direction') ?? 'all'), 'the direction that is written there')
  assertTrue(status === given('status'), 'the status that is written there')
  assertTrue(limit === (given('limit') ?? 50), 'the limit that is written there')
  assertTrue(Number.isInteger(limit) && limit >= 1 && limit <= QUERY_LIMIT_MAX, 'pages are limited')
  assertTrue((space === undefined) === (given('space') === undefined), 'a space where one is named')
  assertTrue(space !== '', 'and it is none without a name')
  assertTrue((after === undefined) === (given('cursor') === undefined), 'a cursor where one is')
  assertTrue(after === undefined || after.length === 32, 'and it is a digest')
}

const read = (text: string): QueryFilter | undefined =>
  verdictOf(CODES, () => parseQueryFilter({ kind: 'whole', bytes: utf8(text) })).value

describeTextFuzz({
  name: 'delegation query',
  inputs: fc.oneof(
    { weight: 4, arbitrary: bodies },
    { weight: 4, arbitrary: editedText(bodies) },
    { weight: 1, arbitrary: jsonTexts },
  ),
  check: (text) => {
    const filter = read(text)
    // An unpaired surrogate is no text in UTF-8: the node reads other bytes than the other reader.
    if (!text.isWellFormed()) return filter !== undefined
    const members = membersOf(text)
    if (!filter) return false
    if (!members) throw new Error('not true: only JSON is taken')
    assertFilter(filter, members)
    const again = read(JSON.stringify(Object.fromEntries(members)))
    assertTrue(isDeepStrictEqual(again, filter), 'another spelling of it means the same')
    return true
  },
})
