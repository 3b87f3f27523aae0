/** Who takes part in the demo, and what they sign. All keys exist for the moment only. */
import { createSessionKey, type SessionKey } from '../../protocol/client/session-key.ts'
import { type IssuedToken } from '../../protocol/client/issued-token.ts'
import {
  signInvocation,
  signKeyDelegation,
  signKeyRevocation,
} from '../../protocol/client/key-tokens.ts'
import { createWallet, type Wallet } from '../../protocol/client/wallet.ts'
import { signHostDelegation, signSessionDelegation } from '../../protocol/client/wallet-tokens.ts'

/** Of a delegation. Nobody needs it once the demo is over. */
const DELEGATION_LIFETIME_S = 600
/** Of an invocation; nodes take at most 300 s. */
const INVOCATION_LIFETIME_S = 60
const SECRET_BYTES = 32
const NONCE_BYTES = 12

const OWNER_ABILITIES = [
  'tinycloud.kv/get',
  'tinycloud.kv/put',
  'tinycloud.kv/list',
  'tinycloud.kv/del',
]

/** A key together with the delegation that gives it its rights. */
export interface Actor {
  readonly key: SessionKey
  readonly delegation: IssuedToken
}

export interface Cast {
  readonly wallet: Wallet
  /** Belongs to the wallet. */
  readonly space: string
  /** The key that the owner's app holds; the wallet lets it use the space. */
  readonly owner: Actor
  /** Somebody else; the owner's key lets it read one folder. */
  readonly friend: Actor
  readonly signing: Signing
}

/** Where randomness and time of the tokens come from. */
export interface Signing {
  /** Host of the node, which a wallet shows as the asking site. */
  readonly domain: string
  readonly nowS: number
  readonly randomBytes: (count: number) => Uint8Array
}

export function createCast(signing: Signing, sharedFolder: string): Cast {
  const { domain, nowS } = signing
  const createKey = (): SessionKey => createSessionKey(randomSecret(signing))
  const wallet = createWallet(randomSecret(signing))
  const space = wallet.spaceId('demo')
  const expiresAtS = Math.floor(nowS) + DELEGATION_LIFETIME_S

  const ownerKey = createKey()
  const ownerDelegation = signSessionDelegation(wallet, {
    domain,
    nonce: createNonce(signing),
    issuedAtS: nowS,
    expiresAtS,
    audience: ownerKey.didUrl,
    abilities: { [`${space}/kv`]: OWNER_ABILITIES },
  })
  const friendKey = createKey()
  const friendDelegation = signKeyDelegation(ownerKey, {
    nonce: createNonce(signing),
    expiresAtS,
    audience: friendKey.did,
    grants: { [`${space}/kv/${sharedFolder}`]: ['tinycloud.kv/get'] },
    proofs: [ownerDelegation.cid],
  })
  return {
    wallet,
    space,
    owner: { key: ownerKey, delegation: ownerDelegation },
    friend: { key: friendKey, delegation: friendDelegation },
    signing,
  }
}

/** The wallet asks the node, which goes by `hostDid`, to host its space. */
export const signHosting = ({ wallet, space, signing }: Cast, hostDid: string): IssuedToken =>
  signHostDelegation(wallet, {
    domain: signing.domain,
    nonce: createNonce(signing),
    issuedAtS: signing.nowS,
    space,
    hostDid,
  })

/** An actor asks for one thing: `ability` such as `get`, on one key or prefix. */
export function signRequest(
  { space, signing }: Cast,
  { key: sessionKey, delegation }: Actor,
  request: { readonly ability: string; readonly key: string },
): IssuedToken {
  return signInvocation(sessionKey, {
    nonce: createNonce(signing),
    expiresAtS: signing.nowS + INVOCATION_LIFETIME_S,
    grants: { [`${space}/kv/${request.key}`]: [`tinycloud.kv/${request.ability}`] },
    proofs: [delegation.cid],
  })
}

/** The owner's key takes back what it gave to the friend. */
export const signShareRevocation = ({ owner, friend, signing }: Cast): IssuedToken =>
  signKeyRevocation(owner.key, {
    nonce: createNonce(signing),
    expiresAtS: signing.nowS + INVOCATION_LIFETIME_S,
    cid: friend.delegation.cid,
    proofs: [owner.delegation.cid],
  })

/** An exact copy: small random buffers are views into a pool. */
const randomSecret = ({ randomBytes }: Signing): Uint8Array =>
  Uint8Array.from(randomBytes(SECRET_BYTES))

const createNonce = ({ randomBytes }: Signing): string =>
  Buffer.from(randomBytes(NONCE_BYTES)).toString('hex')
