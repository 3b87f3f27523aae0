/** Does the issuer's key say what the token says? Each key type implies one algorithm (UCAN-2, DESIGN §7.15). */
import { type SignedToken } from './authority.ts'
import { formatBase64url } from './base64url.ts'
import { concatBytes, toHex, utf8 } from './bytes.ts'
import { verifyEd25519 } from './crypto/ed25519.ts'
import { keccak256 } from './crypto/keccak256.ts'
import { verifyP256 } from './crypto/p256.ts'
import { recoverSecp256k1, verifySecp256k1 } from './crypto/secp256k1.ts'
import { sha256 } from './crypto/sha256.ts'
import { isDidWeb } from './did-web.ts'
import { type PublicVerificationKey, resolveVerificationKey } from './did.ts'
import { type ContractSignature, type NetworkAnswers, NO_ANSWERS } from './inquiry.ts'
import { formatJcs } from './json.ts'
import { DID_BYTES_MAX } from './limits.ts'

const ALGORITHM_OF_KEY = { Ed25519: 'EdDSA', secp256k1: 'ES256K', 'P-256': 'ES256' } as const

const COMPACT_BYTES = 64
const ADDRESS_BYTES = 20

/**
 * Shape: `answers` is what the network said about this token; without it a did:web has no key.
 * @throws {ProtocolError} SIGNATURE_INVALID: the issuer has no key that this node can find
 */
export function isSignedByIssuer(
  token: SignedToken,
  { webKey, isContractSignature = false }: NetworkAnswers = NO_ANSWERS,
): boolean {
  if (isDidWeb(token.issuer)) return webKey ? isSignedByKey(token, webKey) : false
  const key = resolveVerificationKey(token.issuerUrl)
  if (token.encoding === 'cacao') {
    return key.type === 'eip155' && (isContractSignature || isSignedByAccount(token, key.address))
  }
  if (key.type !== 'eip155') return isSignedByKey(token, key)
  // UCAN-3: a key in the header decides nothing. UCAN-8: only an account, whose DID has no key, carries one that hashes to
  // its address (reference-behaviour §2.2).
  const carried = keyInHeader(token)
  return (
    carried !== undefined && isKeyOfAccount(carried, key.address) && isSignedByKey(token, carried)
  )
}

function isSignedByKey(token: SignedToken, { type, publicKey }: PublicVerificationKey): boolean {
  const { signature, signingInput } = token
  if (token.algorithm !== ALGORITHM_OF_KEY[type]) return false
  if (type === 'Ed25519') return verifyEd25519(signature, signingInput, publicKey)
  if (type === 'P-256') return verifyP256(signature, signingInput, publicKey)
  return verifySecp256k1(signature, sha256(signingInput), publicKey)
}

/**
 * What a contract wallet would have to confirm (CACAO-4); undefined: the token is none of an account.
 * @throws {ProtocolError} SIGNATURE_INVALID
 */
export function contractSignatureOf(token: SignedToken): ContractSignature | undefined {
  if (token.encoding !== 'cacao') return undefined
  const key = resolveVerificationKey(token.issuerUrl)
  if (key.type !== 'eip155') return undefined
  const { signature, signingInput } = token
  const { chainId, address } = key
  return { chainId, address, hash: hashPersonalMessage(signingInput), signature }
}

/** CACAO-2, EIP-191 `personal_sign`: the address that the signature recovers to is the account. */
function isSignedByAccount({ signature, signingInput }: SignedToken, address: string): boolean {
  if (signature.length !== COMPACT_BYTES + 1) return false
  const recovery = (signature[COMPACT_BYTES] ?? 0) % 27
  if (recovery !== 0 && recovery !== 1) return false
  const hash = hashPersonalMessage(signingInput)
  const publicKey = recoverSecp256k1(hash, signature.subarray(0, COMPACT_BYTES), recovery)
  return publicKey !== undefined && addressOf(publicKey) === address.toLowerCase()
}

/** The 32 bytes that a wallet signs for a text (EIP-191, version `E`). */
export const hashPersonalMessage = (text: Uint8Array): Uint8Array =>
  keccak256(concatBytes([utf8(`\u0019Ethereum Signed Message:\n${text.length}`), text]))

/** The address of an uncompressed public key (65 bytes), in lower case. */
export const addressOf = (publicKey: Uint8Array): string =>
  `0x${toHex(keccak256(publicKey.subarray(1)).subarray(-ADDRESS_BYTES))}`

function keyInHeader({ headerJwk }: SignedToken): PublicVerificationKey | undefined {
  if (headerJwk === undefined) return undefined
  const did = `did:jwk:${formatBase64url(utf8(formatJcs(headerJwk)), { padding: 'none' })}`
  // No key is that long.
  if (did.length > DID_BYTES_MAX) return undefined
  const key = resolveVerificationKey(did)
  return key.type === 'eip155' ? undefined : key
}

const isKeyOfAccount = ({ type, publicKey }: PublicVerificationKey, address: string): boolean =>
  type === 'secp256k1' && addressOf(publicKey) === address.toLowerCase()
