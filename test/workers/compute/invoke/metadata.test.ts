import { describe, expect, it } from 'vitest'
import { METADATA_BYTES_MAX } from '../../../../src/protocol/limits.ts'
import {
  storedHeaders,
  withoutImplicitText,
} from '../../../../src/workers/compute/invoke/metadata.ts'

const IMPLICIT = 'text/plain;charset=UTF-8'

describe('storedHeaders (META-1, META-3)', () => {
  it('keeps the content headers and x-tinycloud-meta-*, sorted, the last of a repeated one', () => {
    expect(
      storedHeaders({
        headers: [
          ['x-tinycloud-meta-b', '1'],
          ['content-type', 'text/a'],
          ['content-type', 'text/b'],
          ['authorization', 'secret'],
          ['x-tinycloud-metadata', 'almost'],
          ['x-tinycloud-limit', '5'],
          ['content-disposition', ''],
        ],
      }),
    ).toEqual([
      ['content-disposition', ''],
      ['content-type', 'text/b'],
      ['x-tinycloud-meta-b', '1'],
    ])
  })

  it('drops a value that would not come back byte for byte', () => {
    for (const value of ['caf\u00e9', 'a\u0001b', 'a\r\nset-cookie: b'])
      expect(storedHeaders({ headers: [['content-type', value]] })).toEqual([])
  })

  it('refuses more than the limit of all of them together', () => {
    const headers = [0, 1].map(
      (index) => [`x-tinycloud-meta-${index}`, 'x'.repeat(METADATA_BYTES_MAX / 2)] as const,
    )
    expect(() => storedHeaders({ headers })).toThrow('METADATA_TOO_LARGE')
  })
})

const kept = (body: string, type = IMPLICIT): boolean =>
  withoutImplicitText([['content-type', type]], Buffer.from(body)).length === 1

describe('withoutImplicitText (META-2)', () => {
  it.each(['{"a":1}', '[1,2]', ' \n{"a":{"b":[]}} '])('drops the type of %j', (body) => {
    expect(kept(body)).toBe(false)
  })
  it.each(['hello', '', '42', '"text"', 'null', '{"a":1', '{"a":1} x', '\u00a0{}'])(
    'keeps the type of %j',
    (body) => {
      expect(kept(body)).toBe(true)
    },
  )
  it('keeps every other spelling of the type, and invalid UTF-8', () => {
    for (const type of ['text/plain', 'text/plain; charset=utf-8', 'text/markdown;charset=UTF-8'])
      expect(kept('{"a":1}', type)).toBe(true)
    const invalid = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])
    expect(withoutImplicitText([['content-type', IMPLICIT]], invalid)).toHaveLength(1)
  })
})
