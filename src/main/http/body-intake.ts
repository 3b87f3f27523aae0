/**
 * How the body of each token route is taken in, decided from the head of the request alone.
 *
 *     dropped  nobody reads it                                        /delegate, /revoke
 *     value    small and of known length: whole; else after the authorisation          /invoke
 *     json     `application/json` only, whole, up to 1 MiB, of any framing   /delegation/…
 */
import { type IncomingMessage } from 'node:http'

import { type Failure } from '../../protocol/answer.ts'
import {
  JSON_BODY_BYTES_MAX,
  PACKED_VALUE_BYTES_MAX,
  VALUE_BYTES_MAX,
} from '../../protocol/limits.ts'
import { type Route } from '../../workers/compute/request.ts'
import { declaredBytes } from './request-body.ts'
import { type StagingMode } from './upload.ts'

export type BodyPolicy = 'dropped' | 'value' | 'json'

const POLICIES: Readonly<Record<Route, BodyPolicy>> = {
  delegate: 'dropped',
  revoke: 'dropped',
  invoke: 'value',
  status: 'json',
  query: 'json',
  sign: 'json',
}

export type BodyIntake =
  | { readonly kind: 'none' }
  /** Read before the token is looked at. `lengthBytes` is undefined when only the end of the body will tell. */
  | {
      readonly kind: 'whole'
      readonly lengthBytes: number | undefined
      readonly bytesMax: number
    }
  /** Read once the request is authorised. */
  | { readonly kind: 'later'; readonly lengthBytes: number | undefined }
  | { readonly kind: 'refused'; readonly failure: Failure }

/** Longer values are not read before the request is authorised (INV-13). */
const WHOLE_VALUE_BYTES_MAX: Readonly<Record<StagingMode, number>> = {
  memory: PACKED_VALUE_BYTES_MAX,
  file: 64 * 1024,
}

const NONE: BodyIntake = { kind: 'none' }

/**
 * Whether the route exists for this content type: JSON routes know no other (HTTP-5, reference-behaviour §0.2). It is
 * asked before the token is looked at.
 */
export function isTypeServed(route: Route, { headers }: IncomingMessage): boolean {
  if (POLICIES[route] !== 'json') return true
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  return type.trim().toLowerCase() === 'application/json'
}

export function planIntake(
  route: Route,
  request: IncomingMessage,
  staging: StagingMode,
): BodyIntake {
  const policy = POLICIES[route]
  if (policy === 'dropped') return NONE
  const lengthBytes = declaredBytes(request)
  if (lengthBytes === 0) return NONE
  return policy === 'json' ? jsonIntake(lengthBytes) : valueIntake(lengthBytes, staging)
}

function jsonIntake(lengthBytes: number | undefined): BodyIntake {
  if (lengthBytes !== undefined && lengthBytes > JSON_BODY_BYTES_MAX)
    return { kind: 'refused', failure: { code: 'BODY_TOO_LARGE', detail: '' } }
  return { kind: 'whole', lengthBytes, bytesMax: JSON_BODY_BYTES_MAX }
}

function valueIntake(lengthBytes: number | undefined, staging: StagingMode): BodyIntake {
  if (lengthBytes === undefined) return { kind: 'later', lengthBytes }
  if (lengthBytes > VALUE_BYTES_MAX)
    return {
      kind: 'refused',
      failure: { code: 'VALUE_TOO_LARGE', detail: String(VALUE_BYTES_MAX) },
    }
  return lengthBytes <= WHOLE_VALUE_BYTES_MAX[staging]
    ? { kind: 'whole', lengthBytes, bytesMax: lengthBytes }
    : { kind: 'later', lengthBytes }
}

/** What the body will hold of the memory budget while it waits. */
export function heldBytes(intake: BodyIntake): number {
  return intake.kind === 'whole' ? (intake.lengthBytes ?? intake.bytesMax) : 0
}
