/** ReCap: what is granted comes back from its URI, and the sentence that a signer reads has one meaning. */
import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { parseAttenuation } from '../../src/protocol/attenuation.ts'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { compareBytes, utf8 } from '../../src/protocol/bytes.ts'
import { NO_CAVEATS } from '../../src/protocol/caveats.ts'
import {
  formatRecapStatement,
  formatRecapUri,
  parseRecapUri,
  type RecapAbilities,
} from '../../src/protocol/recap.ts'
import { editedText } from '../_util/fuzz/edits.ts'
import { describeTextFuzz, describeValueFuzz } from '../_util/fuzz/harness.ts'
import { jsonTexts } from '../_util/fuzz/json-texts.ts'
import { assertTrue, parsed } from '../_util/fuzz/refusal.ts'
import { spaceIds, spaceResources } from '../_util/fuzz/uri-texts.ts'

const names = fc.oneof(
  fc.constantFrom('tinycloud.kv/get', 'tinycloud.kv/put', 'tinycloud.sql/*', 'a/b', 'a/c', 'B/a'),
  fc.constantFrom("a/b', 'a/c", 'a', 'a/b/c', '', '__proto__', '/'),
)
const resources = fc.oneof(
  { weight: 4, arbitrary: spaceResources(spaceIds) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("urn:x'.", "urn:x'. (2) 'a': 'b' for 'urn:y", '', 'é:x'),
  },
)
const grants = fc
  .array(fc.tuple(resources, fc.uniqueArray(names, { maxLength: 4 })), { maxLength: 3 })
  .map((entries): RecapAbilities => Object.fromEntries(entries))

const sorted = (abilities: RecapAbilities): unknown =>
  Object.fromEntries(Object.entries(abilities).map(([uri, list]) => [uri, list.toSorted()]))

const recapTexts = fc
  .tuple(
    fc.oneof(
      grants.map((abilities) => JSON.stringify({ att: toMembers(abilities), prf: [] })),
      jsonTexts.map((value) => `{"att":${value},"prf":[]}`),
      jsonTexts.map((value) => `{"att":{"urn:x":{"a/b":${value}}},"prf":["zb2rhe"]}`),
    ),
    fc.constantFrom('urn:recap:', 'urn:recap:', 'urn:recap:', 'urn:recaps:'),
  )
  .map(([json, scheme]) => scheme + formatBase64url(utf8(json), { padding: 'none' }))

function toMembers(abilities: RecapAbilities): unknown {
  return Object.fromEntries(
    Object.entries(abilities).map(([uri, list]) => [
      uri,
      Object.fromEntries(list.map((name) => [name, [{}]])),
    ]),
  )
}

describeTextFuzz({
  name: 'recap uri',
  inputs: fc.oneof(recapTexts, editedText(recapTexts)),
  check: (uri) => {
    const recap = parsed(() => parseRecapUri(uri))
    if (!recap) return false
    const again = parseRecapUri(formatRecapUri(recap))
    assertTrue(
      isDeepStrictEqual(sorted(again.abilities), sorted(recap.abilities)),
      'the same is granted when it is written again',
    )
    assertTrue(isDeepStrictEqual(again.proofs, recap.proofs), 'the same is cited')
    return true
  },
})

/** The sentence read back, for abilities that a token may hold. */
function readStatement(statement: string): [string, string][] {
  const clauses = statement.matchAll(/ \(\d+\) '([^ ]*)': ('[^ ]*(?:, '[^ ]*)*) for '([^ ]*)'\./g)
  return [...clauses].flatMap(([, namespace = '', list = '', uri = '']) =>
    list.split(', ').map((name): [string, string] => [uri, `${namespace}/${name.slice(1, -1)}`]),
  )
}

describeValueFuzz<RecapAbilities>({
  name: 'recap statement',
  inputs: grants,
  check: (abilities) => {
    const capabilities = parsed(() =>
      parseAttenuation(
        Object.fromEntries(Object.entries(abilities).map(membersOf)),
        () => NO_CAVEATS,
      ),
    )
    const statement = formatRecapStatement(abilities)
    if (!capabilities) return false
    const read = readStatement(statement)
    const granted = Object.entries(abilities).flatMap(([uri, list]) =>
      list.map((name): [string, string] => [uri, name]),
    )
    assertTrue(isDeepStrictEqual(read.toSorted(byBytes), granted.toSorted(byBytes)), 'it says that')
    assertTrue(capabilities.length <= granted.length, 'nothing is granted that was not read')
    return true
  },
})

const membersOf = ([uri, list]: [string, readonly string[]]): [string, unknown] => [
  uri,
  Object.fromEntries(list.map((name) => [name, undefined])),
]

const byBytes = (a: readonly string[], b: readonly string[]): number =>
  compareBytes(utf8(a.join(' ')), utf8(b.join(' ')))
