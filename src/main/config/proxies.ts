/** The setting `http.trusted_proxies`: addresses and networks, separated by commas, or `none`. */
import { isIP } from 'node:net'

import { type ProxyNetwork } from './node-config.ts'

const NOBODY = 'none'
const NETWORKS_MAX = 1024
const ADDRESS_BITS = { ipv4: 32, ipv6: 128 } as const

/** @throws {RangeError} with the sentence for the person who wrote it */
export function parseTrustedProxies(text: string): ProxyNetwork[] {
  if (text.trim().toLowerCase() === NOBODY) return []
  const networks = text.split(',').map((part) => parseNetwork(part.trim()))
  if (networks.length > NETWORKS_MAX)
    throw new RangeError(`http.trusted_proxies: at most ${NETWORKS_MAX} networks can be named.`)
  return networks
}

function parseNetwork(text: string): ProxyNetwork {
  const [address = '', bits, ...more] = text.split('/')
  const family = familyOf(address)
  if (family === undefined || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)))
    throw unreadable(text)
  const prefixBits = bits === undefined ? ADDRESS_BITS[family] : Number(bits)
  if (prefixBits > ADDRESS_BITS[family]) throw unreadable(text)
  return { family, address, prefixBits }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address)
  // A zone names an interface of one machine, which says nothing about who a proxy is.
  if (version === 0 || address.includes('%')) return undefined
  return version === 4 ? 'ipv4' : 'ipv6'
}

const unreadable = (text: string): RangeError =>
  new RangeError(
    `http.trusted_proxies: \`${text}\` is no address and no network. Write addresses such as 127.0.0.1 or 10.0.0.0/8, separated by commas, or none.`,
  )
