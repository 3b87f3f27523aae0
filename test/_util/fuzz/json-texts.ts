/** JSON texts as strangers write them: names twice, names escaped, deep nests, numbers that no double holds. */
import * as fc from 'fast-check'
import { editedText } from './edits.ts'

const DEPTH_MAX = 6

const blank = fc.constantFrom('', '', '', ' ', '\n', '\t ', '\r\n')
const number = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1e999',
    '-1e999',
    '1e-999',
    '9007199254740993',
    '0.1',
    '1E+2',
    '00',
    '.5',
    '1.',
    '+1',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
)
const stringPiece = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'é',
    '💥',
    '\ufeff',
    ':',
    ',',
    '{',
    '}',
    ' ',
    '\u2028',
    '\u0000',
    '\ud800',
  ),
  fc.constantFrom(
    '\\"',
    '\\\\',
    '\\/',
    '\\b',
    '\\n',
    '\\u0061',
    '\\u0000',
    '\\ud83d\\udca5',
    '\\ud800',
    '\\ufeff',
    '\\udc00',
  ),
  fc.constantFrom('\\x', '\\u12', '\\'),
)
const string = fc.array(stringPiece, { maxLength: 6 }).map((pieces) => `"${pieces.join('')}"`)
/** Few, so that the same one comes twice, and in two spellings. */
const name = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('"a"', '"\\u0061"', '"b"', '""', '"__proto__"', '"\\""'),
  },
  { weight: 1, arbitrary: string },
)

const spaced = (open: string, items: readonly string[], close: string, gap: string): string =>
  open + gap + items.join(`${gap},${gap}`) + gap + close

const { value } = fc.letrec<{ value: string; leaf: string; list: string; map: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: DEPTH_MAX, withCrossShrink: true },
    tie('leaf'),
    tie('list'),
    tie('map'),
  ),
  leaf: fc.oneof(fc.constantFrom('null', 'true', 'false', 'undefined'), number, string),
  list: fc
    .tuple(fc.array(tie('value'), { maxLength: 4 }), blank)
    .map(([items, gap]) => spaced('[', items, ']', gap)),
  map: fc
    .tuple(fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }), blank)
    .map(([members, gap]) =>
      spaced(
        '{',
        members.map(([key, member]) => `${key}${gap}:${gap}${member}`),
        '}',
        gap,
      ),
    ),
}))

const NESTS = [
  ['[', ']'],
  ['{"a":', '}'],
] as const
const nest = fc
  .tuple(fc.nat({ max: 60 }), fc.constantFrom(...NESTS), fc.constantFrom('0', '[]', ''))
  .map(([depth, [open, close], core]) => open.repeat(depth) + core + close.repeat(depth))

export const jsonTexts: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: value },
  { weight: 3, arbitrary: editedText(value) },
  { weight: 1, arbitrary: nest },
)
