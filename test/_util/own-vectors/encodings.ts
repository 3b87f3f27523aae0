/** Vectors for the texts inside tokens: base64url, JSON, times, CIDs. */
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { casesOf, MALFORMED, type Refused, type VectorSuite } from './vector-suite.ts'

type OrRefused<T> = T | Refused

interface Base64Input {
  readonly text: string
  readonly padding: 'none' | 'required'
}

export const BASE64URL: VectorSuite<Base64Input, OrRefused<{ readonly hex: string }>> = {
  suite: 'base64url',
  about: 'input: a text and whether it is padded; expect: its bytes, in hexadecimal',
  cases: [
    ...casesOf<Base64Input, OrRefused<{ readonly hex: string }>>('TOKEN-3', 'R 2.1', {
      'no bytes': [{ text: '', padding: 'none' }, { hex: '' }],
      'one byte': [{ text: '_w', padding: 'none' }, { hex: 'ff' }],
      'one byte, padded': [{ text: '_w==', padding: 'required' }, { hex: 'ff' }],
      'two bytes': [{ text: '-_8', padding: 'none' }, { hex: 'fbff' }],
      'two bytes, padded': [{ text: '-_8=', padding: 'required' }, { hex: 'fbff' }],
      'three bytes': [{ text: 'AQID', padding: 'required' }, { hex: '010203' }],
      'padding where there must be none': [{ text: '_w==', padding: 'none' }, MALFORMED],
      'no padding where there must be some': [{ text: '_w', padding: 'required' }, MALFORMED],
      'half of the padding': [{ text: '_w=', padding: 'required' }, MALFORMED],
      'padding of nothing': [{ text: '====', padding: 'required' }, MALFORMED],
      'stray bits in the last character': [{ text: '_x', padding: 'none' }, MALFORMED],
      'a single character': [{ text: 'A', padding: 'none' }, MALFORMED],
      'the other alphabet': [{ text: '+/8', padding: 'none' }, MALFORMED],
      'a line break': [{ text: 'AQ\nID', padding: 'none' }, MALFORMED],
      'a blank at the end': [{ text: 'AQID ', padding: 'none' }, MALFORMED],
    }),
  ],
}

interface JsonExpect {
  readonly canonical: string
}
const DEEP = 32
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

export const JSON_TEXTS: VectorSuite<string, OrRefused<JsonExpect>> = {
  suite: 'json',
  about: 'input: a JSON text inside a token; expect: the same value by RFC 8785',
  cases: casesOf<string, OrRefused<JsonExpect>>('TOKEN-4', 'R 2.2, D', {
    'members in any order': ['{"b":1,"a":[true,null]}', { canonical: '{"a":[true,null],"b":1}' }],
    'an escaped name': ['{"\\u0061":1}', { canonical: '{"a":1}' }],
    'a name of a backslash': ['{"a":1,"\\\\":2}', { canonical: '{"\\\\":2,"a":1}' }],
    // Read in this order, some versions of V8 take the name for the one before (nodejs/node#63785).
    'a name of a quote, after it': ['{"a":1,"\\"":2}', { canonical: '{"\\"":2,"a":1}' }],
    'the name __proto__': ['{"__proto__":{}}', { canonical: '{"__proto__":{}}' }],
    'a number with exponent': ['1E2', { canonical: '100' }],
    '32 levels': [nested(DEEP), { canonical: nested(DEEP) }],
    '33 levels': [nested(DEEP + 1), MALFORMED],
    'a name twice': ['{"a":1,"a":1}', MALFORMED],
    'a name twice, deep': ['[{"b":{"a":1,"a":2}}]', MALFORMED],
    'a name twice, in two spellings': ['{"a":1,"\\u0061":2}', MALFORMED],
    'the name __proto__ twice': ['{"__proto__":1,"__proto__":2}', MALFORMED],
    'a lone surrogate': ['"\\ud800"', MALFORMED],
    'a number beyond a double': ['1e999', MALFORMED],
    'a leading zero': ['01', MALFORMED],
    'a trailing comma': ['[1,]', MALFORMED],
    'two values': ['{}{}', MALFORMED],
    'a byte order mark': ['\ufeff{}', MALFORMED],
    'a text that begins with one': ['{"a":"\ufeffb"}', MALFORMED],
    'a name that begins with one': ['{"\\ufeffa":1}', MALFORMED],
    'a byte order mark inside a text': ['"a\ufeff"', { canonical: '"a\ufeff"' }],
  }),
}

export const TIMES: VectorSuite<string, OrRefused<{ readonly unixS: number }>> = {
  suite: 'times',
  about: 'input: a time of a SIWE message; expect: Unix seconds',
  cases: casesOf<string, OrRefused<{ readonly unixS: number }>>('CACAO-3', 'R 2.3', {
    'in UTC': ['2026-01-01T00:00:00Z', { unixS: 1_767_225_600 }],
    'in small letters': ['2026-01-01t00:00:00z', { unixS: 1_767_225_600 }],
    'with a fraction': ['2026-01-01T00:00:00.25Z', { unixS: 1_767_225_600.25 }],
    'east of Greenwich': ['2026-01-01T05:30:00+05:30', { unixS: 1_767_225_600 }],
    'west of Greenwich': ['2025-12-31T16:00:00-08:00', { unixS: 1_767_225_600 }],
    'before 1970': ['1969-12-31T23:59:59Z', { unixS: -1 }],
    'a leap day': ['2024-02-29T00:00:00Z', { unixS: 1_709_164_800 }],
    'the leap day of a century': ['2000-02-29T00:00:00Z', { unixS: 951_782_400 }],
    'a leap day that was none': ['2100-02-29T00:00:00Z', MALFORMED],
    '31 February': ['2025-02-31T00:00:00Z', MALFORMED],
    'day 0': ['2026-01-00T00:00:00Z', MALFORMED],
    'month 13': ['2026-13-01T00:00:00Z', MALFORMED],
    'hour 24': ['2026-01-01T24:00:00Z', MALFORMED],
    'a leap second': ['2016-12-31T23:59:60Z', MALFORMED],
    'no offset': ['2026-01-01T00:00:00', MALFORMED],
    'a blank for the T': ['2026-01-01 00:00:00Z', MALFORMED],
    'a date alone': ['2026-01-01', MALFORMED],
    'a year of five digits': ['12026-01-01T00:00:00Z', MALFORMED],
    'a line break at the end': ['2026-01-01T00:00:00Z\n', MALFORMED],
  }),
}

interface CidExpect {
  readonly codec: number
  readonly hashCode: number
  readonly digestHex: string
}
const HELLO = 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f'
const RAW_HELLO = 'bafkr4ihkr4ld3m4gqkjf4reryxsy2s5tkbxprqkow6fin2iiyvreuzzab4'
const hello = (codec: number): CidExpect => ({ codec, hashCode: 0x1e, digestHex: HELLO })

export const CIDS: VectorSuite<string, OrRefused<CidExpect>> = {
  suite: 'cids',
  about: 'input: a cited proof or a target; expect: its parts (codes as numbers)',
  cases: casesOf<string, OrRefused<CidExpect>>('UCAN-5', 'R 2.4', {
    'raw, base32': [RAW_HELLO, hello(0x55)],
    'raw, base58btc': [CID.parse(RAW_HELLO).toString(base58btc), hello(0x55)],
    'dag-cbor, base16': [`f01711e20${HELLO}`, hello(0x71)],
    'a codec of two bytes': [`f01a9021e20${HELLO}`, hello(0x0129)],
    'version 0': [
      'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n',
      {
        codec: 0x70,
        hashCode: 0x12,
        digestHex: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      },
    ],
    'version 0 behind a base': ['zQmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n', MALFORMED],
    'another base than it says': [`bf01551e20${HELLO}`, MALFORMED],
    'capitals in base32': [
      'bAFKR4IHKR4LD3M4GQKJF4RERYXSY2S5TKBXPRQKOW6FIN2IIYVREUZZAB4',
      MALFORMED,
    ],
    'version 2': [`f02551e20${HELLO}`, MALFORMED],
    'a digest that is cut off': [`f01551e20${HELLO.slice(2)}`, MALFORMED],
    'bytes after the digest': [`f01551e20${HELLO}00`, MALFORMED],
    'a varint longer than needed': [`f01d5001e20${HELLO}`, MALFORMED],
    'no text': ['', MALFORMED],
    'a base that nobody knows': ['!afkr4i', MALFORMED],
  }),
}
