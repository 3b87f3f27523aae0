/**
 * Which addresses a caller may make the node connect to: those of the public Internet, and nothing behind its firewall
 * (IANA special-purpose registries, RFC 6890; multicast; reserved).
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

const NOT_PUBLIC_IPV4: readonly (readonly [network: string, prefixBits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/** Global unicast. Everything else is local, multicast, or an IPv4 address in another form. */
const PUBLIC_IPV6 = ['2000::', 3] as const
/** Inside it: protocol assignments with Teredo, documentation, 6to4. */
const NOT_PUBLIC_IPV6: readonly (readonly [network: string, prefixBits: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const notPublic = new BlockList()
for (const [network, prefixBits] of NOT_PUBLIC_IPV4) notPublic.addSubnet(network, prefixBits)
for (const [network, prefixBits] of NOT_PUBLIC_IPV6)
  notPublic.addSubnet(network, prefixBits, 'ipv6')

const globalUnicast = new BlockList()
globalUnicast.addSubnet(...PUBLIC_IPV6, 'ipv6')

/** False for what is no address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublic.check(address)
  if (!isIPv6(address) || address.includes('%')) return false
  return globalUnicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6')
}
