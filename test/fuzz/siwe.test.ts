/** SIWE: the text and its fields determine each other, whatever a field tries to say. */
import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { formatSiwe, parseSiwe, type SiweMessage } from '../../src/protocol/siwe.ts'
import { editedText } from '../_util/fuzz/edits.ts'
import { describeTextFuzz, describeValueFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, parsed } from '../_util/fuzz/refusal.ts'
import { goodSiweMessages, siweMessages } from '../_util/fuzz/siwe-messages.ts'

/** Without the members that say nothing. */
const present = (message: SiweMessage): Record<string, unknown> =>
  Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined))

describeValueFuzz<SiweMessage>({
  name: 'siwe fields',
  inputs: fc.oneof(siweMessages, goodSiweMessages),
  check: (message) => {
    const text = parsed(() => formatSiwe(message))
    if (text === undefined) return false
    const again = parseSiwe(text)
    assertTrue(isDeepStrictEqual(present(again), present(message)), 'the fields come back')
    return true
  },
})

describeTextFuzz({
  name: 'siwe text',
  inputs: editedText(goodSiweMessages.map(formatSiwe)),
  check: (text) => {
    const message = parsed(() => parseSiwe(text))
    if (!message) return false
    assertTrue(formatSiwe(message) === text, 'the text comes back')
    return true
  },
})
