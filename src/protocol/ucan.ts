/**
 * UCAN 0.10.0 as a JWT, in the form that the protocol uses: `ucv` in the header, capabilities under `att`
 * (reference-behaviour §2.2). Every request of a session is one, so nothing here is done twice.
 */
import { type SignedToken } from './authority.ts'
import { parseAttenuation } from './attenuation.ts'
import { formatBase64url, parseBase64url } from './base64url.ts'
import { parseUtf8, utf8 } from './bytes.ts'
import { parseUcanCaveats } from './caveats.ts'
import {
  claim,
  type ClaimsObject,
  optionalArrayClaim,
  optionalNumberClaim,
  optionalTextArrayClaim,
  optionalTextClaim,
  textClaim,
} from './claims.ts'
import { blake3 } from './crypto/blake3.ts'
import { normalizePrincipal } from './did.ts'
import { ProtocolError } from './error.ts'
import { asObject, formatJcs, parseStrictJson } from './json.ts'
import { TOKEN_DEPTH_MAX, TOKEN_TIME_S_MAX } from './limits.ts'
import { LruMap, ownText } from './lru.ts'
import { parseProofs } from './proof-cid.ts'

const UCAN_VERSION = '0.10.0'

interface UcanHeader {
  readonly algorithm: string
  readonly jwk: ClaimsObject | undefined
}

/** Longest header segment that is remembered; one with an Ed25519 `jwk` takes some 230 characters. */
const CACHED_HEADER_CHARS_MAX = 512
const HEADERS_CACHED_MAX = 4096
/** By segment: a key writes the same header each time. */
const headers = new LruMap<string, UcanHeader>(HEADERS_CACHED_MAX)

/**
 * Decodes a token. Nothing is verified.
 *
 * Rule: UCAN-1, UCAN-4, UCAN-5.
 * Ownership: `bytes` and the views into it may lie in Node's shared pool; copy before a transfer.
 * @throws {ProtocolError} TOKEN_MALFORMED
 */
export function parseUcan(text: string): SignedToken {
  const headerEnd = text.indexOf('.')
  const payloadEnd = text.indexOf('.', headerEnd + 1)
  if (headerEnd === -1 || payloadEnd === -1) throw malformed('not three segments')
  const header = parseHeader(text.slice(0, headerEnd))
  const payload = parseSegment(text.slice(headerEnd + 1, payloadEnd))
  // A fourth segment fails here: a dot is no base64url.
  const signature = parseBase64url(text.slice(payloadEnd + 1), { padding: 'none' })
  // All three segments are base64url, so each character is one byte.
  const bytes = Buffer.from(text, 'latin1')
  const issuerUrl = textClaim(payload, 'iss')
  const audienceUrl = textClaim(payload, 'aud')
  return {
    encoding: 'ucan',
    text,
    bytes,
    digest: blake3(bytes),
    issuer: normalizePrincipal(issuerUrl),
    audience: normalizePrincipal(audienceUrl),
    issuerUrl,
    audienceUrl,
    ...parseClaims(payload),
    signingInput: bytes.subarray(0, payloadEnd),
    signature,
    algorithm: header.algorithm,
    headerJwk: header.jwk,
  }
}

function parseClaims(
  payload: ClaimsObject,
): Pick<
  SignedToken,
  'notBeforeS' | 'expiresAtS' | 'issuedAtS' | 'capabilities' | 'proofs' | 'facts'
> {
  const expiresAtS = optionalTime(payload, 'exp')
  if (expiresAtS === undefined) throw malformed('no exp')
  const proofs = optionalTextArrayClaim(payload, 'prf')
  if (proofs === undefined) throw malformed('no prf')
  optionalTextClaim(payload, 'nnc')
  return {
    notBeforeS: optionalTime(payload, 'nbf'),
    expiresAtS,
    issuedAtS: undefined,
    capabilities: parseAttenuation(asObject(claim(payload, 'att')), parseUcanCaveats),
    proofs: parseProofs(proofs),
    facts: optionalArrayClaim(payload, 'fct') ?? [],
  }
}

function optionalTime(payload: ClaimsObject, name: string): number | undefined {
  const timeS = optionalNumberClaim(payload, name)
  if (timeS !== undefined && Math.abs(timeS) > TOKEN_TIME_S_MAX) throw malformed(name)
  return timeS
}

function parseHeader(segment: string): UcanHeader {
  const known = headers.get(segment)
  if (known) return known
  const header = parseSegment(segment)
  // No extension is understood, so a token that insists on one is refused (RFC 7515 §4.1.11).
  if (claim(header, 'crit') !== undefined) throw malformed('crit')
  if (textClaim(header, 'typ') !== 'JWT') throw malformed('typ')
  if (textClaim(header, 'ucv') !== UCAN_VERSION) throw malformed('ucv')
  const jwk = claim(header, 'jwk') ?? undefined
  const parsed: UcanHeader = {
    algorithm: textClaim(header, 'alg'),
    jwk: jwk === undefined ? undefined : asObject(jwk),
  }
  if (segment.length <= CACHED_HEADER_CHARS_MAX) headers.set(ownText(segment), parsed)
  return parsed
}

function parseSegment(segment: string): ClaimsObject {
  const json = parseUtf8(parseBase64url(segment, { padding: 'none' }))
  return asObject(parseStrictJson(json, { depthMax: TOKEN_DEPTH_MAX }))
}

/** The members of a UCAN's header and payload, and what signs `header.payload`. */
export interface UcanParts {
  readonly header: ClaimsObject
  readonly payload: ClaimsObject
  readonly sign: (signingInput: Uint8Array) => Uint8Array
}

/** A signed JWT; header and payload are written as canonical JSON. */
export function formatUcan({ header, payload, sign }: UcanParts): string {
  const signingInput = `${formatSegment(header)}.${formatSegment(payload)}`
  const signature = formatBase64url(sign(utf8(signingInput)), { padding: 'none' })
  return `${signingInput}.${signature}`
}

const formatSegment = (value: ClaimsObject): string =>
  formatBase64url(utf8(formatJcs(value)), { padding: 'none' })

const malformed = (detail: string): ProtocolError =>
  new ProtocolError('TOKEN_MALFORMED', `UCAN: ${detail}`)
