/**
 * `did:web`: the DID document lies on a web server (DID-3, https://w3c-ccg.github.io/did-method-web/). Here is where it
 * lies and what its keys are; who fetches it, and with which guards, is main's affair.
 */
import { parseUtf8 } from './bytes.ts'
import { claim, type ClaimsObject, isClaimsObject } from './claims.ts'
import { parseDidKey, type PublicVerificationKey } from './did.ts'
import { ProtocolError } from './error.ts'
import { asObject, parseStrictJson } from './json.ts'
import { parseJwk } from './jwk.ts'
import { DID_DOCUMENT_DEPTH_MAX, DID_DOCUMENT_METHODS_MAX } from './limits.ts'

const PREFIX = 'did:web:'
const DEFAULT_PORT = 443
/** Services below, except HTTPS, do not speak HTTP and are none of a caller's business. */
const UNPRIVILEGED_PORT_MIN = 1024

/** Host name and, percent-encoded, its port. */
const HOST = /^([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?:%3[Aa](\d{1,5}))?$/

/** Characters of a DID (DID Core 1.0 §3.1): none that ends a path, or that a URL parser takes for a slash. */
const SEGMENT = /^(?:[\w.-]|%[0-9A-Fa-f]{2})+$/

/** Relationships that let a key sign (DID Core 1.0 §5.3). A document may have none of them. */
const SIGNING_RELATIONSHIPS = [
  'authentication',
  'assertionMethod',
  'capabilityInvocation',
  'capabilityDelegation',
] as const
const AGREEMENT_RELATIONSHIP = 'keyAgreement'

/** A key of a document under its full name, `‹did›#‹fragment›`. */
export interface WebKey {
  readonly id: string
  readonly key: PublicVerificationKey
}

export const isDidWeb = (did: string): boolean => did.startsWith(PREFIX)

/**
 * Where the document of a `did:web` lies.
 *
 * Shape: `did` is a principal, without fragment.
 * @throws {ProtocolError} SIGNATURE_INVALID: an IP address or a single label as host, a port that is not 443 and below
 *   1024, a segment that is empty, of dots, or no part of a DID
 */
export function didDocumentUrl(did: string): URL {
  const [authority = '', ...path] = did.slice(PREFIX.length).split(':')
  const [, host, port = String(DEFAULT_PORT)] = HOST.exec(authority) ?? []
  const portNo = Number(port)
  const isPort = portNo === DEFAULT_PORT || (portNo >= UNPRIVILEGED_PORT_MIN && portNo <= 0xff_ff)
  if (host === undefined || !isPort || !path.every(isSegment)) throw unresolvable('no address')
  const directory = path.length === 0 ? '.well-known' : path.join('/')
  const text = `https://${host}:${port}/${directory}/did.json`
  const url = URL.canParse(text) ? new URL(text) : undefined
  // A number is a host name to a URL parser, and becomes an IP address.
  if (url?.hostname !== host.toLowerCase() || isNumeric(host)) throw unresolvable('no host name')
  return url
}

const isSegment = (segment: string): boolean =>
  SEGMENT.test(segment) && !/^\.{1,2}$/.test(segment.replaceAll(/%2e/gi, '.'))

const isNumeric = (host: string): boolean => /^\d+$/.test(host.slice(host.lastIndexOf('.') + 1))

/**
 * The keys of a DID document with which its subject signs. Methods of kinds that this node does not know are left out.
 *
 * Rule: DID-3. The document must be about `did`; a method of somebody else, or for key agreement only, does not sign.
 * @throws {ProtocolError} SIGNATURE_INVALID | TOKEN_MALFORMED
 */
export function parseDidDocument(bytes: Uint8Array, did: string): WebKey[] {
  const document = asObject(parseStrictJson(parseUtf8(bytes), { depthMax: DID_DOCUMENT_DEPTH_MAX }))
  if (claim(document, 'id') !== did) throw unresolvable('a document of another DID')
  const signing = SIGNING_RELATIONSHIPS.flatMap((name) => listOf(document, name))
  const named = signing.filter((item) => typeof item === 'string').map((id) => fullId(id, did))
  const agreeing = listOf(document, AGREEMENT_RELATIONSHIP)
    .filter((item) => typeof item === 'string')
    .map((id) => fullId(id, did))
  const embedded = signing.filter(isClaimsObject)
  const listed = listOf(document, 'verificationMethod').filter(isClaimsObject)
  if (embedded.length + listed.length > DID_DOCUMENT_METHODS_MAX) throw unresolvable('many methods')
  const keys = [...listed, ...embedded].flatMap((method) => parseMethod(method, did))
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw unresolvable('a method twice')
  return keys.filter(({ id }) => named.includes(id) || !agreeing.includes(id))
}

/**
 * The key that a DID URL names: by its fragment; without one, the only one that there is.
 * @returns undefined where there is none, or a choice
 */
export function findWebKey(
  keys: readonly WebKey[],
  didUrl: string,
): PublicVerificationKey | undefined {
  if (didUrl.includes('#')) return keys.find(({ id }) => id === didUrl)?.key
  return keys.length === 1 ? keys[0]?.key : undefined
}

/** None or one key. */
function parseMethod(method: ClaimsObject, did: string): WebKey[] {
  const [id, controller] = [claim(method, 'id'), claim(method, 'controller') ?? did]
  if (typeof id !== 'string' || controller !== did) return []
  const fullName = fullId(id, did)
  if (!fullName.startsWith(`${did}#`)) return []
  try {
    return [{ id: fullName, key: parseKey(method) }]
  } catch (error) {
    if (error instanceof ProtocolError) return []
    throw error
  }
}

/** Multikey and its forerunners, JsonWebKey and its forerunners: the member says which, whatever the type is called. */
function parseKey(method: ClaimsObject): PublicVerificationKey {
  const [multibase, jwk] = [claim(method, 'publicKeyMultibase'), claim(method, 'publicKeyJwk')]
  if (typeof multibase === 'string' && jwk === undefined) return parseDidKey(`did:key:${multibase}`)
  if (isClaimsObject(jwk) && multibase === undefined) return parseJwk(jwk)
  throw unresolvable('no key')
}

const fullId = (id: string, did: string): string => (id.startsWith('#') ? did + id : id)

const listOf = (document: ClaimsObject, name: string): readonly unknown[] => {
  const value = claim(document, name)
  return Array.isArray(value) ? value : []
}

const unresolvable = (detail: string): ProtocolError =>
  new ProtocolError('SIGNATURE_INVALID', `did:web: ${detail}`)
