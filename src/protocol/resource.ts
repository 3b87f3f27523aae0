/**
 * Resources: what a capability is about. `tinycloud:‹did suffix›:‹name›/‹service›[/‹path›][?query][#fragment]`, or any
 * other URI, which is kept as text (reference-behaviour §2.6).
 *
 * A key is the text of its path: escapes are never decoded, so nothing that a client chose can turn into a slash, a dot
 * segment or a NUL behind the checks.
 */
import { normalizePrincipal } from './did.ts'
import { ProtocolError } from './error.ts'
import { SPACE_ID_BYTES_MAX } from './limits.ts'
import { LruMap, ownText } from './lru.ts'
import { isNormalUri, isUri } from './uri.ts'

export interface SpaceId {
  /** The whole id, its address in EIP-55 spelling. */
  readonly space: string
  /** The owner's normalised DID. */
  readonly owner: string
  readonly name: string
}

export interface SpaceResource extends SpaceId {
  readonly kind: 'space'
  /** The whole URI, its address in EIP-55 spelling. */
  readonly text: string
  readonly service: string
  /** Undefined: no slash after the service. Empty: nothing after it. */
  readonly path: string | undefined
  readonly query: string | undefined
  readonly fragment: string | undefined
}

/** A URI that names no space, or not in its normal form. */
export interface OtherResource {
  readonly kind: 'other'
  readonly text: string
}

export type Resource = SpaceResource | OtherResource

const SPACE_RESOURCE = /^(tinycloud:[^/?#]+)\/([^/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?(?:#(.*))?$/
const SPACE_ID = /^tinycloud:([^/?#]+):([^:/?#]+)$/
const ENCRYPTION_NETWORK = /^urn:tinycloud:encryption:(did:.+):[^:]+$/
const ENCRYPTION_PREFIX = 'urn:tinycloud:encryption:'

/** Longest space id that is remembered; one of a wallet takes some 80 characters. */
const CACHED_ID_CHARS_MAX = 256
const IDS_CACHED_MAX = 4096
/** By their text as written: a spelling means one space for ever. */
const spaceIds = new LruMap<string, SpaceId>(IDS_CACHED_MAX)

/**
 * The parts of a resource URI.
 *
 * Rule: RES-1, from reference-behaviour §2.6. A `tinycloud:` URI that is not in normal form (dot segments, `%2f`,
 * `%61`) is an other resource, which no space's capability covers.
 * @throws {ProtocolError} TOKEN_MALFORMED: not a URI
 */
export function parseResource(text: string): Resource {
  if (!isUri(text)) throw new ProtocolError('TOKEN_MALFORMED', 'resource is not a URI')
  const match = SPACE_RESOURCE.exec(text)
  if (!match || !isNormalUri(text)) return { kind: 'other', text }
  const [, spaceText = '', service = '', path, query, fragment] = match
  const id = findSpaceId(spaceText)
  if (!id) return { kind: 'other', text }
  const { space, owner, name } = id
  // The rest of the text is kept as it is; only the address may have been re-spelled.
  const canonical = space === spaceText ? text : space + text.slice(spaceText.length)
  return { kind: 'space', text: canonical, space, owner, name, service, path, query, fragment }
}

/** The URI of a space's resource. */
export function formatResource(parts: {
  readonly space: string
  readonly service: string
  readonly path?: string | undefined
  readonly query?: string | undefined
  readonly fragment?: string | undefined
}): string {
  const { space, service, path, query, fragment } = parts
  return [
    `${space}/${service}`,
    path === undefined ? '' : `/${path}`,
    query === undefined ? '' : `?${query}`,
    fragment === undefined ? '' : `#${fragment}`,
  ].join('')
}

/** @throws {ProtocolError} SPACE_ID_INVALID */
export function parseSpaceId(text: string): SpaceId {
  const id = isUri(text) && isNormalUri(text) ? findSpaceId(text) : undefined
  if (!id) throw new ProtocolError('SPACE_ID_INVALID')
  return id
}

/** The name of a space that anyone may read (reference-behaviour §6.5). */
export const PUBLIC_SPACE_NAME = 'public'

export const formatSpaceId = (ownerDid: string, name: string): string =>
  `tinycloud:${ownerDid.slice('did:'.length)}:${name}`

/** The caller has seen that the text is a URI in normal form. */
function findSpaceId(text: string): SpaceId | undefined {
  const known = spaceIds.get(text)
  if (known) return known
  if (text.length > SPACE_ID_BYTES_MAX) return undefined
  const ownId = ownText(text)
  const match = SPACE_ID.exec(ownId)
  if (!match) return undefined
  const [, suffix = '', name = ''] = match
  const owner = ownerOf(`did:${suffix}`)
  if (owner === undefined) return undefined
  const id: SpaceId = { space: formatSpaceId(owner, name), owner, name }
  if (text.length <= CACHED_ID_CHARS_MAX) spaceIds.set(ownId, id)
  return id
}

function ownerOf(did: string): string | undefined {
  try {
    return normalizePrincipal(did)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/**
 * Who has all rights on a resource without any delegation: the owner of its space, or of the encryption network.
 * Undefined: nobody, so every right on it needs a parent.
 */
export function rootAuthorityOf(resource: Resource): string | undefined {
  if (resource.kind === 'space') return resource.owner
  const owner = ENCRYPTION_NETWORK.exec(resource.text)?.[1]
  return owner === undefined ? undefined : ownerOf(owner)
}

/**
 * Whether a right on `base` extends to `child`.
 *
 * Rule: RES-2 and RES-3, from reference-behaviour §2.6, 1 to 6. Note that `…/kv` covers `…/kv/a`, and `…/kv/` covers
 * only itself.
 */
export function coversResource(base: Resource, child: Resource): boolean {
  if (base.kind === 'space' && child.kind === 'space') {
    return (
      base.service === child.service &&
      base.space === child.space &&
      base.fragment === child.fragment &&
      coversPath(base.path, child.path)
    )
  }
  if (base.kind === 'space' || child.kind === 'space') return false
  return coversText(base.text, child.text)
}

/** `foo` covers `foo` and `foo/bar`, never `foobar`. */
function coversPath(base: string | undefined, child: string | undefined): boolean {
  if (base === undefined) return true
  if (child === undefined || !child.startsWith(base)) return false
  return child.length === base.length || base.endsWith('/') || child[base.length] === '/'
}

function coversText(base: string, child: string): boolean {
  return base.startsWith(ENCRYPTION_PREFIX) ? base === child : child.startsWith(base)
}
