import { describe, expect, it } from 'vitest'
import {
  coversResource,
  formatResource,
  formatSpaceId,
  parseResource,
  parseSpaceId,
  rootAuthorityOf,
} from '../../src/protocol/resource.ts'
import { codeOf, OWNER, SESSION, SPACE } from '../_util/credentials.ts'

const LOWER_SPACE = SPACE.replace(OWNER.address, OWNER.address.toLowerCase())

const partsOf = (rest: string) => parseResource(`${SPACE}/${rest}`)

describe('parseResource (RES-1)', () => {
  it('splits a space resource', () => {
    expect(parseResource(`${SPACE}/kv/a/b?view=1#part`)).toEqual({
      kind: 'space',
      text: `${SPACE}/kv/a/b?view=1#part`,
      space: SPACE,
      owner: OWNER.did,
      name: 'default',
      service: 'kv',
      path: 'a/b',
      query: 'view=1',
      fragment: 'part',
    })
  })

  it('tells no path from an empty one', () => {
    expect(partsOf('kv')).toMatchObject({ service: 'kv', path: undefined, query: undefined })
    expect(partsOf('kv/')).toMatchObject({ service: 'kv', path: '' })
    expect(partsOf('kv//')).toMatchObject({ service: 'kv', path: '/' })
    expect(partsOf('kv?')).toMatchObject({ service: 'kv', path: undefined, query: '' })
    expect(partsOf('kv#')).toMatchObject({ path: undefined, query: undefined, fragment: '' })
  })

  it('writes the address in EIP-55 spelling and leaves the rest alone', () => {
    const resource = parseResource(`${LOWER_SPACE}/kv/0xAbCd?Q#F`)
    expect(resource).toMatchObject({
      text: `${SPACE}/kv/0xAbCd?Q#F`,
      space: SPACE,
      owner: OWNER.did,
    })
    const upper = SPACE.replace(OWNER.address, `0x${OWNER.address.slice(2).toUpperCase()}`)
    expect(parseResource(`${upper}/kv`)).toMatchObject({ space: SPACE })
  })

  it('takes owners of every DID method', () => {
    expect(parseResource(`tinycloud:${SESSION.did.slice(4)}:home/kv/a`)).toMatchObject({
      kind: 'space',
      owner: SESSION.did,
      name: 'home',
    })
    expect(parseResource('tinycloud:web:example.com:user:x:home/kv')).toMatchObject({
      owner: 'did:web:example.com:user:x',
    })
  })

  it('takes unusual space names', () => {
    for (const name of ['a.b', 'a~b', '_', 'a%20b', 'a%2Fb', '...', '.', '..', 'n'.repeat(100)])
      expect(parseResource(`${OWNER.spaceId(name)}/kv`)).toMatchObject({ kind: 'space', name })
  })

  it.each([
    'urn:cid:bafkr4i',
    'https://example.com/',
    'tinycloud:pkh',
    SPACE,
    `${SPACE}/`,
    `${SPACE}//a`,
    `${SPACE}?q`,
    `${SPACE.replace('tinycloud:', 'TINYCLOUD:')}/kv`,
    'tinycloud://host/kv/a',
    'tinycloud:/kv',
    'tinycloud::name/kv',
    'tinycloud:pkh:eip155:1:0x00:/kv',
    'tinycloud:UPPER:x:name/kv',
    `${SPACE}/kv/a/../b`,
    `${SPACE}/kv/./b`,
    `${SPACE}/kv/..`,
    `${SPACE}/kv/%2f`,
    `${SPACE}/kv/%61`,
    `${SPACE}/kv/a%7Eb`,
    `${SPACE}/../kv/a`,
  ])('keeps %s as text', (text) => expect(parseResource(text)).toEqual({ kind: 'other', text }))

  it('keeps an id beyond the limit as text', () => {
    const text = `${OWNER.spaceId('n'.repeat(5000))}/kv`
    expect(parseResource(text)).toEqual({ kind: 'other', text })
  })

  it.each([
    'two words',
    'café',
    'a\nb',
    'a"b',
    'a\\b',
    'a%',
    'a%zz',
    'a[b]',
    'a{b}',
    'a|b',
    'a^b',
    'a`b',
    'a<b',
  ])('refuses the key %j, which is no part of a URI', (key) =>
    expect(codeOf(() => parseResource(`${SPACE}/kv/${key}`))).toBe('TOKEN_MALFORMED'),
  )

  it('does not decode keys', () => {
    for (const path of ['a%00b', '%FF', 'a%2Fb', 'a%252Fb', '__proto__', 'constructor'])
      expect(parseResource(`${SPACE}/kv/${path}`)).toMatchObject({ kind: 'space', path })
  })

  it('gives the same for a space that it knows', () => {
    const first = parseResource(`${LOWER_SPACE}/kv/x`)
    expect(parseResource(`${LOWER_SPACE}/kv/x`)).toEqual(first)
  })
})

it('formatResource writes what parseResource reads', () => {
  for (const rest of ['kv', 'kv/', 'kv/a/b', 'kv?q', 'kv/a?q#f', 'kv#', 'sql/main']) {
    const resource = parseResource(`${SPACE}/${rest}`)
    if (resource.kind !== 'space') throw new Error('a space resource')
    expect(formatResource(resource)).toBe(`${SPACE}/${rest}`)
  }
})

describe('parseSpaceId', () => {
  it('gives the parts', () => {
    expect(parseSpaceId(LOWER_SPACE)).toEqual({ space: SPACE, owner: OWNER.did, name: 'default' })
    expect(formatSpaceId(OWNER.did, 'default')).toBe(SPACE)
  })

  it.each([
    '',
    'default',
    'did:key:z',
    `${SPACE}/kv`,
    `${SPACE}?`,
    `${SPACE}#a`,
    `${SPACE} `,
    'tinycloud:a:',
    'tinycloud:x:%61',
  ])('refuses %j', (text) => expect(codeOf(() => parseSpaceId(text))).toBe('SPACE_ID_INVALID'))

  it('refuses an id beyond the limit', () => {
    expect(codeOf(() => parseSpaceId(OWNER.spaceId('n'.repeat(4096))))).toBe('SPACE_ID_INVALID')
  })
})

const covers = (base: string, child: string): boolean =>
  coversResource(parseResource(base), parseResource(child))

const inSpace = (base: string, child: string): boolean =>
  covers(`${SPACE}/${base}`, `${SPACE}/${child}`)

describe('coversResource (RES-2)', () => {
  it.each([
    ['kv', 'kv'],
    ['kv', 'kv/'],
    ['kv', 'kv/a/b'],
    ['kv/foo', 'kv/foo'],
    ['kv/foo', 'kv/foo/'],
    ['kv/foo', 'kv/foo/bar'],
    ['kv/foo/', 'kv/foo/'],
    ['kv/foo/', 'kv/foo/bar'],
    ['kv/foo/', 'kv/foo//bar'],
    ['kv/', 'kv/'],
    ['kv/foo', 'kv/foo?view=1'],
    ['kv/foo?a', 'kv/foo?b'],
    ['kv/foo#f', 'kv/foo/bar#f'],
  ])('%s covers %s', (base, child) => expect(inSpace(base, child)).toBe(true))

  it.each([
    ['kv/foo', 'kv/foobar'],
    ['kv/foo', 'kv/foo.txt'],
    ['kv/foo', 'kv/fo'],
    ['kv/foo', 'kv/Foo'],
    ['kv/foo', 'kv/foo%2Fbar'],
    ['kv/foo', 'kv/'],
    ['kv/foo', 'kv'],
    ['kv/foo/', 'kv/foo'],
    ['kv/foo/', 'kv/foobar'],
    ['kv/', 'kv/foo'],
    ['kv/', 'kv'],
    ['kv', 'kvx'],
    ['kv', 'sql'],
    ['kv/foo', 'kv/foo#f'],
    ['kv/foo#f', 'kv/foo'],
    ['kv/foo#f', 'kv/foo#g'],
    ['kv/foo', 'kv/foo/../bar'],
  ])('%s does not cover %s', (base, child) => expect(inSpace(base, child)).toBe(false))

  it('keeps spaces apart', () => {
    expect(covers(`${SPACE}/kv`, `${SPACE}x/kv/a`)).toBe(false)
    expect(covers(`${SPACE}/kv`, `${LOWER_SPACE}/kv/a`)).toBe(true)
    expect(covers(`${SPACE}/kv`, `${SPACE.replace(':1:', ':10:')}/kv/a`)).toBe(false)
  })

  it('compares other URIs by prefix, encryption networks as a whole (RES-3)', () => {
    expect(covers('urn:a:b', 'urn:a:bc')).toBe(true)
    expect(covers('urn:a:bc', 'urn:a:b')).toBe(false)
    const network = `urn:tinycloud:encryption:${OWNER.did}:default`
    expect(covers(network, network)).toBe(true)
    expect(covers(network, `${network}2`)).toBe(false)
    expect(covers('tinycloud:x', `${SPACE}/kv`)).toBe(false)
    expect(covers(`${SPACE}/kv`, `${SPACE}/kv/./a`)).toBe(false)
  })
})

describe('rootAuthorityOf', () => {
  it('is the owner of the space or of the encryption network', () => {
    expect(rootAuthorityOf(parseResource(`${LOWER_SPACE}/kv`))).toBe(OWNER.did)
    const lowerDid = OWNER.did.replace(OWNER.address, OWNER.address.toLowerCase())
    expect(rootAuthorityOf(parseResource(`urn:tinycloud:encryption:${lowerDid}:default`))).toBe(
      OWNER.did,
    )
  })

  it('is nobody for other URIs', () => {
    for (const text of [
      'urn:cid:bafk',
      `${SPACE}/kv/..`,
      'urn:tinycloud:encryption:x:y',
      'urn:tinycloud:encryption:did::x',
    ])
      expect(rootAuthorityOf(parseResource(text))).toBeUndefined()
  })
})
