/** Parts against the keys that were signed: names, headers, one part for each key. */
import { describe, expect, it } from 'vitest'
import { BATCH_METADATA_BYTES_MAX, METADATA_BYTES_MAX } from '../../../../src/protocol/limits.ts'
import { type StagedValue } from '../../../../src/workers/blocks/place.ts'
import { type PartHeaders } from '../../../../src/workers/compute/form/form-parser.ts'
import { SignedParts } from '../../../../src/workers/compute/form/signed-parts.ts'
import { refusalOf } from '../../../_util/credentials.ts'

const VALUE: StagedValue = { kind: 'inline', digest: new Uint8Array(32), bytes: new Uint8Array(0) }

const disposition = (value: string): PartHeaders => [['content-disposition', value]]
const named = (name: string): PartHeaders =>
  disposition(`form-data; name="${name}"; filename="blob"`)

const begin = (keys: readonly string[], headers: PartHeaders): string | undefined =>
  refusalOf(() => new SignedParts(keys).begin(headers))?.detail

const unauthorized = (key: string): string =>
  `Multipart KV part ${key} is not authorized by the invocation`

const tooLarge = (limit: number): object => ({ code: 'METADATA_TOO_LARGE', detail: String(limit) })

/** What is stored with the value of a part. */
function headersOf(headers: PartHeaders): unknown {
  const parts = new SignedParts(['a'])
  parts.begin([...named('a'), ...headers])
  parts.end(VALUE)
  return parts.finish()[0]?.headers
}

describe('the name of a part (BATCH-3)', () => {
  it.each([
    ['a', 'a'],
    ['b%2Fc', 'b/c'],
    ['b/c', 'b/c'],
    ['spaces%2Ftinycloud%3Ax', 'spaces/tinycloud:x'],
    ['caf%25C3%25A9', 'caf%C3%A9'],
    ['a%2520b', 'a%20b'],
    ["it's", "it's"],
    ['100%', '100%'],
    ['%zz', '%zz'],
    ['', ''],
  ])('%s is the key %s', (name, key) => {
    expect(begin([key], named(name))).toBeUndefined()
  })

  it('is decoded once, and then compared as it is', () => {
    expect(begin(['a%20b'], named('a%20b'))).toBe(unauthorized('a b'))
    expect(begin(['caf%C3%A9'], named('caf%C3%A9'))).toBe(unauthorized('café'))
    expect(begin(['a'], named('b'))).toBe(unauthorized('b'))
    expect(begin(['a'], named('A'))).toBe(unauthorized('A'))
    expect(begin(['a'], named('__proto__'))).toBe(unauthorized('__proto__'))
  })

  it('is told when it is not UTF-8', () => {
    const text = 'Multipart KV part name is not valid percent-encoded UTF-8: '
    expect(begin(['a'], named('%FF%FE'))).toBe(`${text}%FF%FE`)
    expect(begin(['a'], named('%ED%A0%80'))).toBe(`${text}%ED%A0%80`)
    expect(begin(['a'], named('\xff'))).toBe(`${text}\xff`)
  })

  it.each<[string, PartHeaders]>([
    ['has no headers', []],
    ['has no disposition', [['content-type', 'a/b']]],
    ['has no name', disposition('form-data')],
    ['has only a filename', disposition('form-data; filename="a"')],
    ['is an attachment', disposition('attachment; name="a"')],
    ['has a name that does not end', disposition('form-data; name="a')],
    ['has only a name*', disposition("form-data; name*=utf-8''a")],
  ])('is missing where the part %s', (_, headers) => {
    expect(begin(['a'], headers)).toBe('Multipart KV part is missing a field name')
  })
})

describe('the parts of a batch (BATCH-3)', () => {
  it('come in any order, and go out in that of the keys', () => {
    const parts = new SignedParts(['a', 'b', 'c'])
    for (const key of ['c', 'a', 'b']) {
      parts.begin([...named(key), ['content-type', `text/${key}`]])
      parts.end(VALUE)
    }
    expect(parts.finish().map(({ headers }) => headers)).toEqual([
      [['content-type', 'text/a']],
      [['content-type', 'text/b']],
      [['content-type', 'text/c']],
    ])
  })

  it('are one for each key: no second one, even of a part that has not ended', () => {
    const parts = new SignedParts(['a', 'b'])
    parts.begin(named('a'))
    expect(refusalOf(() => parts.begin(named('%61')))?.detail).toBe(
      'Duplicate multipart KV part for path a',
    )
  })

  it('are all there at the end, or the missing are named', () => {
    const parts = new SignedParts(['a', 'b', 'c'])
    parts.begin(named('b'))
    parts.end(VALUE)
    expect(refusalOf(() => parts.finish())).toEqual({
      code: 'OPTION_INVALID',
      detail: 'Missing multipart KV parts for signed paths: a, c',
    })
  })
})

describe('the headers of a part (BATCH-4)', () => {
  it('are stored as those of a put are, without the disposition', () => {
    expect(
      headersOf([
        ['x-tinycloud-meta-mood', 'calm'],
        ['content-type', 'text/plain;charset=UTF-8'],
        ['content-encoding', 'br'],
        ['content-language', 'de'],
        ['authorization', 'secret'],
        ['content-transfer-encoding', 'base64'],
        ['x-tinycloud-meta-odd', '\xe4'],
      ]),
    ).toEqual([
      ['content-encoding', 'br'],
      ['content-language', 'de'],
      ['content-type', 'text/plain;charset=UTF-8'],
      ['x-tinycloud-meta-mood', 'calm'],
    ])
  })

  it('have a limit in each part, and one in the batch', () => {
    const long: PartHeaders = [['content-type', 'x'.repeat(METADATA_BYTES_MAX - 12)]]
    expect(refusalOf(() => headersOf([...long, ['content-encoding', '']]))).toEqual(
      tooLarge(METADATA_BYTES_MAX),
    )
    const count = Math.floor(BATCH_METADATA_BYTES_MAX / METADATA_BYTES_MAX)
    const parts = new SignedParts(Array.from({ length: count + 1 }, (_, index) => `k${index}`))
    for (let index = 0; index < count; index++) {
      parts.begin([...named(`k${index}`), ...long])
      parts.end(VALUE)
    }
    expect(refusalOf(() => parts.begin([...named(`k${count}`), ...long]))).toEqual(
      tooLarge(BATCH_METADATA_BYTES_MAX),
    )
  })
})
