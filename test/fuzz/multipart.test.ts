/** multipart/form-data: well-formed parts come back whole, and a damaged body has every key, once, or is refused. */
import * as fc from 'fast-check'
import { equalBytes } from '../../src/protocol/bytes.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { FORM_BOUNDARY_CHARS_MAX } from '../../src/protocol/limits.ts'
import {
  type BodyForm,
  isFormData,
  parseBoundary,
} from '../../src/workers/compute/form/body-form.ts'
import { readHeaderParameters } from '../../src/workers/compute/form/header-parameters.ts'
import { readWholeBody } from '../../src/workers/compute/form/whole-body.ts'
import { editedBytes, editedText } from '../_util/fuzz/edits.ts'
import { describeTextFuzz, describeUnkeptFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, verdictOf } from '../_util/fuzz/refusal.ts'

const BOUNDARY = 'x-y'
const KEYS = ['a', 'b/c', 'é', '%41'] as const

interface Part {
  readonly name: string
  readonly headers: readonly string[]
  readonly data: Buffer
}

const data = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom('', '\r\n', '\r\n--x-', '\r\n--x-z\r\n', '--x-y', '\r\n\r\n', '\r', '\r\r\n--x')
    .map((text) => Buffer.from(text)),
)
const part: fc.Arbitrary<Part> = fc.record({
  name: fc.constantFrom(...KEYS, '', 'other'),
  headers: fc.array(
    fc.constantFrom(
      'content-type: text/plain',
      'X-TinyCloud-Meta-A:  1 ',
      'x:',
      `x-tinycloud-meta-b: ${'b'.repeat(200)}`,
      'content-disposition: form-data; name="twice"',
    ),
    { maxLength: 2 },
  ),
  data,
})

const nameOf = (key: string): string => encodeURIComponent(key)

function bodyOf(parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ name, headers, data: bytes }) => [
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${nameOf(name)}"\r\n`,
    ...headers.map((line) => `${line}\r\n`),
    '\r\n',
    bytes,
    '\r\n',
  ])
  return Buffer.concat([...pieces, `--${BOUNDARY}--\r\n`].map((piece) => Buffer.from(piece)))
}

const CODES = ['OPTION_INVALID', 'METADATA_TOO_LARGE'] as const

describeUnkeptFuzz<{ readonly parts: readonly Part[]; readonly damaged: Uint8Array }>({
  name: 'multipart parts',
  inputs: fc
    .uniqueArray(part, { minLength: 1, maxLength: 3, selector: ({ name }) => name })
    .chain((parts) =>
      fc.record({ parts: fc.constant(parts), damaged: editedBytes(fc.constant(bodyOf(parts))) }),
    ),
  check: ({ parts, damaged }) => {
    const form: BodyForm = {
      kind: 'parts',
      boundary: BOUNDARY,
      keys: parts.map(({ name }) => name),
    }
    const { value: puts } = verdictOf(CODES, () => readWholeBody(form, bodyOf(parts)))
    for (const [index, { headers, value }] of (puts ?? []).entries()) {
      const { data: bytes } = parts[index] ?? { data: Buffer.alloc(0) }
      const isInline = value.kind === 'inline'
      assertTrue(isInline && equalBytes(value.bytes, bytes), 'the value comes back')
      assertTrue(equalBytes(value.digest, blake3(bytes)), 'under its digest')
      const names = headers.map(([name]) => name)
      assertTrue(!names.includes('content-disposition'), 'the form is not stored')
    }
    const { value: other } = verdictOf(CODES, () => readWholeBody(form, damaged))
    assertTrue(other === undefined || other.length === parts.length, 'every key, and once')
    return puts !== undefined
  },
})

const contentTypes = fc.oneof(
  fc.constantFrom(
    'multipart/form-data; boundary=abc',
    'Multipart/Form-Data ; charset="a\\"b" ; Boundary="a b"',
    `multipart/form-data;boundary=${'b'.repeat(71)}`,
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary="a ',
    'multipart/form-data;;boundary=a',
    'text/plain; boundary=a',
  ),
)

describeTextFuzz({
  name: 'multipart content type',
  inputs: editedText(contentTypes),
  check: (text) => {
    const { type, parameters } = readHeaderParameters(text)
    assertTrue(type === type.trim().toLowerCase(), 'a type is in lower case')
    assertTrue(
      [...parameters.keys()].every((name) => !/[\s="]/.test(name)),
      'names are tokens',
    )
    const { value: boundary } = verdictOf(['OPTION_INVALID'], () => parseBoundary(text))
    if (boundary === undefined) return false
    assertTrue(isFormData(text) && boundary.length <= FORM_BOUNDARY_CHARS_MAX, 'it is limited')
    assertTrue(/^[\x20-\x7e]+$/.test(boundary) && !/^ *$/.test(boundary), 'it can be seen')
    return true
  },
})
