/** JSON of tokens: two readers agree on what is JSON and on what it says. */
import { isDeepStrictEqual } from 'node:util'
import { formatJcs, parseStrictJson } from '../../src/protocol/json.ts'
import { describeTextFuzz } from '../_util/fuzz/harness.ts'
import { jsonTexts } from '../_util/fuzz/json-texts.ts'
import { readJson } from '../_util/fuzz/reference-json.ts'
import { assertTrue, parsed } from '../_util/fuzz/refusal.ts'

const DEPTH_MAX = 5

describeTextFuzz({
  name: 'json',
  inputs: jsonTexts,
  check: (text) => {
    const ours = parsed(() => ({ value: parseStrictJson(text, { depthMax: DEPTH_MAX }) }))
    const reference = readJson(text, DEPTH_MAX)
    assertTrue(
      (ours === undefined) === (reference === undefined),
      reference ? 'a reader of RFC 8259 takes it, so do we' : 'nobody takes it',
    )
    if (ours === undefined) return false
    assertTrue(isDeepStrictEqual(ours.value, reference?.value), 'both readers see the same value')
    const canonical = formatJcs(ours.value)
    const again = parseStrictJson(canonical, { depthMax: DEPTH_MAX })
    assertTrue(formatJcs(again) === canonical, 'canonical JSON is its own canonical form')
    return true
  },
})
