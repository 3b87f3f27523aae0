/** An Ed25519 key that acts for an account: signs invocations and passes rights on. */
import { formatBase64url } from '../base64url.ts'
import { ed25519PublicKey, signEd25519 } from '../crypto/ed25519.ts'
import { formatDidKey } from '../did.ts'

export interface SessionKey {
  readonly did: string
  /** With the fragment of its one verification method, as clients write issuers of invocations. */
  readonly didUrl: string
  /** Public, for the header of a UCAN. */
  readonly jwk: Readonly<Record<string, string>>
  sign(message: Uint8Array): Uint8Array
}

/** `seed`: 32 bytes. */
export function createSessionKey(seed: Uint8Array): SessionKey {
  const publicKey = ed25519PublicKey(seed)
  const did = formatDidKey('Ed25519', publicKey)
  return {
    did,
    didUrl: `${did}#${did.slice('did:key:'.length)}`,
    jwk: {
      alg: 'EdDSA',
      crv: 'Ed25519',
      kty: 'OKP',
      x: formatBase64url(publicKey, { padding: 'none' }),
    },
    sign: (message) => signEd25519(message, seed),
  }
}
