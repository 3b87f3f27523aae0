/** Public keys as JSON Web Keys (RFC 7517): inside a `did:jwk`, and in the header of a token of an account. */
import { parseBase64url } from './base64url.ts'
import { concatBytes } from './bytes.ts'
import { type KeyType, type PublicVerificationKey } from './did.ts'
import { ProtocolError } from './error.ts'

const KEY_TYPES = ['Ed25519', 'secp256k1', 'P-256'] as const satisfies readonly KeyType[]

/** How a JWK names each kind of key (RFC 7518, RFC 8037, RFC 8812, RFC 9864). */
const JWK_KINDS: Readonly<
  Record<KeyType, { readonly kty: 'OKP' | 'EC'; readonly algorithms: readonly string[] }>
> = {
  Ed25519: { kty: 'OKP', algorithms: ['EdDSA', 'Ed25519'] },
  secp256k1: { kty: 'EC', algorithms: ['ES256K'] },
  'P-256': { kty: 'EC', algorithms: ['ES256'] },
}

/** SEC 1 §2.3.3: both coordinates follow. */
const UNCOMPRESSED_POINT = Uint8Array.of(0x04)
const COORDINATE_BYTES = 32

/**
 * The key of a JWK. One that says of itself that it does not sign, or that it signs otherwise, is no verification key.
 * @throws {ProtocolError} SIGNATURE_INVALID for an unknown kind; TOKEN_MALFORMED for members that are not base64url
 */
export function parseJwk(jwk: Readonly<Record<string, unknown>>): PublicVerificationKey {
  const type = KEY_TYPES.find((known) => known === memberText(jwk, 'crv'))
  if (type === undefined) throw unusable('unknown curve')
  const { kty, algorithms } = JWK_KINDS[type]
  const isOurs =
    memberText(jwk, 'kty') === kty &&
    (!Object.hasOwn(jwk, 'use') || jwk['use'] === 'sig') &&
    (!Object.hasOwn(jwk, 'key_ops') || isListWith(jwk['key_ops'], 'verify')) &&
    (!Object.hasOwn(jwk, 'alg') || algorithms.includes(memberText(jwk, 'alg')))
  if (!isOurs) throw unusable('key for another use')
  // A copy, because keys stay: the decoded bytes are a view that would keep a page of Node's pool.
  if (kty === 'OKP') return { type, publicKey: Uint8Array.from(coordinate(jwk, 'x')) }
  const point = concatBytes([UNCOMPRESSED_POINT, coordinate(jwk, 'x'), coordinate(jwk, 'y')])
  return { type, publicKey: point }
}

const isListWith = (value: unknown, item: string): boolean =>
  Array.isArray(value) && value.includes(item)

/** RFC 7518 §6.2.1, RFC 8037 §2: 32 bytes in full length. */
function coordinate(jwk: Readonly<Record<string, unknown>>, name: string): Uint8Array {
  const bytes = parseBase64url(memberText(jwk, name), { padding: 'none' })
  if (bytes.length !== COORDINATE_BYTES) throw unusable('coordinate of another length')
  return bytes
}

function memberText(jwk: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(jwk, name) ? jwk[name] : undefined
  if (typeof value !== 'string') throw unusable(`no ${name}`)
  return value
}

const unusable = (detail: string): ProtocolError => new ProtocolError('SIGNATURE_INVALID', detail)
