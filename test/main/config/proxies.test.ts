import { describe, expect, it } from 'vitest'

import { parseTrustedProxies } from '../../../src/main/config/proxies.ts'

const list = (count: number): string => Array.from({ length: count }, () => '127.0.0.1').join(',')

describe('http.trusted_proxies', () => {
  it.each(['none', 'None', ' none '])('%j believes nobody', (text) => {
    expect(parseTrustedProxies(text)).toEqual([])
  })

  it('names addresses and networks of both families', () => {
    expect(parseTrustedProxies('127.0.0.1,10.0.0.0/8 ,::1, 2001:db8::/32,0.0.0.0/0')).toEqual([
      { family: 'ipv4', address: '127.0.0.1', prefixBits: 32 },
      { family: 'ipv4', address: '10.0.0.0', prefixBits: 8 },
      { family: 'ipv6', address: '::1', prefixBits: 128 },
      { family: 'ipv6', address: '2001:db8::', prefixBits: 32 },
      { family: 'ipv4', address: '0.0.0.0', prefixBits: 0 },
    ])
  })

  it.each([
    'proxy.example',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0/8',
    '127.0.0.1:80',
    'fe80::1%eth0',
    '127.0.0.1,',
    'none,127.0.0.1',
    '*',
  ])('refuses %j', (text) => {
    expect(() => parseTrustedProxies(text)).toThrow(/^http\.trusted_proxies: .*is no address/)
  })

  it('bounds the list', () => {
    expect(parseTrustedProxies(list(1024))).toHaveLength(1024)
    expect(() => parseTrustedProxies(list(1025))).toThrow('at most 1024')
  })
})
