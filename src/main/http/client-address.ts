/**
 * The name under which a client's share of the node is counted: its address, or the /64 network of an IPv6 address,
 * which is the least that one subscriber gets. Addresses in forwarding headers are not believed: anybody can write them.
 */
import { isIPv6 } from 'node:net'

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const NETWORK_GROUPS = 4

export function readClientName(address: string | undefined): string {
  if (address === undefined || !isIPv6(address)) return address ?? 'unknown'
  const mapped = MAPPED_IPV4.exec(address)
  if (mapped?.[1]) return mapped[1]
  const [head = ''] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  while (groups.length < NETWORK_GROUPS) groups.push('0')
  return groups.slice(0, NETWORK_GROUPS).join(':').toLowerCase()
}
