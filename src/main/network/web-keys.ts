/**
 * Keys of `did:web` issuers (DID-3). The host is chosen by whoever sends a token, so it is asked only over HTTPS, only at
 * public addresses, once, briefly, and for a small document; and what it says is believed for a named time.
 *
 * The name is resolved first, every address is checked, and the connection goes to one of these addresses, not to what
 * the name means a moment later.
 */
import { Resolver } from 'node:dns/promises'
import { isIPv4, type LookupFunction } from 'node:net'

import {
  didDocumentUrl,
  findWebKey,
  parseDidDocument,
  type WebKey,
} from '../../protocol/did-web.ts'
import { type PublicVerificationKey } from '../../protocol/did.ts'
import { ProtocolError } from '../../protocol/error.ts'
import { DID_DOCUMENT_BYTES_MAX } from '../../protocol/limits.ts'
import { AnswerCache, type TimedAnswer, TOO_MANY_FLIGHTS } from './answer-cache.ts'
import { askHost, NetworkFault } from './ask-host.ts'
import { isPublicAddress } from './public-address.ts'

/** From the first question to the name servers to the last byte of the document. */
const WEB_KEYS_TIMEOUT_MS = 3000
/** A key that was taken out of its document signs this much longer at most. */
const KEYS_LIFETIME_MS = 300_000
/** So long a host without a usable document is not asked again. */
const NO_KEYS_LIFETIME_MS = 30_000
const DOCUMENTS_MAX = 1000
const FLIGHTS_MAX = 32
const ADDRESSES_MAX = 16
const DNS_TIMEOUT_MS = 1000
const DNS_TRIES = 2

/** How hosts are reached. */
export interface Reach {
  /** Every address of a name. */
  readonly resolve: (host: string) => Promise<readonly string[]>
  readonly isAllowedAddress: (address: string) => boolean
  /** The authorities that are believed; undefined: those of Node. */
  readonly ca?: string
}

export interface WebKeysParts {
  readonly nowMs: () => number
  readonly timeoutMs?: number
  /** Of tests: a node has no other way than `PUBLIC_INTERNET`. */
  readonly reach?: Reach | undefined
}

const NO_KEYS: readonly WebKey[] = []

const PUBLIC_INTERNET: Reach = { resolve: resolveName, isAllowedAddress: isPublicAddress }

export class WebKeys {
  readonly #timeoutMs: number
  readonly #reach: Reach
  readonly #closing = new AbortController()
  /** By DID: fragments share a document. */
  readonly #documents: AnswerCache<readonly WebKey[]>

  constructor({ nowMs, timeoutMs = WEB_KEYS_TIMEOUT_MS, reach = PUBLIC_INTERNET }: WebKeysParts) {
    this.#timeoutMs = timeoutMs
    this.#reach = reach
    this.#documents = new AnswerCache({ entriesMax: DOCUMENTS_MAX, flightsMax: FLIGHTS_MAX, nowMs })
  }

  /** The key that a DID URL names; null: there is none, or nobody can tell. Never rejects. */
  async find({
    didUrl,
    client,
  }: {
    readonly didUrl: string
    readonly client: string
  }): Promise<PublicVerificationKey | null | typeof TOO_MANY_FLIGHTS> {
    const [did = ''] = didUrl.split('#', 1)
    const keys = await this.#documents.get({ subject: did, client }, () => this.#ask(did))
    return keys === TOO_MANY_FLIGHTS ? keys : (findWebKey(keys, didUrl) ?? null)
  }

  close(): void {
    this.#closing.abort()
  }

  async #ask(did: string): Promise<TimedAnswer<readonly WebKey[]>> {
    try {
      const keys = parseDidDocument(await this.#fetch(didDocumentUrl(did)), did)
      return { value: keys, lifetimeMs: KEYS_LIFETIME_MS }
    } catch (error) {
      if (!(error instanceof ProtocolError) && !(error instanceof NetworkFault)) throw error
      return { value: NO_KEYS, lifetimeMs: NO_KEYS_LIFETIME_MS }
    }
  }

  /** @throws {NetworkFault} */
  async #fetch(url: URL): Promise<Uint8Array> {
    const endsAtMs = performance.now() + this.#timeoutMs
    const addresses = await this.#resolve(url.hostname)
    const { status, body } = await askHost({
      url,
      accept: 'application/did+json, application/did+ld+json, application/json',
      timeoutMs: Math.max(1, endsAtMs - performance.now()),
      answerBytesMax: DID_DOCUMENT_BYTES_MAX,
      signal: this.#closing.signal,
      connection: {
        lookup: lookupAmong(addresses),
        ...(this.#reach.ca !== undefined && { ca: this.#reach.ca }),
      },
      isAllowedPeer: this.#reach.isAllowedAddress,
    })
    if (status !== 200) throw new NetworkFault(`no document: ${status}`)
    return body
  }

  /**
   * One address that is not public refuses them all: such a name is a trap or an accident.
   * @throws {NetworkFault}
   */
  async #resolve(host: string): Promise<readonly string[]> {
    const addresses = await within(this.#timeoutMs, this.#reach.resolve(host))
    if (addresses.length === 0) throw new NetworkFault('a name without address')
    if (!addresses.every((address) => this.#reach.isAllowedAddress(address)))
      throw new NetworkFault('an address that is not public')
    return addresses.slice(0, ADDRESSES_MAX)
  }
}

/** Asks the name servers and nobody else: names of this machine's own are not public. */
async function resolveName(host: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES })
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
}

/** @throws {NetworkFault} */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new NetworkFault('no name server answered')), timeoutMs)
  try {
    return await Promise.race([work, late])
  } catch (error) {
    if (error instanceof NetworkFault) throw error
    throw new NetworkFault('a name that cannot be resolved', { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

/** Stands in for the system's own lookup: whatever the name, the addresses that were checked. */
function lookupAmong(addresses: readonly string[]): LookupFunction {
  const known = addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }))
  return (_host, { all }, callback) => {
    if (all) callback(null, known)
    else callback(null, known[0]?.address ?? '', known[0]?.family)
  }
}
