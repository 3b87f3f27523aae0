/**
 * A client of a running node: accounts with hosted spaces and sessions, and the requests that tests and loads send.
 * Tokens are made ahead of or apart from sending where a test needs to send one twice.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { type Readable } from 'node:stream'
import { Pool } from 'undici'
import { type IssuedToken } from '../../src/protocol/client/issued-token.ts'
import {
  type Grants,
  signInvocation,
  signKeyDelegation,
  signKeyRevocation,
} from '../../src/protocol/client/key-tokens.ts'
import { createSessionKey, type SessionKey } from '../../src/protocol/client/session-key.ts'
import {
  signHostDelegation,
  signSessionDelegation,
  signWalletRevocation,
  type WalletSigning,
} from '../../src/protocol/client/wallet-tokens.ts'
import { createWallet, type Wallet } from '../../src/protocol/client/wallet.ts'

/** Longer than any request of a test takes, shorter than a test's own limit. */
const ANSWER_TIMEOUT_MS = 30_000
const INVOCATION_LIFETIME_S = 240
const DELEGATION_LIFETIME_S = 24 * 3600

export const KV_ABILITIES = ['del', 'get', 'list', 'metadata', 'put'].map(
  (name) => `tinycloud.kv/${name}`,
)

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
  text(): string
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'HEAD' | 'OPTIONS' | 'PUT' | 'DELETE'
  readonly authorization?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string | Readable
}

/** Connections to one node. Close it, or the process that holds it does not end. */
export interface Connections {
  readonly url: string
  request(path: string, options?: RequestOptions): Promise<Reply>
  close(): Promise<void>
}

/** `count` kept-alive connections; each takes one request at a time, the others wait. */
export function openConnections(url: string, count: number): Connections {
  const pool = new Pool(url, {
    connections: count,
    pipelining: 1,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  })
  return {
    url,
    async request(path, { method = 'POST', authorization, headers = {}, body } = {}) {
      const answer = await pool.request({
        path,
        method,
        headers: { ...headers, ...(authorization !== undefined && { authorization }) },
        body: body ?? null,
      })
      const bytes = Buffer.from(await answer.body.arrayBuffer())
      return {
        status: answer.statusCode,
        headers: answer.headers,
        bytes,
        text: () => bytes.toString('utf8'),
      }
    },
    close: () => pool.destroy(),
  }
}

export const nowS = (): number => Date.now() / 1000
export const newNonce = (): string => `urn:uuid:${randomUUID()}`

const walletSigning = (lifetimeS: number | undefined): WalletSigning => ({
  domain: 'tests.example',
  nonce: randomBytes(8).toString('hex'),
  issuedAtS: nowS(),
  ...(lifetimeS !== undefined && { expiresAtS: nowS() + lifetimeS }),
})

/** Somebody who holds rights on a space: a key and the delegation that gave them. */
export interface Holder {
  readonly space: string
  readonly key: SessionKey
  /** The delegation that is cited. */
  readonly cid: string
  readonly authorization: string
}

export interface Account extends Holder {
  readonly wallet: Wallet
  /** The token that made the node host the space. */
  readonly hosting: IssuedToken
}

export interface GrantOptions {
  /** Below the space's kv service; undefined: all of it. */
  readonly path?: string
  readonly abilities?: readonly string[]
  readonly lifetimeS?: number
}

export const newKey = (): SessionKey => createSessionKey(randomBytes(32))
export const newWallet = (): Wallet => createWallet(randomBytes(32))

export const kvResource = (space: string, path?: string): string =>
  path === undefined ? `${space}/kv` : `${space}/kv/${path}`

/** Throws unless the answer is 200: for steps that prepare a test. */
export function assertOk(reply: Reply, step: string): Reply {
  if (reply.status !== 200) throw new Error(`${step}: ${reply.status} ${reply.text()}`)
  return reply
}

/** The token by which a wallet opens a session; not sent. */
export function issueSession(
  wallet: Wallet,
  space: string,
  { path, abilities = KV_ABILITIES, lifetimeS = DELEGATION_LIFETIME_S }: GrantOptions = {},
): { readonly key: SessionKey; readonly token: IssuedToken } {
  const key = newKey()
  const token = signSessionDelegation(wallet, {
    ...walletSigning(lifetimeS),
    audience: key.didUrl,
    abilities: { [kvResource(space, path)]: abilities },
  })
  return { key, token }
}

/** The token that asks the node to host a space of the wallet; not sent. */
export async function issueHosting(
  connections: Connections,
  wallet: Wallet,
  space: string,
): Promise<IssuedToken> {
  const path = `/peer/generate/${encodeURIComponent(space)}`
  const peer = assertOk(await connections.request(path, { method: 'GET' }), 'peer')
  return signHostDelegation(wallet, { ...walletSigning(undefined), space, hostDid: peer.text() })
}

export const postDelegation = (
  connections: Connections,
  { authorization }: { readonly authorization: string },
): Promise<Reply> => connections.request('/delegate', { authorization })

/** A new wallet with one hosted space and a session on all of its kv service. */
export async function openAccount(connections: Connections, name = 'default'): Promise<Account> {
  const wallet = newWallet()
  const space = wallet.spaceId(name)
  const hosting = await issueHosting(connections, wallet, space)
  assertOk(await postDelegation(connections, hosting), 'host')
  const { key, token } = issueSession(wallet, space)
  assertOk(await postDelegation(connections, token), 'session')
  return { wallet, space, key, cid: token.cid, authorization: token.authorization, hosting }
}

/** Passes rights on to a new key; not sent. */
export function issueShare(
  from: Holder,
  { path, abilities = KV_ABILITIES, lifetimeS = 3600 }: GrantOptions = {},
): Holder {
  const key = newKey()
  const token = signKeyDelegation(from.key, {
    audience: key.did,
    grants: { [kvResource(from.space, path)]: abilities },
    nonce: newNonce(),
    expiresAtS: Math.floor(nowS() + lifetimeS),
    proofs: [from.cid],
  })
  return { space: from.space, key, cid: token.cid, authorization: token.authorization }
}

/** An invocation of `holder`, which cites its delegation; not sent. */
export const issueInvocation = (
  holder: Holder,
  grants: Grants,
  { lifetimeS = INVOCATION_LIFETIME_S, facts }: { lifetimeS?: number; facts?: unknown[] } = {},
): IssuedToken =>
  signInvocation(holder.key, {
    grants,
    nonce: newNonce(),
    expiresAtS: nowS() + lifetimeS,
    proofs: [holder.cid],
    ...(facts !== undefined && { facts }),
  })

export type KvAction = 'put' | 'get' | 'del' | 'list' | 'metadata'

/** The token of one operation on one key; not sent. */
export const issueKv = (holder: Holder, action: KvAction, key: string): IssuedToken =>
  issueInvocation(holder, { [kvResource(holder.space, key)]: [`tinycloud.kv/${action}`] })

export const invoke = (
  connections: Connections,
  { authorization }: { readonly authorization: string },
  options: Omit<RequestOptions, 'authorization' | 'method'> = {},
): Promise<Reply> => connections.request('/invoke', { ...options, authorization })

/** Signs and sends one operation on one key. */
export const kv = (
  connections: Connections,
  holder: Holder,
  action: KvAction,
  key: string,
  options: Omit<RequestOptions, 'authorization' | 'method'> = {},
): Promise<Reply> => invoke(connections, issueKv(holder, action, key), options)

/** Revokes by the key that gave or holds the delegation. */
export const revokeByKey = (
  connections: Connections,
  holder: Holder,
  cid: string,
): Promise<Reply> => {
  const token = signKeyRevocation(holder.key, {
    cid,
    nonce: newNonce(),
    expiresAtS: nowS() + INVOCATION_LIFETIME_S,
    proofs: [holder.cid],
  })
  return connections.request('/revoke', { authorization: token.authorization })
}

/** Revokes by the wallet that owns the space. */
export const revokeByWallet = (
  connections: Connections,
  wallet: Wallet,
  cid: string,
): Promise<Reply> => {
  const token = signWalletRevocation(wallet, { ...walletSigning(120), cid })
  return connections.request('/revoke', { authorization: token.authorization })
}
