/** Small damage to something that was well formed: what a parser must survive, and what structure alone never finds. */
import * as fc from 'fast-check'

/** What means something to one of the formats, or to nobody. */
const FRAGMENTS = [
  '',
  ' ',
  '\t',
  '\n',
  '\r\n',
  '\0',
  '"',
  '\\',
  '/',
  '//',
  '.',
  '..',
  '/../',
  '%',
  '%2F',
  '%2f',
  '%00',
  '%zz',
  ':',
  '#',
  '?',
  '@',
  '=',
  '==',
  '-',
  '_',
  '+',
  '*',
  ',',
  ';',
  "'",
  '[',
  ']',
  '{',
  '}',
  '[]',
  '{}',
  '0',
  '1',
  '-1',
  '9',
  'a',
  'Z',
  'é',
  '\u00a0',
  '\u2028',
  '\ud800',
  '\udc00',
  '💥',
  '\ufeff',
  '__proto__',
  'constructor',
  'null',
  'true',
  'NaN',
  '1e999',
  'did:',
  'urn:',
  'tinycloud:',
  'W/',
] as const

/** Where, as a share of the length, so that an edit fits every text. */
const place = fc.double({ min: 0, max: 1, noNaN: true })
const span = fc.oneof(fc.nat({ max: 1 }), fc.nat({ max: 8 }))

const textPiece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...FRAGMENTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
)

type Edit = (text: string) => string

const placeIn = (text: string, share: number): number => Math.floor(share * text.length)

const editOf = (piece: fc.Arbitrary<string>): fc.Arbitrary<Edit> =>
  fc.oneof(
    fc.tuple(place, span, piece).map(([share, count, put]): Edit => {
      return (text) => {
        const at = placeIn(text, share)
        return text.slice(0, at) + put + text.slice(at + count)
      }
    }),
    fc.tuple(place, span).map(([share, count]): Edit => {
      return (text) => {
        const at = placeIn(text, share)
        return text.slice(0, at + count) + text.slice(at)
      }
    }),
    place.map(
      (share): Edit =>
        (text) =>
          text.slice(0, placeIn(text, share)),
    ),
    fc.tuple(place, place).map(
      ([one, two]): Edit =>
        (text) =>
          swapAt(text, placeIn(text, one), placeIn(text, two)),
    ),
  )

function swapAt(text: string, at: number, other: number): string {
  const units = text.split('')
  const [one = '', two = ''] = [units[at], units[other]]
  units[at] = two
  units[other] = one
  return units.join('')
}

const EDITS_MAX = 3

const applyAll = (edits: readonly Edit[], text: string): string =>
  edits.reduce((edited, edit) => edit(edited), text)

/** `base` with up to three edits; often none. */
export const editedText = (base: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(base, fc.array(editOf(textPiece), { maxLength: EDITS_MAX }))
    .map(([text, edits]) => applyAll(edits, text))

/** One character for each byte. */
const bytePiece = fc.oneof(
  fc.constantFrom('\0', '\x01', '\x17', '\x18', '\x19', '\x1a', '\x1b', '\x1f', '\x40', '\x60'),
  fc.constantFrom(
    '\x7f',
    '\x80',
    '\x9f',
    '\xa0',
    '\xa1',
    '\xbf',
    '\xc0',
    '\xd8\x2a',
    '\xf6',
    '\xf7',
  ),
  fc.constantFrom('\xfb', '\xff', '\xff\xff\xff\xff', '\x80\x80\x80\x80\x80\x80\x80\x80\x01'),
  fc.nat({ max: 255 }).map((byte) => String.fromCharCode(byte)),
)

/** `base` with up to three edits; often none. */
export const editedBytes = (base: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc.tuple(base, fc.array(editOf(bytePiece), { maxLength: EDITS_MAX })).map(([bytes, edits]) => {
    if (edits.length === 0) return bytes
    const text = applyAll(edits, Buffer.from(bytes).toString('latin1'))
    return new Uint8Array(Buffer.from(text, 'latin1'))
  })
