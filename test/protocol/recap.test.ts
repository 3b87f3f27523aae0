import { describe, expect, it } from 'vitest'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { utf8 } from '../../src/protocol/bytes.ts'
import {
  formatRecapStatement,
  formatRecapUri,
  isRecapUri,
  parseRecapUri,
} from '../../src/protocol/recap.ts'
import { codeOf } from '../_util/credentials.ts'

const PROOF = 'zdj7Wj6FNS4rUUbsiJvjjxcsNqZdDCSiYR8sKQXfoPfpSZuAw'

const uriOf = (json: string): string =>
  `urn:recap:${formatBase64url(utf8(json), { padding: 'none' })}`

describe('parseRecapUri (RECAP-1, RECAP-3)', () => {
  it('reads what formatRecapUri writes', () => {
    const recap = { abilities: { 'x:b': ['ns/two', 'ns/one'], 'x:a': [] }, proofs: [PROOF] }
    const uri = formatRecapUri(recap)
    expect(isRecapUri(uri)).toBe(true)
    expect(parseRecapUri(uri)).toEqual({
      abilities: { 'x:a': [], 'x:b': ['ns/one', 'ns/two'] },
      proofs: [PROOF],
    })
  })

  it('takes several empty entries, any order, blanks and other members', () => {
    const uri = uriOf('{ "prf": [], "more": 1, "att": {"x:a": {"n/a": [{}, {}]}} }')
    expect(parseRecapUri(uri)).toEqual({ abilities: { 'x:a': ['n/a'] }, proofs: [] })
  })

  it.each([
    ['another URN', 'urn:other:e30'],
    ['no payload', 'urn:recap:'],
    ['padding', `${uriOf('{"att":{},"prf":[] }')}=`],
    ['the standard alphabet', 'urn:recap:+/+/'],
    ['no JSON', uriOf('att')],
    ['no object', uriOf('[]')],
    ['no prf', uriOf('{"att":{}}')],
    ['no att', uriOf('{"prf":[]}')],
    ['att as array', uriOf('{"att":[],"prf":[]}')],
    ['abilities as array', uriOf('{"att":{"x:a":["n/a"]},"prf":[]}')],
    ['no entry', uriOf('{"att":{"x:a":{"n/a":[]}},"prf":[]}')],
    ['null as entry', uriOf('{"att":{"x:a":{"n/a":[null]}},"prf":[]}')],
    ['a condition', uriOf('{"att":{"x:a":{"n/a":[{"only":"sundays"}]}},"prf":[]}')],
    ['a condition behind an empty entry', uriOf('{"att":{"x:a":{"n/a":[{},{"a":1}]}},"prf":[]}')],
    ['base32 proofs', uriOf('{"att":{},"prf":["bafkr4i"]}')],
    ['proofs that are no text', uriOf('{"att":{},"prf":[1]}')],
    ['a resource twice', uriOf('{"att":{"x:a":{},"x:a":{}},"prf":[]}')],
    ['deep nesting', uriOf(`{"att":{},"prf":[],"x":${'['.repeat(40)}${']'.repeat(40)}}`)],
  ])('refuses %s', (_, uri) => {
    expect(codeOf(() => parseRecapUri(uri))).toBe('TOKEN_MALFORMED')
  })

  it('keeps odd names as own members', () => {
    const { abilities } = parseRecapUri(
      uriOf('{"att":{"__proto__":{"constructor":[{}]}},"prf":[]}'),
    )
    expect(Object.hasOwn(abilities, '__proto__')).toBe(true)
    expect(Object.keys(abilities)).toEqual(['__proto__'])
  })
})

describe('formatRecapStatement (RECAP-2)', () => {
  it('sorts resources, namespaces and names, one clause each', () => {
    expect(
      formatRecapStatement({
        'x:b': ['n/b'],
        'x:a': ['o/a', 'n.x/b', 'n/b', 'n/a', 'n/B'],
        'x:c': [],
      }),
    ).toBe(
      'I further authorize the stated URI to perform the following actions on my behalf:' +
        " (1) 'n': 'B', 'a', 'b' for 'x:a'. (2) 'n.x': 'b' for 'x:a'. (3) 'o': 'a' for 'x:a'. (4) 'n': 'b' for 'x:b'.",
    )
  })

  it('says nothing more where nothing is granted', () => {
    expect(formatRecapStatement({})).toBe(
      'I further authorize the stated URI to perform the following actions on my behalf:',
    )
  })
})
