/** Base64url: one text for each sequence of bytes, and no other text. */
import * as fc from 'fast-check'
import { formatBase64url, parseBase64url } from '../../src/protocol/base64url.ts'
import { equalBytes } from '../../src/protocol/bytes.ts'
import { editedText } from '../_util/fuzz/edits.ts'
import { describeTextFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, parsed } from '../_util/fuzz/refusal.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** RFC 4648 §5, digit by digit. */
function decode(text: string, padding: 'none' | 'required'): Uint8Array | undefined {
  const digits = padding === 'required' ? text.replace(/={1,2}$/, '') : text
  const expected = padding === 'required' ? (4 - (digits.length % 4)) % 4 : 0
  if (text.length - digits.length !== expected || digits.length % 4 === 1) return undefined
  const bytes: number[] = []
  let bits = 0
  let bitCount = 0
  for (const digit of digits) {
    const value = ALPHABET.indexOf(digit)
    if (value === -1) return undefined
    bits = (bits << 6) | value
    bitCount += 6
    if (bitCount < 8) continue
    bitCount -= 8
    bytes.push((bits >> bitCount) & 0xff)
    bits &= (1 << bitCount) - 1
  }
  return bits === 0 ? Uint8Array.from(bytes) : undefined
}

for (const padding of ['none', 'required'] as const) {
  describeTextFuzz({
    name: `base64url, padding ${padding}`,
    inputs: fc.oneof(
      editedText(
        fc
          .tuple(fc.uint8Array({ maxLength: 70 }), fc.constantFrom('none', 'required'))
          .map(([bytes, written]) => formatBase64url(bytes, { padding: written })),
      ),
      editedText(
        fc.string({ unit: fc.constantFrom(...`${ALPHABET}+/=`.split('')), maxLength: 12 }),
      ),
    ),
    check: (text) => {
      const bytes = parsed(() => parseBase64url(text, { padding }))
      const reference = decode(text, padding)
      assertTrue((bytes === undefined) === (reference === undefined), 'both take it, or none')
      if (!bytes || !reference) return false
      assertTrue(equalBytes(bytes, reference), 'both read the same bytes')
      assertTrue(formatBase64url(bytes, { padding }) === text, 'the text comes back')
      return true
    },
  })
}
