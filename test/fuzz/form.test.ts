/** multipart/form-data, damaged: the same values or the same refusal in whatever pieces a body comes. */
import * as fc from 'fast-check'
import { toHex } from '../../src/protocol/bytes.ts'
import { type BodyForm } from '../../src/workers/compute/form/body-form.ts'
import { FormParser } from '../../src/workers/compute/form/form-parser.ts'
import { readHeaderParameters } from '../../src/workers/compute/form/header-parameters.ts'
import { SignedParts } from '../../src/workers/compute/form/signed-parts.ts'
import { readWholeBody } from '../../src/workers/compute/form/whole-body.ts'
import { editedText } from '../_util/fuzz/edits.ts'
import { describeTextFuzz, describeValueFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, verdictOf } from '../_util/fuzz/refusal.ts'
import { formatForm, partOf } from '../_util/multipart.ts'

const BOUNDARY = 'b'
const KEYS = ['a', 'b/c', '%C3%A9'] as const

const fragment = fc.constantFrom(
  '\r\n',
  '\r',
  '\n',
  '--',
  `--${BOUNDARY}`,
  `\r\n--${BOUNDARY}`,
  ': ',
)
const value = fc.array(fc.oneof(fragment, fc.string({ maxLength: 5 })), { maxLength: 6 })
const headers = fc.dictionary(
  fc.constantFrom('Content-Type', 'X-Tinycloud-Meta-Mood', 'Odd'),
  fc.string({ maxLength: 10 }),
  { maxKeys: 2 },
)
const bodies = fc
  .array(fc.record({ key: fc.constantFrom(...KEYS), value, headers }), { maxLength: 4 })
  .map((parts) => {
    const listed = parts.map((part) => partOf(part.key, part.value.join(''), part.headers))
    return formatForm(listed, BOUNDARY).toString('latin1')
  })
/** Every key once, in one order or another: bodies that are taken. */
const complete = fc
  .tuple(fc.shuffledSubarray([...KEYS], { minLength: KEYS.length }), fc.string({ maxLength: 20 }))
  .map(([keys, text]) =>
    formatForm(
      keys.map((key) => partOf(key, text)),
      BOUNDARY,
    ).toString('latin1'),
  )

const FORM: BodyForm = { kind: 'parts', boundary: BOUNDARY, keys: KEYS }
const CODES = ['OPTION_INVALID', 'METADATA_TOO_LARGE'] as const

function readInPieces(body: Uint8Array, pieceBytes: number): string[] {
  const parser = new FormParser(BOUNDARY)
  const parts = new SignedParts(KEYS)
  let received: Uint8Array[] = []
  for (let offset = 0; offset < body.length; offset += pieceBytes) {
    for (const event of parser.push(body.subarray(offset, offset + pieceBytes))) {
      if (event.kind === 'part') {
        parts.begin(event.headers)
        received = []
      } else if (event.kind === 'data') {
        assertTrue(event.bytes.length > 0, 'there are bytes where there are said to be')
        received.push(Buffer.from(event.bytes))
      } else {
        const bytes = Buffer.concat(received)
        parts.end({ kind: 'inline', digest: new Uint8Array(32), bytes })
      }
    }
  }
  parser.finish()
  return parts.finish().map(({ headers: stored, value: staged }) => {
    const text = staged.kind === 'inline' ? toHex(staged.bytes) : staged.kind
    return JSON.stringify([stored, text])
  })
}

describeValueFuzz({
  name: 'form',
  inputs: fc.record({
    body: fc.oneof(bodies, complete, editedText(bodies), editedText(complete)),
    pieceBytes: fc.integer({ min: 1, max: 40 }),
  }),
  check: ({ body: text, pieceBytes }) => {
    const body = Buffer.from(text, 'latin1')
    const whole = verdictOf(CODES, () => readInPieces(body, body.length + 1))
    const cut = verdictOf(CODES, () => readInPieces(body, Math.max(pieceBytes, body.length >> 10)))
    assertTrue(JSON.stringify(whole) === JSON.stringify(cut), 'pieces make no difference')
    const direct = verdictOf(CODES, () => readWholeBody(FORM, body))
    assertTrue(direct.code === whole.code, 'both ways of a body have one verdict')
    assertTrue(
      direct.value === undefined || direct.value.length === KEYS.length,
      'each key has its value',
    )
    return whole.value !== undefined
  },
})

describeTextFuzz({
  name: 'header parameters',
  inputs: editedText(
    fc.constantFrom(
      'form-data; name="a%2Fb"; filename="blob"',
      'multipart/form-data; boundary=----x',
      'x; a="\\"\\\\"; b=c;;',
    ),
  ),
  check: (text) => {
    const { type, parameters } = readHeaderParameters(text)
    assertTrue(!type.includes(';'), 'the type ends before the first parameter')
    for (const [name, given] of parameters) {
      assertTrue(name === name.toLowerCase() && name !== '', 'names are in lower case')
      assertTrue(given.length <= text.length, 'nothing is made up')
    }
    return parameters.size > 0
  },
})
