import { describe, expect, it } from 'vitest'
import { isNormalUri, isUri, isUriAuthority, isUriScheme } from '../../src/protocol/uri.ts'

describe('isUri', () => {
  it.each([
    'a:',
    'did:key:z6Mk#z6Mk',
    'urn:recap:eyJ9',
    'https://user@host.example:80/a/b?c=d#e',
    'https://[::cafe]/x',
    'http://127.0.0.1?x',
    'tinycloud:pkh:eip155:1:0x00:default/kv/a%20b',
    "x:!$&'()*+,;=:@/-._~",
    'x:?/?#/?',
    'file:///etc',
  ])('takes %s', (text) => expect(isUri(text)).toBe(true))

  it.each([
    '',
    'a',
    ':a',
    '1a:b',
    'a b:c',
    'a:b c',
    'a:b\n',
    'a:\u0000',
    'a:é',
    'a:\u{1F600}',
    'a:"',
    'a:<',
    'a:>',
    'a:\\',
    'a:^',
    'a:`',
    'a:{',
    'a:|',
    'a:}',
    'a:[',
    'a:]',
    'a:%',
    'a:%2',
    'a:%zz',
    'a:%2g',
    'a:#b#c',
    'http://a@b@c/',
    'http://[::1',
    'http://host:port/',
  ])('refuses %j', (text) => expect(isUri(text)).toBe(false))

  it('answers in linear time for long texts that fail at the end', () => {
    const started = performance.now()
    for (const part of ['a', '%20', 'a@', '/.', ':', '[']) {
      expect(isUri(`x:${part.repeat(100_000)} `)).toBe(false)
      expect(isUri(`x://${part.repeat(100_000)} `)).toBe(false)
    }
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

describe('isNormalUri', () => {
  it.each([
    'x:a/b',
    'x:a//b',
    'x:a/.b',
    'x:a/..b',
    'x:a/b..',
    'x:%2F%20%FF',
    'x:a?/../b',
    'x:a#/./b',
  ])('takes %s', (text) => expect(isNormalUri(text)).toBe(true))

  it.each([
    'x:a/./b',
    'x:a/../b',
    'x:a/.',
    'x:a/..',
    'x:a/..?b',
    'x:a/.#b',
    'x:%2f',
    'x:%aB',
    'x:%Ab',
    'x:a?%c3',
    'x:%41',
    'x:%5A',
    'x:%61',
    'x:%7A',
    'x:%30',
    'x:%39',
    'x:%2D',
    'x:%2E',
    'x:%5F',
    'x:%7E',
  ])('refuses %s', (text) => expect(isNormalUri(text)).toBe(false))

  it('finds every escape that needs none, and no other', () => {
    for (let byte = 0; byte < 256; byte++) {
      const escape = `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      const isUnreserved = /^[A-Za-z0-9\-._~]$/.test(String.fromCharCode(byte))
      expect([escape, isNormalUri(`x:${escape}`)]).toEqual([escape, !isUnreserved])
    }
  })
})

describe('parts of URIs', () => {
  it('knows authorities', () => {
    for (const text of ['a.example', 'u@a:80', '[::1]:80', '127.0.0.1', 'a%20b'])
      expect([text, isUriAuthority(text)]).toEqual([text, true])
    for (const text of ['', '#a', 'a/b', 'a?b', 'a b', 'a\n', 'a@b@c', 'a:b:c', '[::1', 'ä'])
      expect([text, isUriAuthority(text)]).toEqual([text, false])
  })

  it('knows schemes', () => {
    for (const text of ['https', 'a+b-c.d1'])
      expect([text, isUriScheme(text)]).toEqual([text, true])
    for (const text of ['', '1a', 'a:', 'a b', 'https\n'])
      expect([text, isUriScheme(text)]).toEqual([text, false])
  })
})
