/** What a session key signs: invocations, delegations to other keys, and their revocation. */
import { utf8 } from '../bytes.ts'
import { type ClaimsObject } from '../claims.ts'
import { formatUcan } from '../ucan.ts'
import { issuedToken, type IssuedToken } from './issued-token.ts'
import { type SessionKey } from './session-key.ts'

/** Abilities by resource; with conditions, their caveats by ability and resource. */
export type Grants = Readonly<
  Record<string, readonly string[] | Readonly<Record<string, readonly ClaimsObject[]>>>
>

/** Randomness and time come from the caller. Times are Unix seconds, fractions are fine. */
export interface KeySigning {
  /** Usually `urn:uuid:…`; two tokens of the same content need two. */
  readonly nonce: string
  readonly expiresAtS: number
  readonly notBeforeS?: number
  /** CIDs of the delegations from which the rights come. */
  readonly proofs?: readonly string[]
  readonly facts?: readonly unknown[]
}

export interface InvocationOptions extends KeySigning {
  readonly grants: Grants
}

/** A request: what the key wants to do now. */
export const signInvocation = (
  key: SessionKey,
  { grants, ...signing }: InvocationOptions,
): IssuedToken => signKeyUcan(key, { ...signing, issuer: key.didUrl, audience: key.did, grants })

export interface KeyDelegationOptions extends KeySigning {
  /** DID of who gets the rights. */
  readonly audience: string
  readonly grants: Grants
}

/** Rights passed on. */
export const signKeyDelegation = (key: SessionKey, options: KeyDelegationOptions): IssuedToken =>
  signKeyUcan(key, { ...options, issuer: key.did })

/** Takes back a delegation that the key gave, received, or controls by its one proof. */
export const signKeyRevocation = (
  key: SessionKey,
  { cid, ...signing }: KeySigning & { readonly cid: string },
): IssuedToken =>
  signInvocation(key, {
    ...signing,
    grants: { [`urn:cid:${cid}`]: ['tinycloud.delegation/revoke'] },
  })

function signKeyUcan(
  key: SessionKey,
  options: KeyDelegationOptions & { readonly issuer: string },
): IssuedToken {
  const { issuer, audience, grants, nonce, expiresAtS, notBeforeS, proofs = [], facts } = options
  const text = formatUcan({
    header: { alg: 'EdDSA', jwk: key.jwk, typ: 'JWT', ucv: '0.10.0' },
    payload: {
      att: toAttenuation(grants),
      aud: audience,
      exp: expiresAtS,
      iss: issuer,
      nnc: nonce,
      prf: proofs,
      ...(notBeforeS !== undefined && { nbf: notBeforeS }),
      ...(facts !== undefined && { fct: facts }),
    },
    sign: (signingInput) => key.sign(signingInput),
  })
  return issuedToken(text, utf8(text))
}

/** `[{}]` is the form of "no caveat" (reference-behaviour §2.2). */
function toAttenuation(grants: Grants): ClaimsObject {
  return Object.fromEntries(
    Object.entries(grants).map(([uri, abilities]) => [
      uri,
      isNames(abilities)
        ? Object.fromEntries(abilities.map((ability) => [ability, [{}]]))
        : abilities,
    ]),
  )
}

const isNames = (abilities: Grants[string]): abilities is readonly string[] =>
  Array.isArray(abilities)
