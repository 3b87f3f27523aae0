import { describe, expect, it } from 'vitest'

import { parseAllowlistUrl, parseRpcUrls } from '../../../src/main/config/hosts.ts'

describe('spaces.allowlist', () => {
  it.each(['none', 'None', ' none '])('%j hosts every space', (text) => {
    expect(parseAllowlistUrl(text)).toBeUndefined()
  })

  it.each([
    ['https://list.example', 'https://list.example/'],
    ['https://list.example/spaces', 'https://list.example/spaces'],
    ['http://127.0.0.1:3000/allow/', 'http://127.0.0.1:3000/allow/'],
  ])('%s is asked at %s', (text, url) => {
    expect(parseAllowlistUrl(text)).toBe(url)
  })

  it.each([
    'list.example',
    'list.example:3000/spaces',
    '/spaces',
    'file:///etc/spaces',
    'ftp://list.example',
    'https://list.example/?space=',
    'https://list.example/#spaces',
    'https://user@list.example',
    'https://user:secret@list.example',
    'https://',
    'yes',
  ])('%s is refused, and not repeated: it may hold a password', (text) => {
    expect(() => parseAllowlistUrl(text)).toThrow(/^spaces.allowlist: must be an http: or https:/)
    expect(() => parseAllowlistUrl(text)).not.toThrow(/secret/)
  })
})

describe('ethereum.rpc_urls', () => {
  it('names a server for each chain', () => {
    expect([...parseRpcUrls('none')]).toEqual([])
    expect([...parseRpcUrls('1=https://a.example/k?x=1, 8453 = http://127.0.0.1:8545')]).toEqual([
      ['1', 'https://a.example/k?x=1'],
      ['8453', 'http://127.0.0.1:8545/'],
    ])
  })

  it.each([
    'https://a.example/secret',
    '1',
    '1=',
    '1=a.example/secret',
    '1=ftp://a.example/secret',
    '0=https://a.example/secret',
    '01=https://a.example/secret',
    '-1=https://a.example/secret',
    '0x1=https://a.example/secret',
    'eip155:1=https://a.example/secret',
    `${'1'.repeat(33)}=https://a.example/secret`,
    '1=https://a.example/secret#x',
    '1=https://a.example/secret,',
    '1=https://a.example/secret,none',
  ])('%s is refused, and not repeated: it may hold a key', (text) => {
    expect(() => parseRpcUrls(text)).toThrow(/^ethereum.rpc_urls: must be chain ids with/)
    expect(() => parseRpcUrls(text)).not.toThrow(/secret/)
  })

  it('names a chain once, and at most 64 of them', () => {
    expect(() => parseRpcUrls('1=https://a.example,1=https://b.example')).toThrow(
      'chain 1 is named twice',
    )
    const many = Array.from({ length: 65 }, (_, no) => `${no + 1}=https://a.example`)
    expect(parseRpcUrls(many.slice(1).join(',')).size).toBe(64)
    expect(() => parseRpcUrls(many.join(','))).toThrow('at most 64 chains')
  })
})
