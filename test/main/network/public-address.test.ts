import { describe, expect, it } from 'vitest'

import { isPublicAddress } from '../../../src/main/network/public-address.ts'

describe('an address that a caller may make the node connect to (DID-3)', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.1',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
    '2001:200::1',
    '3ffe::1',
  ])('%s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it.each([
    // This host, private, shared, loopback, link-local with the metadata services of clouds.
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    // Assignments, documentation, benchmarks, multicast, reserved, broadcast.
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    // Unspecified, loopback, link-local, site-local, unique local, multicast.
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'fc00::1',
    'fd12:3456:789a::1',
    'ff02::1',
    // IPv4 in other forms: mapped, compatible, translated, NAT64, 6to4, Teredo.
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::1',
    '2001::1',
    // Documentation, discard, segment routing.
    '2001:db8::1',
    '3fff::1',
    '100::1',
    '5f00::1',
    // No addresses.
    '',
    'localhost',
    '127.1',
    '0x7f000001',
    '2130706433',
    '8.8.8.8:443',
    '[2606:4700:4700::1111]',
    ' 8.8.8.8',
  ])('not %s', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})
