import { describe, expect, it } from 'vitest'

import { parseTrustedProxies } from '../../../src/main/config/proxies.ts'
import { readClientName, TrustedProxies } from '../../../src/main/http/client-address.ts'

describe('readClientName', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:DB8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    [undefined, 'unknown'],
  ])('%s counts as %s', (address, name) => expect(readClientName(address)).toBe(name))
})

/** What the proxies of `setting` make of a connection from `peer` with these headers. */
function clientOf(
  setting: string,
  peer: string | undefined,
  headers: Record<string, string> = {},
): string | undefined {
  const proxies = new TrustedProxies(parseTrustedProxies(setting))
  return proxies.clientAddress({ headers, socket: { remoteAddress: peer } })
}

/** Behind a proxy of ours that tells this chain. */
const toldBy = (chain: string): string | undefined =>
  clientOf('10.0.0.0/8', '10.0.0.1', { 'x-forwarded-for': chain })

describe('forwarding headers (PUBLIC-5)', () => {
  const FORGED = { 'x-forwarded-for': '198.51.100.1', 'x-real-ip': '198.51.100.2' }

  it('are ignored unless the connection comes from a trusted proxy', () => {
    expect(clientOf('none', '127.0.0.1', FORGED)).toBe('127.0.0.1')
    expect(clientOf('10.0.0.0/8', '127.0.0.1', FORGED)).toBe('127.0.0.1')
    expect(clientOf('10.0.0.0/8', '::ffff:11.0.0.1', FORGED)).toBe('::ffff:11.0.0.1')
    expect(clientOf('10.0.0.0/8', undefined, FORGED)).toBeUndefined()
  })

  it.each([
    ['10.0.0.0/8', '10.1.2.3'],
    ['10.0.0.0/8', '::ffff:10.1.2.3'],
    ['2001:db8::/32', '2001:db8:7::1'],
    ['0.0.0.0/0', '192.0.2.1'],
  ])('are believed behind %s from %s', (setting, peer) => {
    expect(clientOf(setting, peer, { 'x-forwarded-for': '198.51.100.1' })).toBe('198.51.100.1')
    expect(clientOf(setting, peer, { 'x-real-ip': '198.51.100.2' })).toBe('198.51.100.2')
    expect(clientOf(setting, peer)).toBe(peer)
  })

  it('count from the last address that is no proxy: what stands before it is its own word', () => {
    expect(toldBy('1.1.1.1, 198.51.100.1')).toBe('198.51.100.1')
    expect(toldBy('1.1.1.1, 198.51.100.1, 10.9.9.9')).toBe('198.51.100.1')
    expect(toldBy('10.0.0.7, 10.9.9.9')).toBe('10.0.0.7')
    expect(toldBy('198.51.100.1, nonsense, 10.9.9.9')).toBe('10.9.9.9')
    expect(toldBy('nonsense')).toBe('10.0.0.1')
    expect(toldBy('')).toBe('10.0.0.1')
  })

  it('may carry ports and brackets', () => {
    expect(toldBy('198.51.100.1:5555')).toBe('198.51.100.1')
    expect(toldBy('[2001:db8::1]:443')).toBe('2001:db8::1')
    expect(toldBy('[2001:db8::1]')).toBe('2001:db8::1')
    expect(toldBy('2001:db8::1')).toBe('2001:db8::1')
    expect(toldBy('[198.51.100.1')).toBe('10.0.0.1')
  })

  it('have one address in X-Real-IP, or none', () => {
    for (const text of ['1.1.1.1, 198.51.100.1', 'nonsense'])
      expect(clientOf('10.0.0.0/8', '10.0.0.1', { 'x-real-ip': text })).toBe('10.0.0.1')
  })

  it('are looked at for a bounded number of hops', () => {
    const chain = ['198.51.100.1', ...Array.from({ length: 32 }, (_, hop) => `10.0.1.${hop}`)]
    expect(clientOf('10.0.0.0/8', '10.0.0.1', { 'x-forwarded-for': chain.join(',') })).toBe(
      '10.0.1.0',
    )
  })
})
