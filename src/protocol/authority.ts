/** The shapes that credentials take once parsed: capabilities, signed tokens, and facts about stored delegations. */
import { type Resource } from './resource.ts'

/** Caveats as stored: `{}` means none; else an object by index, `{"0":{…}}` (reference-behaviour §2.10). */
export type Caveats = Readonly<Record<string, unknown>>

export interface Capability {
  readonly resource: Resource
  /** As written in the token; aliases are resolved when abilities are compared. */
  readonly ability: string
  readonly caveats: Caveats
}

/** What was signed, in the form that its parser read it. Nothing here is verified. */
export interface SignedToken {
  readonly encoding: 'ucan' | 'cacao'
  /** The `Authorization` value as received. */
  readonly text: string
  /** What the CID is the hash of: the ASCII of a JWT, the decoded CBOR of a CACAO. */
  readonly bytes: Uint8Array
  /** BLAKE3-256 of `bytes`. */
  readonly digest: Uint8Array
  /** Normalised principals: no fragment, EIP-55 address. */
  readonly issuer: string
  readonly audience: string
  /** As written, fragment included. */
  readonly issuerUrl: string
  readonly audienceUrl: string
  /** Unix seconds, fractions kept. */
  readonly notBeforeS: number | undefined
  readonly expiresAtS: number | undefined
  readonly issuedAtS: number | undefined
  /** Sorted by resource text, then ability, by bytes (reference-behaviour §2.9). */
  readonly capabilities: readonly Capability[]
  /** BLAKE3 digests (32 bytes) of the cited proofs, in the order of the token; one hashed otherwise is 32 zero bytes. */
  readonly proofs: readonly Uint8Array[]
  /** `fct` of a UCAN. */
  readonly facts: readonly unknown[]
  /** The bytes that the signature covers: `header.payload` of a JWT, the SIWE text of a CACAO. */
  readonly signingInput: Uint8Array
  readonly signature: Uint8Array
  /** `alg` of a JWT; `eip191` or `eip1271` for a CACAO. Only a claim: the issuer's key decides. */
  readonly algorithm: string
  /** `jwk` of a JWT's header, needed where the issuer is an account (reference-behaviour §2.2). Only a claim. */
  readonly headerJwk: Readonly<Record<string, unknown>> | undefined
}

/** One delegation of a chain, by both of its names. 32 bytes each. */
export interface ChainLink {
  readonly statementId: Uint8Array
  readonly digest: Uint8Array
}

/** Facts about a stored delegation. They never change once stored, so they may be cached without limit of time. */
export interface DelegationFacts extends ChainLink {
  /** Row id. */
  readonly no: number
  readonly delegator: string
  readonly delegatee: string
  /** Its own window, Unix seconds. */
  readonly notBeforeS: number | undefined
  readonly expiresAtS: number | undefined
  readonly issuedAtS: number | undefined
  /** The window in which it and all its ancestors are in force. */
  readonly effectiveNotBeforeS: number | undefined
  readonly effectiveExpiresAtS: number | undefined
  /** It must not be passed on. */
  readonly isTerminal: boolean
  readonly capabilities: readonly Capability[]
  /** Itself first, then every ancestor once; at most CHAIN_DELEGATIONS_MAX. */
  readonly closure: readonly ChainLink[]
  /** Digests of the proofs that it cites and that are stored. */
  readonly parents: readonly Uint8Array[]
}
