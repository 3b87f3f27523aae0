/** Requests for signed URLs, and their use. */
import { type IssuedToken } from '../../src/protocol/client/issued-token.ts'
import {
  assertOk,
  type Connections,
  type Holder,
  issueInvocation,
  kvResource,
  type Reply,
} from './client.ts'
import { membersOf } from './narrow.ts'
import { postJson } from './questions.ts'

export interface SigningOptions {
  /** What the invocation names; the key itself unless given. */
  readonly signedPath?: string
  readonly abilities?: readonly string[]
  readonly lifetimeS?: number
  /** Members of the body beside space and path. */
  readonly members?: Readonly<Record<string, unknown>>
}

/** The token of a request for a URL; not sent. */
export const issueSigning = (
  holder: Holder,
  path: string,
  { abilities = ['tinycloud.kv/get'], lifetimeS }: SigningOptions = {},
): IssuedToken =>
  issueInvocation(
    holder,
    { [kvResource(holder.space, path)]: abilities },
    lifetimeS === undefined ? {} : { lifetimeS },
  )

/** Asks for a URL of a key. */
export const signUrl = (
  connections: Connections,
  holder: Holder,
  path: string,
  options: SigningOptions = {},
): Promise<Reply> =>
  postJson(connections, '/signed/kv', {
    authorization: issueSigning(holder, options.signedPath ?? path, options).authorization,
    json: { space: holder.space, path, ...options.members },
  })

export interface SignedUrl {
  readonly url: string
  readonly ticketId: string
  readonly expiresAt: string
}

export function readSignedUrl(reply: Reply): SignedUrl {
  const { url, ticketId, expiresAt } = membersOf(JSON.parse(assertOk(reply, 'sign').text()))
  if (typeof url !== 'string' || typeof ticketId !== 'string' || typeof expiresAt !== 'string')
    throw new Error(`no signed URL: ${reply.text()}`)
  return { url, ticketId, expiresAt }
}

/** A URL of a key. @throws when the answer is not 200 */
export const openUrl = async (
  connections: Connections,
  holder: Holder,
  path: string,
  options: SigningOptions = {},
): Promise<SignedUrl> => readSignedUrl(await signUrl(connections, holder, path, options))

export const readUrl = (
  connections: Connections,
  url: string,
  headers: Readonly<Record<string, string>> = {},
  method: 'GET' | 'HEAD' = 'GET',
): Promise<Reply> => connections.request(url, { method, headers })
