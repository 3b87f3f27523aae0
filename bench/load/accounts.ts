/**
 * Accounts of a load: plain values, so that they reach the threads that sign. The same account can be hosted by several
 * nodes; then one set of tokens loads all of them.
 */
import { randomBytes } from 'node:crypto'
import { utf8 } from '../../src/protocol/bytes.ts'
import { createSessionKey } from '../../src/protocol/client/session-key.ts'
import { signKeyDelegation } from '../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { createWallet } from '../../src/protocol/client/wallet.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
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
  Array.from({ length: count }, () => createAccount(depth, randomBytes, nowS()))

/** `draw` gives that many random bytes. */
function createAccount(
  depth: number,
  draw: (bytes: number) => Buffer,
  issuedAtS: number,
): LoadAccount {
  const walletSecret = draw(32)
  const wallet = createWallet(walletSecret)
  const space = wallet.spaceId('default')
  const abilities = { [kvResource(space)]: KV_ABILITIES }
  let keySeed = draw(32)
  let key = createSessionKey(keySeed)
  let token = signSessionDelegation(wallet, {
    domain: 'bench.example',
    nonce: draw(8).toString('hex'),
    issuedAtS,
    expiresAtS: issuedAtS + DELEGATION_LIFETIME_S,
    audience: key.didUrl,
    abilities,
  })
  const delegations = [token.authorization]
  for (let link = 1; link < depth; link++) {
    const nextSeed = draw(32)
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

/** Accounts by number, so many that no thread holds them all: each can make any of them again, to the last byte. */
export interface NumberedAccounts {
  /** Unguessable, and another one for every store. */
  readonly series: string
  readonly issuedAtS: number
  readonly count: number
}

export const createNumberedAccounts = (count: number): NumberedAccounts => ({
  series: randomBytes(16).toString('hex'),
  issuedAtS: nowS(),
  count,
})

/** One delegation deep. */
export function accountNumbered({ series, issuedAtS }: NumberedAccounts, no: number): LoadAccount {
  let drawn = 0
  const draw = (bytes: number): Buffer =>
    Buffer.from(blake3(utf8(`${series}/${no}/${drawn++}`))).subarray(0, bytes)
  return createAccount(1, draw, issuedAtS)
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
