/** What the node says about one of its routes: enough to register it, and to describe it to others. */
import { type ErrorCode } from '../../../protocol/error.ts'
import { type JsonSchema } from '../../../protocol/json-schema.ts'

/** The routes by name. Each has one handler. */
export type OperationId =
  | 'checkHealth'
  | 'checkHealthAlias'
  | 'readVersion'
  | 'readInfo'
  | 'readOpenApi'
  | 'generatePeer'
  | 'delegate'
  | 'invoke'
  | 'revoke'
  | 'delegationStatus'
  | 'delegationQuery'
  | 'signKv'
  | 'readSignedKv'
  | 'listPublicKeys'
  | 'readPublicKey'
  | 'preflightPublicKeys'
  | 'preflightPublicKey'
  | 'preflight'

export interface Parameter {
  readonly in: 'header' | 'path' | 'query'
  readonly name: string
  readonly description: string
  readonly schema: JsonSchema
}

/** A body: its media type, and what it holds if that is JSON or text. */
export interface Content {
  readonly mediaType: string
  readonly schema?: JsonSchema
}

export interface AnswerHeader {
  readonly name: string
  readonly description: string
  /** Every answer of this status has it. */
  readonly isAlways: boolean
}

/** An answer that is no refusal. */
export interface RouteAnswer {
  readonly status: number
  readonly description: string
  readonly headers?: readonly AnswerHeader[]
  /** None: the body is empty. */
  readonly contents?: readonly Content[]
  /** HEAD never gets it. */
  readonly isOfGetOnly?: boolean
}

export interface RouteDescription {
  readonly operationId: OperationId
  readonly method: 'GET' | 'OPTIONS' | 'POST'
  /** Pattern of the path; `*` stands for the rest of it. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  /** A signed token in `Authorization` says who asks. */
  readonly takesToken: boolean
  readonly parameters: readonly Parameter[]
  readonly body?: { readonly isRequired: boolean; readonly contents: readonly Content[] }
  readonly answers: readonly RouteAnswer[]
  /** Every refusal that a client may meet, beside those of a request that HTTP itself does not allow. */
  readonly refusals: readonly ErrorCode[]
}
