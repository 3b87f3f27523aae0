/** What a wallet signs: sessions, hosting, and the revocation of what it owns. One signed message each. */
import { parseBase64url } from '../base64url.ts'
import { formatCacao } from '../cacao.ts'
import { formatCid, parseCid } from '../cid.ts'
import { formatRecapStatement, formatRecapUri, type RecapAbilities } from '../recap.ts'
import { formatResource } from '../resource.ts'
import { formatSiwe, type SiweMessage } from '../siwe.ts'
import { issuedToken, type IssuedToken } from './issued-token.ts'
import { type Wallet } from './wallet.ts'

/** Randomness and time come from the caller. Times are Unix seconds. */
export interface WalletSigning {
  /** Where the user sees the message: a host, with port where it has one. */
  readonly domain: string
  /** At least eight letters and digits. */
  readonly nonce: string
  readonly issuedAtS: number
  readonly expiresAtS?: number
  readonly notBeforeS?: number
  /** Read by the user before the sentence about the rights. */
  readonly greeting?: string
}

export interface SessionOptions extends WalletSigning {
  /** DID or DID URL of the key, or of the other account, that gets the rights. */
  readonly audience: string
  /** Abilities by resource. */
  readonly abilities: RecapAbilities
  /** CIDs of delegations to this wallet from which the rights come; none for its own spaces. */
  readonly proofs?: readonly string[]
}

/** A delegation by a wallet, usually to a session key. */
export function signSessionDelegation(wallet: Wallet, options: SessionOptions): IssuedToken {
  const { abilities, proofs = [], greeting } = options
  const sentence = formatRecapStatement(abilities)
  return signCacao(wallet, {
    ...messageOf(wallet, options),
    uri: options.audience,
    statement: greeting === undefined ? sentence : `${greeting} ${sentence}`,
    resources: [formatRecapUri({ abilities, proofs: proofs.map(toBase58) })],
  })
}

export interface HostOptions extends WalletSigning {
  readonly space: string
  /** The node's answer to `GET /peer/generate/‹space›`. */
  readonly hostDid: string
}

/** The delegation that makes a node host a space. */
export const signHostDelegation = (
  wallet: Wallet,
  { space, hostDid, ...signing }: HostOptions,
): IssuedToken =>
  signSessionDelegation(wallet, {
    ...signing,
    audience: hostDid,
    abilities: { [formatResource({ space, service: 'space' })]: ['tinycloud.space/host'] },
  })

/** Takes back a delegation on a space of the wallet. */
export const signWalletRevocation = (
  wallet: Wallet,
  { cid, ...signing }: WalletSigning & { readonly cid: string },
): IssuedToken =>
  signCacao(wallet, {
    ...messageOf(wallet, signing),
    uri: `ucan:${cid}`,
    statement: signing.greeting ?? 'Revoke this delegation.',
  })

function messageOf(
  wallet: Wallet,
  { domain, nonce, issuedAtS, expiresAtS, notBeforeS }: WalletSigning,
): Omit<SiweMessage, 'uri'> {
  return {
    domain,
    address: wallet.address,
    chainId: wallet.chainId,
    nonce,
    issuedAt: formatTime(issuedAtS),
    expirationTime: expiresAtS === undefined ? undefined : formatTime(expiresAtS),
    notBefore: notBeforeS === undefined ? undefined : formatTime(notBeforeS),
  }
}

function signCacao(wallet: Wallet, message: SiweMessage): IssuedToken {
  const authorization = formatCacao(message, wallet.signMessage(formatSiwe(message)))
  return issuedToken(authorization, parseBase64url(authorization, { padding: 'required' }))
}

/** ReCaps cite proofs in base58btc (reference-behaviour §2.3). */
function toBase58(cid: string): string {
  const { codec, digest } = parseCid(cid)
  return formatCid(codec, digest, 'base58btc')
}

const formatTime = (timeS: number): string => new Date(timeS * 1000).toISOString()
