/** Values of request headers: what clients send, and what the format of a header lets somebody write. */
import * as fc from 'fast-check'
import { editedText } from './edits.ts'

const hexDigit = fc.constantFrom(...'0123456789abcdefABCDEF'.split(''))
const etag = fc
  .string({ unit: hexDigit, minLength: 62, maxLength: 66 })
  .map((digits) => `"blake3-${digits}"`)
const goodEtag = fc.constantFrom('ab', 'AB', '00').map((pair) => `"blake3-${pair.repeat(32)}"`)
const etags = fc.oneof(
  goodEtag,
  etag,
  goodEtag.map((value) => `W/${value}`),
  fc.constantFrom('*', ' * ', '""', '"a"', 'a'),
)
const count = fc.oneof(
  fc.nat({ max: 2000 }).map(String),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e3',
    '1000',
    '1001',
    '00001',
    '9'.repeat(400),
    '0x10',
    '1.0',
    '١',
  ),
)
const end = fc.oneof(fc.nat({ max: 120 }).map(String), fc.constantFrom('', '9'.repeat(30)))
export const rangeTexts: fc.Arbitrary<string> = editedText(
  fc.oneof(
    fc.tuple(end, end).map(([first, last]) => `bytes=${first}-${last}`),
    fc.constantFrom('bytes=0-0,1-1', 'Bytes= 0-', 'items=0-1', 'bytes=', '-5'),
  ),
)
const mediaType = fc.constantFrom(
  'text/plain;charset=UTF-8',
  'application/json',
  'multipart/form-data; boundary=x',
  'Multipart/Form-Data',
  'multipart/form-datax',
  'é',
)

/** Header names with values that more or less belong to them. */
const header: fc.Arbitrary<readonly [name: string, value: string]> = fc.oneof(
  fc.tuple(fc.constantFrom('if-match', 'if-none-match', 'if-range'), editedText(etags)),
  fc.tuple(
    fc.constantFrom('x-tinycloud-limit', 'x-tinycloud-max-response-bytes'),
    fc.oneof(count, editedText(count)),
  ),
  fc.tuple(
    fc.constant('x-tinycloud-cursor'),
    editedText(fc.constantFrom('AAAA', 'A'.repeat(5000))),
  ),
  fc.tuple(
    fc.constant('x-tinycloud-version'),
    editedText(fc.tuple(fc.nat(), fc.nat({ max: 300 })).map(([seq, index]) => `${seq}.${index}`)),
  ),
  fc.tuple(fc.constant('x-tinycloud-versions'), editedText(fc.constant('list'))),
  fc.tuple(fc.constant('range'), rangeTexts),
  fc.tuple(fc.constant('content-type'), editedText(mediaType)),
  fc.tuple(
    fc.constantFrom(
      'content-language',
      'content-encoding',
      'x-tinycloud-meta-a',
      'x-tinycloud-meta-',
    ),
    editedText(fc.constantFrom('en', 'a b', 'é', 'x'.repeat(9000), '')),
  ),
  fc.tuple(
    fc.constantFrom('x-tinycloud-expected-version', 'x-tinycloud-other', '__proto__', 'cookie'),
    fc.constant('1'),
  ),
)

export const headerLists: fc.Arbitrary<readonly (readonly [name: string, value: string])[]> =
  fc.array(header, { maxLength: 4 })
