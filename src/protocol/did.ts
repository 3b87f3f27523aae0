/**
 * Decentralised identifiers: who signed, and with which key. Only methods whose identifier *is* the key are resolved
 * here, so nothing is fetched: `did:key`, `did:jwk`, `did:pkh:eip155`.
 */
import { base58btc } from 'multiformats/bases/base58'
import { parseBase64url } from './base64url.ts'
import { concatBytes, equalBytes, parseUtf8 } from './bytes.ts'
import { formatEip55 } from './eip55.ts'
import { ProtocolError } from './error.ts'
import { asObject, parseStrictJson } from './json.ts'
import { parseJwk } from './jwk.ts'
import { DID_BYTES_MAX, TOKEN_DEPTH_MAX } from './limits.ts'
import { LruMap } from './lru.ts'
import { formatVarint } from './varint.ts'

export type KeyType = 'Ed25519' | 'secp256k1' | 'P-256'

/** Points of the two ECDSA curves are compressed (33 bytes, `did:key`) or not (65 bytes, `did:jwk`). */
export interface PublicVerificationKey {
  readonly type: KeyType
  readonly publicKey: Uint8Array
}

/** An account: its key is recovered from each signature. */
export interface AccountVerificationKey {
  readonly type: 'eip155'
  /** Decimal, as written. */
  readonly chainId: string
  /** EIP-55 spelling. */
  readonly address: string
}

export type VerificationKey = PublicVerificationKey | AccountVerificationKey

interface KeyCodec {
  readonly type: KeyType
  /** The multicodec of the key as a varint. */
  readonly prefix: Uint8Array
  readonly keyBytes: number
}

const KEY_CODECS: Readonly<Record<KeyType, KeyCodec>> = {
  Ed25519: { type: 'Ed25519', prefix: formatVarint(0xed), keyBytes: 32 },
  secp256k1: { type: 'secp256k1', prefix: formatVarint(0xe7), keyBytes: 33 },
  'P-256': { type: 'P-256', prefix: formatVarint(0x1200), keyBytes: 33 },
}

/** DID Core 1.0 §3.1, without path and query: `did:` method `:` characters that do not end in a colon. */
const DID = /^did:[a-z0-9]+:(?:[\w.:-]|%[0-9a-fA-F]{2})*(?:[\w.-]|%[0-9a-fA-F]{2})$/
const FRAGMENT = /^(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*$/
const EIP155_DID = /^did:pkh:eip155:(\d{1,32}):(0x[0-9a-fA-F]{40})$/

/** Longest URL whose key is kept; a session key takes 114 characters. */
const CACHED_URL_CHARS_MAX = 256
const KEYS_CACHED_MAX = 4096
/** Longest `did:key` that is decoded, since base58 takes quadratic time; a key that this node knows takes 57. */
const DID_KEY_CHARS_MAX = 64
const keys = new LruMap<string, VerificationKey>(KEYS_CACHED_MAX)

/**
 * The principal that a DID or a DID URL names: without fragment, an `eip155` address in EIP-55 spelling.
 *
 * Rule: DID-1, from reference-behaviour §2.5. Principals are equal when their texts are.
 * @throws {ProtocolError} TOKEN_MALFORMED: no DID, longer than `DID_BYTES_MAX`, with a path or a query
 */
export function normalizePrincipal(did: string): string {
  const { principal } = splitDidUrl(did)
  const account = EIP155_DID.exec(principal)
  if (account === null) return principal
  const [, chainId, address] = account
  return formatDidPkh(String(chainId), String(address))
}

/** `did:pkh:eip155:‹chain›:‹address›`, the address in EIP-55 spelling. */
export const formatDidPkh = (chainId: string, address: string): string =>
  `did:pkh:eip155:${chainId}:${formatEip55(address)}`

/** `did:key:z…`; keys of ECDSA curves in their compressed form. */
export function formatDidKey(type: KeyType, publicKey: Uint8Array): string {
  const { prefix, keyBytes } = KEY_CODECS[type]
  if (publicKey.length !== keyBytes)
    throw new RangeError(`a ${type} key has ${keyBytes} bytes in a did:key`)
  return `did:key:${base58btc.encode(concatBytes([prefix, publicKey]))}`
}

/**
 * The key with which the holder of a DID (or of one of its verification methods, `did#fragment`) signs.
 *
 * Rule: DID-2, UCAN-6.
 * @throws {ProtocolError} TOKEN_MALFORMED for what is no DID URL; SIGNATURE_INVALID for a method or a key type that this
 *   node does not know, and for a fragment that the DID document does not have
 */
export function resolveVerificationKey(didUrl: string): VerificationKey {
  const known = keys.get(didUrl)
  if (known !== undefined) return known
  const key = resolve(didUrl)
  if (didUrl.length <= CACHED_URL_CHARS_MAX) keys.set(didUrl, key)
  return key
}

/** @throws {ProtocolError} SIGNATURE_INVALID: not base58btc, an unknown key type, a key of another length */
export function parseDidKey(did: string): PublicVerificationKey {
  if (!did.startsWith('did:key:z') || did.length > DID_KEY_CHARS_MAX) {
    throw unresolvable('not a did:key in base58btc, or too long')
  }
  let bytes: Uint8Array
  try {
    bytes = base58btc.decode(did.slice('did:key:'.length))
  } catch (cause) {
    throw unresolvable('did:key is not base58btc', cause)
  }
  for (const { type, prefix, keyBytes } of Object.values(KEY_CODECS)) {
    if (bytes.length !== prefix.length + keyBytes) continue
    if (!equalBytes(bytes.subarray(0, prefix.length), prefix)) continue
    return { type, publicKey: bytes.subarray(prefix.length) }
  }
  throw unresolvable('did:key of an unknown type')
}

function resolve(didUrl: string): VerificationKey {
  const { principal, fragment } = splitDidUrl(didUrl)
  if (principal.startsWith('did:key:')) {
    assertFragment(fragment, principal.slice('did:key:'.length))
    return parseDidKey(principal)
  }
  if (principal.startsWith('did:jwk:')) {
    assertFragment(fragment, '0')
    return parseDidJwk(principal)
  }
  const account = EIP155_DID.exec(principal)
  if (account === null) throw unresolvable('unknown DID method')
  assertFragment(fragment, 'blockchainAccountId')
  const [, chainId, address] = account
  return { type: 'eip155', chainId: String(chainId), address: formatEip55(String(address)) }
}

function parseDidJwk(did: string): PublicVerificationKey {
  try {
    const bytes = parseBase64url(did.slice('did:jwk:'.length), { padding: 'none' })
    return parseJwk(asObject(parseStrictJson(parseUtf8(bytes), { depthMax: TOKEN_DEPTH_MAX })))
  } catch (cause) {
    throw unresolvable('did:jwk without a key that this node knows', cause)
  }
}

interface DidUrl {
  readonly principal: string
  readonly fragment: string | undefined
}

function splitDidUrl(didUrl: string): DidUrl {
  // One unit of UTF-16 is at least one byte, and what is not ASCII is refused below.
  if (didUrl.length > DID_BYTES_MAX) throw new ProtocolError('TOKEN_MALFORMED', 'DID is too long')
  const hash = didUrl.indexOf('#')
  const principal = hash === -1 ? didUrl : didUrl.slice(0, hash)
  const fragment = hash === -1 ? undefined : didUrl.slice(hash + 1)
  if (!DID.test(principal) || !FRAGMENT.test(fragment ?? '')) {
    throw new ProtocolError('TOKEN_MALFORMED', 'not a DID')
  }
  return { principal, fragment }
}

function assertFragment(fragment: string | undefined, expected: string): void {
  if (fragment !== undefined && fragment !== expected)
    throw unresolvable('no such verification method')
}

const unresolvable = (detail: string, cause?: unknown): ProtocolError =>
  new ProtocolError('SIGNATURE_INVALID', detail, { cause })
