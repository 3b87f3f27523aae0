/**
 * Who a client is, as far as its share of the node and the limits of public spaces go: its address, or the /64 network of
 * an IPv6 address, which is the least that one subscriber gets.
 *
 * Anybody can write a forwarding header, so it is believed only when the connection comes from a proxy that the
 * configuration names (PUBLIC-5).
 */
import { type IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'

import { type ProxyNetwork } from '../config/node-config.ts'

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const NETWORK_GROUPS = 4
/** Addresses of a chain of proxies that are looked at, from its near end. */
const HOPS_MAX = 32

/** `203.0.113.7:1234`, `[2001:db8::1]:1234`, `[2001:db8::1]`: how some proxies write an address. */
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([0-9a-f:.]+)\](?::\d+)?)$/i

/** What of a request says who sent it. */
export interface ClientRequest {
  readonly socket: { readonly remoteAddress?: string | undefined }
  readonly headers: IncomingMessage['headers']
}

/** The proxies that are believed. */
export class TrustedProxies {
  readonly #networks = new BlockList()
  readonly #isEmpty: boolean

  constructor(networks: readonly ProxyNetwork[]) {
    this.#isEmpty = networks.length === 0
    for (const { address, prefixBits, family } of networks)
      this.#networks.addSubnet(address, prefixBits, family)
  }

  /** The address of the client that a request comes from; undefined: its connection is gone. */
  clientAddress({ socket, headers }: ClientRequest): string | undefined {
    const peer = socket.remoteAddress
    if (this.#isEmpty || peer === undefined || !this.#has(peer)) return peer
    const forwarded = headers['x-forwarded-for']
    if (forwarded !== undefined) return this.#firstStranger(String(forwarded), peer)
    return readAddress(String(headers['x-real-ip'] ?? '')) ?? peer
  }

  /**
   * Each proxy appends the address that it saw, so the chain is read from its end: the first address that is no proxy of
   * ours is the client, and what stands before it is the client's own word.
   */
  #firstStranger(chain: string, peer: string): string {
    let nearest = peer
    for (const part of chain.split(',').slice(-HOPS_MAX).toReversed()) {
      const address = readAddress(part)
      if (address === undefined) return nearest
      nearest = address
      if (!this.#has(address)) return address
    }
    return nearest
  }

  #has(address: string): boolean {
    const plain = MAPPED_IPV4.exec(address)?.[1] ?? address
    return this.#networks.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
  }
}

/** Undefined: no address. */
function readAddress(text: string): string | undefined {
  const trimmed = text.trim()
  const [, ipv4, ipv6] = WITH_PORT.exec(trimmed) ?? []
  const address = ipv4 ?? ipv6 ?? trimmed
  return isIP(address) === 0 ? undefined : address
}

/** The name under which an address is counted. */
export function readClientName(address: string | undefined): string {
  if (address === undefined || !isIPv6(address)) return address ?? 'unknown'
  const mapped = MAPPED_IPV4.exec(address)
  if (mapped?.[1]) return mapped[1]
  const [head = ''] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  while (groups.length < NETWORK_GROUPS) groups.push('0')
  return groups.slice(0, NETWORK_GROUPS).join(':').toLowerCase()
}
