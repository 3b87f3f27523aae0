/** Questions about delegations: a signed token and a JSON body. */
import { type Grants, signInvocation } from '../../src/protocol/client/key-tokens.ts'
import { type SessionKey } from '../../src/protocol/client/session-key.ts'
import { type Connections, newNonce, nowS, type Reply, type RequestOptions } from './client.ts'

const QUESTION_LIFETIME_S = 240

export interface QuestionToken {
  readonly key: SessionKey
  readonly grants: Grants
  readonly proofs?: readonly string[]
  readonly lifetimeS?: number
}

/** The `Authorization` of a question; not sent. */
export const issueQuestion = ({
  key,
  grants,
  proofs = [],
  lifetimeS = QUESTION_LIFETIME_S,
}: QuestionToken): string =>
  signInvocation(key, { grants, proofs, nonce: newNonce(), expiresAtS: nowS() + lifetimeS })
    .authorization

/** Sends a body as JSON. A text is sent as it is. */
export const postJson = (
  connections: Connections,
  path: string,
  { authorization, json }: { readonly authorization?: string; readonly json: unknown },
  options: RequestOptions = {},
): Promise<Reply> =>
  connections.request(path, {
    headers: { 'content-type': 'application/json' },
    body: typeof json === 'string' ? json : JSON.stringify(json),
    ...(authorization !== undefined && { authorization }),
    ...options,
  })
