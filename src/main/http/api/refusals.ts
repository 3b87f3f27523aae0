/** Refusals that several routes have in common. */
import { type ErrorCode } from '../../../protocol/error.ts'

type Codes = readonly ErrorCode[]

/** Of every route: a head with too many fields, and our own bugs. */
export const ANY: Codes = ['TOKEN_TOO_LARGE', 'INTERNAL']

/** Of what goes through the pipeline. */
export const BUSY: Codes = ['NODE_BUSY', 'NODE_STOPPING', 'STORAGE_UNAVAILABLE']

/** Of what reads stored data. */
export const DAMAGED: Codes = ['VALUE_CORRUPT', 'VALUE_MISSING']

/** Of a path with names in it. */
export const PATH: Codes = ['REQUEST_MALFORMED']

export const TOKEN: Codes = ['TOKEN_MISSING', 'TOKEN_MALFORMED']

/** Of a body that is JSON (HTTP-5). */
export const JSON_BODY: Codes = [
  'ROUTE_NOT_FOUND',
  'REQUEST_MALFORMED',
  'BODY_TOO_LARGE',
  'BODY_UNPROCESSABLE',
  'UPLOAD_TIMEOUT',
]

/** Of an invocation that is authorised (INV-1 to INV-8). */
export const INVOCATION: Codes = [
  'SIGNATURE_INVALID',
  'INVOCATION_TIME',
  'INVOCATION_LIFETIME',
  'PARENT_NOT_FOUND',
  'UNAUTHORIZED_INVOKER',
  'UNAUTHORIZED_ACTION',
  'DELEGATION_REVOKED',
  'ANCESTOR_REVOKED',
  'INVOCATION_CAVEATS',
  'CHAIN_LIMIT',
  'SPACE_NOT_FOUND',
]
