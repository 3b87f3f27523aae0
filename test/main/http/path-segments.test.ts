import { describe, expect, it } from 'vitest'

import { ProtocolError } from '../../../src/protocol/error.ts'
import { readParameter, readSegments } from '../../../src/main/http/path-segments.ts'

describe('segments of a path (PUBLIC-2)', () => {
  it.each([
    ['/public/a/kv/b', ['public', 'a', 'kv', 'b']],
    ['/public//a/kv//b/', ['public', 'a', 'kv', 'b']],
    ['/public/a%3Ab/kv/c%2Fd', ['public', 'a:b', 'kv', 'c/d']],
    ['/a/%2520', ['a', '%20']],
    ['/a/%C3%A9', ['a', 'é']],
    ['/a/../b', ['a', '..', 'b']],
    ['/a?b=/c/d', ['a']],
    ['/a+b', ['a+b']],
    ['/', []],
    ['', []],
  ])('%s are %j', (url, segments) => expect(readSegments(url)).toEqual(segments))

  it.each(['/a/%', '/a/%zz', '/a/%FF', '/%C3'])('%s has none', (url) => {
    expect(() => readSegments(url)).toThrow(new ProtocolError('REQUEST_MALFORMED'))
  })
})

describe('a parameter of a query (PUBLIC-3)', () => {
  it.each([
    ['/x?prefix=a', 'a'],
    ['/x?prefix=', ''],
    ['/x?a=b&prefix=c%2Fd', 'c/d'],
    ['/x?prefix=a&prefix=b', 'a'],
    ['/x?prefix=a=b', 'a=b'],
    ['/x?prefix=a+b', 'a+b'],
    ['/x?prefix=a?b', 'a?b'],
    ['/x', undefined],
    ['/x?', undefined],
    ['/x?prefix', undefined],
    ['/x?xprefix=a', undefined],
    ['/prefix=a?b', undefined],
  ])('of %s is %j', (url, value) => expect(readParameter(url, 'prefix')).toBe(value))

  it('that cannot be decoded is refused by name', () => {
    expect(() => readParameter('/x?prefix=%FF', 'prefix')).toThrow(
      new ProtocolError('OPTION_INVALID', 'Invalid prefix'),
    )
  })
})
