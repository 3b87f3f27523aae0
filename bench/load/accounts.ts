/**
 * Accounts of a load: plain values, so that they reach the threads that sign. The same account can be hosted by several
 * nodes; then one set of tokens loads all of them.
 */
import { randomBytes } from 'node:crypto'
import { createSessionKey } from '../../src/protocol/client/session-key.ts'
import { signKeyDelegation } from '../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { createWallet } from '../../src/protocol/client/wallet.ts'
import {
  assertOk,
  type Connections,
  issueHosting,
  KV_ABILITIES,
  kvResource,
  newNonce,
  nowS,
  postDelegation,
} from '../../test/_util/client.ts'

/** Longer than a full run. */
const DELEGATION_LIFETIME_S = 24 * 3600

export interface LoadAccount {
  readonly space: string
  /** Of the wallet that owns the space. */
  readonly walletSecret: Uint8Array
  /** Of the key that invokes: the last one of the chain. */
  readonly keySeed: Uint8Array
  /** The delegation that the key cites. */
  readonly cid: string
  /** The chain, from the wallet's session to the last link: what a node must store first. */
  readonly delegations: readonly string[]
}

export interface AccountOptions {
  readonly count: number
  /** Delegations between the owner and the invoker, at least 1. */
  readonly depth: number
}

export const createAccounts = ({ count, depth }: AccountOptions): LoadAccount[] =>
  Array.from({ length: count }, () => createAccount(depth))

function createAccount(depth: number): LoadAccount {
  const walletSecret = randomBytes(32)
  const wallet = createWallet(walletSecret)
  const space = wallet.spaceId('default')
  const abilities = { [kvResource(space)]: KV_ABILITIES }
  let keySeed = randomBytes(32)
  let key = createSessionKey(keySeed)
  let token = signSessionDelegation(wallet, {
    domain: 'bench.example',
    nonce: randomBytes(8).toString('hex'),
    issuedAtS: nowS(),
    expiresAtS: nowS() + DELEGATION_LIFETIME_S,
    audience: key.didUrl,
    abilities,
  })
  const delegations = [token.authorization]
  for (let link = 1; link < depth; link++) {
    const nextSeed = randomBytes(32)
    const next = createSessionKey(nextSeed)
    token = signKeyDelegation(key, {
      audience: next.did,
      grants: abilities,
      nonce: newNonce(),
      expiresAtS: Math.floor(nowS() + DELEGATION_LIFETIME_S / 2),
      proofs: [token.cid],
    })
    delegations.push(token.authorization)
    keySeed = nextSeed
    key = next
  }
  return { space, walletSecret, keySeed, cid: token.cid, delegations }
}

/** Makes a node host the spaces and store the chains. @throws {Error} when it refuses one */
export async function hostAccounts(
  connections: Connections,
  accounts: readonly LoadAccount[],
): Promise<void> {
  for (const { walletSecret, space, delegations } of accounts) {
    const hosting = await issueHosting(connections, createWallet(walletSecret), space)
    assertOk(await postDelegation(connections, hosting), 'host')
    for (const authorization of delegations)
      assertOk(await postDelegation(connections, { authorization }), 'delegate')
  }
}
