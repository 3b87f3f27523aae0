/** What surrounds a token: option headers, stored headers, ranges, cursors, parameters, and the body of a signed URL. */
import { createSecretKey } from 'node:crypto'
import * as fc from 'fast-check'
import { equalBytes, toHex, utf8 } from '../../src/protocol/bytes.ts'
import { type Capability } from '../../src/protocol/authority.ts'
import { NO_CAVEATS } from '../../src/protocol/caveats.ts'
import {
  KEY_BYTES_MAX,
  LIST_CURSOR_CHARS_MAX,
  LIST_LIMIT_MAX,
  METADATA_BYTES_MAX,
  SIGNED_URL_LIFETIME_S_MAX,
} from '../../src/protocol/limits.ts'
import { parseResource } from '../../src/protocol/resource.ts'
import { parseParameters } from '../../src/workers/compute/invoke/capabilities-parameters.ts'
import { type Effect } from '../../src/workers/compute/invoke/effects.ts'
import { formatListCursor, parseListCursor } from '../../src/workers/compute/invoke/list-cursor.ts'
import { storedHeaders } from '../../src/workers/compute/invoke/metadata.ts'
import { type KvOptions, parseKvOptions } from '../../src/workers/compute/invoke/options.ts'
import { type TokenEntry } from '../../src/workers/compute/request.ts'
import { parseSignRequest } from '../../src/workers/compute/signed-url/sign-request.ts'
import { wantedPart } from '../../src/workers/compute/value/byte-range.ts'
import { SPACE } from '../_util/credentials.ts'
import { editedText } from '../_util/fuzz/edits.ts'
import { describeTextFuzz, describeValueFuzz } from '../_util/fuzz/harness.ts'
import { headerLists, rangeTexts } from '../_util/fuzz/header-texts.ts'
import { jsonTexts } from '../_util/fuzz/json-texts.ts'
import { assertTrue, verdictOf } from '../_util/fuzz/refusal.ts'

type Headers = TokenEntry['headers']

const entryOf = (headers: Headers): TokenEntry => ({
  kind: 'token',
  requestId: 1,
  route: 'invoke',
  authorization: '',
  headers,
  body: { kind: 'none' },
})

const capability: Capability = {
  resource: parseResource(`${SPACE}/kv/a`),
  ability: 'tinycloud.kv/get',
  caveats: NO_CAVEATS,
}
const target = { capability, space: SPACE, keyText: 'a', key: utf8('a') }
const EFFECTS: readonly Effect[] = [
  { kind: 'none' },
  { kind: 'read', read: 'get', targets: [target] },
  { kind: 'read', read: 'get', targets: [target, target] },
  { kind: 'read', read: 'metadata', targets: [target] },
  { kind: 'list', target },
  { kind: 'mutate', puts: [target], deletes: [] },
  { kind: 'mutate', puts: [target, target], deletes: [] },
  { kind: 'mutate', puts: [], deletes: [target] },
  { kind: 'mutate', puts: [target], deletes: [target] },
]

function assertOptions(options: KvOptions, effect: Effect): void {
  const { precondition, listLimit, listCursor, responseBytesMax } = options
  if (precondition.kind === 'matches')
    assertTrue(precondition.digest.length === 32, 'an ETag is a digest')
  if (precondition.kind !== 'none')
    assertTrue(
      effect.kind === 'mutate' && effect.puts.length + effect.deletes.length === 1,
      'a condition guards one change',
    )
  assertTrue(
    listLimit === undefined || (listLimit >= 1 && listLimit <= LIST_LIMIT_MAX),
    'a page is limited',
  )
  const isVersions = options.version !== undefined || options.isVersionList
  assertTrue(!(options.version && options.isVersionList), 'a version, or the list of them')
  assertTrue(
    !isVersions || (effect.kind === 'read' && effect.targets.length === 1),
    'versions are of one key that is read',
  )
  assertTrue((listCursor ?? '').length <= LIST_CURSOR_CHARS_MAX, 'a cursor is limited')
  assertTrue(responseBytesMax === undefined || responseBytesMax >= 1, 'a bound is positive')
}

describeValueFuzz<{ readonly headers: Headers; readonly effect: number }>({
  name: 'option headers',
  inputs: fc.record({ headers: headerLists, effect: fc.nat({ max: EFFECTS.length - 1 }) }),
  check: ({ headers, effect: index }) => {
    const effect = EFFECTS[index] ?? { kind: 'none' }
    const { value: options } = verdictOf(['OPTION_INVALID'], () =>
      parseKvOptions(entryOf(headers), effect),
    )
    if (!options) return false
    assertOptions(options, effect)
    return true
  },
})

describeValueFuzz<Headers>({
  name: 'stored headers',
  inputs: headerLists,
  check: (headers) => {
    const { value: stored } = verdictOf(['METADATA_TOO_LARGE'], () => storedHeaders({ headers }))
    if (!stored) return false
    const totalBytes = stored.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
    assertTrue(totalBytes <= METADATA_BYTES_MAX, 'stored headers are limited')
    for (const [index, [name, value]] of stored.entries()) {
      assertTrue(/^(?:content-|x-tinycloud-meta-)/.test(name), 'nothing else is stored')
      assertTrue(/^[\t -~]*$/.test(value), 'no value can break a header')
      const next = stored[index + 1]
      assertTrue(next === undefined || name < next[0], 'each name once, sorted')
    }
    return true
  },
})

describeValueFuzz<{ readonly range: string; readonly valueBytes: number }>({
  name: 'ranges',
  inputs: fc.record({
    range: rangeTexts,
    valueBytes: fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(0, 1, 1e6, 1e9)),
  }),
  check: ({ range, valueBytes }) => {
    const wanted = wantedPart({ range, ifRange: undefined }, { etag: '""', valueBytes })
    if (wanted.kind !== 'part') return false
    const { first, last } = wanted
    const isWhole = Number.isInteger(first) && Number.isInteger(last)
    assertTrue(isWhole && first >= 0 && first <= last && last < valueBytes, 'it is in the value')
    return true
  },
})

const CURSOR_KEY = createSecretKey(new Uint8Array(32).fill(1))
const cursors = fc
  .tuple(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('scope', 'scop', 'other'))
  .map(([lastKey, scope]) => formatListCursor(CURSOR_KEY, scope, lastKey))

describeTextFuzz({
  name: 'list cursors',
  inputs: fc.oneof(cursors, editedText(cursors)),
  check: (cursor) => {
    const { value: lastKey } = verdictOf(['OPTION_INVALID'], () =>
      parseListCursor(CURSOR_KEY, 'scope', cursor),
    )
    if (!lastKey) return false
    assertTrue(formatListCursor(CURSOR_KEY, 'scope', lastKey) === cursor, 'we made it')
    return true
  },
})

const parameters = fc.record(
  {
    type: fc.constantFrom<unknown>('list', 'chain', 'other', 1),
    delegation_cid: fc.constantFrom<unknown>('bafy', 1, null),
    filters: fc.oneof(
      fc.record(
        {
          direction: fc.constantFrom<unknown>('created', 'received', 'all', 'x', 1),
          path: fc.constantFrom<unknown>('a/', '', 1, ['a']),
          actions: fc.oneof(
            fc.array(fc.constantFrom<unknown>('tinycloud.kv/get', 1)),
            fc.jsonValue(),
          ),
        },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: [] },
)
const facts = fc.array(
  fc.oneof(
    parameters.map((value) => ({ capabilitiesReadParams: value })),
    fc.jsonValue(),
  ),
  { maxLength: 3 },
)

describeValueFuzz<readonly unknown[]>({
  name: 'capabilities parameters',
  inputs: facts,
  check: (given) => {
    const wanted = parseParameters(given)
    if (wanted.type === 'chain') {
      assertTrue(typeof wanted.delegationCid === 'string', 'a chain has a CID')
      return true
    }
    assertTrue(['created', 'received', 'all'].includes(wanted.direction), 'a known direction')
    const actions = [...(wanted.actions ?? [])]
    assertTrue(
      actions.every((action) => typeof action === 'string'),
      'actions are texts',
    )
    return wanted.direction !== 'all' || wanted.path !== undefined || wanted.actions !== undefined
  },
})

const path = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'a/b', '%20', '/') },
  fc.constantFrom('', '../b', 'a?b', 'a b', '%2f', 'a'.repeat(3000)),
)
const member = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('"ttlSeconds":60', '"ttl_seconds":1e9', '"x":[]') },
  fc.constantFrom('"contentHash":null', `"content_hash":"${'aB'.repeat(32)}"`, '"maxUses":1'),
  fc.constantFrom(`"etag":"\\"blake3-${'00'.repeat(32)}\\""`, '"etag":"W/x"', '"space":"a"'),
  jsonTexts.map((value) => `"ttlSeconds":${value}`),
)
const signBodies = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom(SPACE, SPACE, SPACE.toLowerCase(), 'tinycloud:x', `${SPACE}/kv`),
        path,
        fc.array(member, { maxLength: 2 }),
      )
      .map(([space, key, members]) => {
        const first = [`"space":${JSON.stringify(space)}`, `"path":${JSON.stringify(key)}`]
        return `{${[...first, ...members].join(',')}}`
      }),
  },
  { weight: 1, arbitrary: jsonTexts },
)

describeTextFuzz({
  name: 'signed url body',
  inputs: fc.oneof(signBodies, editedText(signBodies)),
  check: (text) => {
    const { value: wanted } = verdictOf(
      ['REQUEST_MALFORMED', 'BODY_UNPROCESSABLE', 'OPTION_INVALID', 'SPACE_ID_INVALID'],
      () => parseSignRequest({ kind: 'whole', bytes: utf8(text) }),
    )
    if (!wanted) return false
    const { resource, key, lifetimeS, digest } = wanted
    assertTrue(resource.service === 'kv' && resource.path !== undefined, 'it names a key')
    assertTrue(equalBytes(key, utf8(resource.path ?? '')), 'the key is the path')
    assertTrue(key.length <= KEY_BYTES_MAX, 'a key is limited')
    assertTrue(lifetimeS <= SIGNED_URL_LIFETIME_S_MAX, 'a life is limited')
    assertTrue(
      digest === undefined || toHex(digest).length === 64,
      'a value is named by its digest',
    )
    return true
  },
})
