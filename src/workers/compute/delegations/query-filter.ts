/** What a query asks for, and which delegations it wants. */
import { type DelegationFacts } from '../../../protocol/authority.ts'
import { parseBase64url } from '../../../protocol/base64url.ts'
import { parseUtf8 } from '../../../protocol/bytes.ts'
import { BLAKE3_CODE, DIGEST_BYTES, parseCid } from '../../../protocol/cid.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { type Violation } from '../../../protocol/json-schema.ts'
import { QUERY_LIMIT_DEFAULT, QUERY_LIMIT_MAX } from '../../../protocol/limits.ts'
import {
  DELEGATION_STATES,
  QUERY_DIRECTIONS,
  QUERY_REQUEST,
} from '../../../protocol/messages/delegation-query.ts'
import { parseSpaceId } from '../../../protocol/resource.ts'
import { type MessageForm, parseMessage, readNumber, readText } from '../json-body.ts'
import { type Body } from '../request.ts'
import { type DelegationState } from './state.ts'

export interface QueryFilter {
  readonly direction: (typeof QUERY_DIRECTIONS)[number]
  readonly status: DelegationState | undefined
  /** A space id in EIP-55 spelling, or the name of a space. */
  readonly space: string | undefined
  readonly limit: number
  /** Digest of the last delegation that was seen. */
  readonly after: Uint8Array | undefined
}

const FORM: MessageForm = {
  schema: QUERY_REQUEST,
  order: Object.keys(QUERY_REQUEST.properties),
  refusalOf,
}

/**
 * Rule: QUERY-3. A member that is null counts as absent.
 * @throws {ProtocolError} QUERY_INVALID, or what `parseMessage` throws
 */
export function parseQueryFilter(body: Body): QueryFilter {
  const members = parseMessage(body, FORM)
  const direction = readText(members, 'direction')
  const status = readText(members, 'status')
  const cursor = readText(members, 'cursor')
  return {
    direction: QUERY_DIRECTIONS.find((name) => name === direction) ?? 'all',
    status: DELEGATION_STATES.find((name) => name === status),
    space: normaliseSpace(readText(members, 'space')),
    limit: readNumber(members, 'limit') ?? QUERY_LIMIT_DEFAULT,
    after: cursor === undefined ? undefined : parseCursor(cursor),
  }
}

export const invalidCursor = (options?: ErrorOptions): ProtocolError =>
  invalid('invalid delegation query cursor', options)

const invalid = (detail: string, options?: ErrorOptions): ProtocolError =>
  new ProtocolError('QUERY_INVALID', detail, options)

/** The words for what the schema refuses (reference-behaviour §1.9). */
function refusalOf({ member, keyword }: Violation): ProtocolError {
  if (keyword === 'additionalProperties') return invalid('unknown member')
  switch (member) {
    case 'direction':
      return invalid(`direction must be one of ${QUERY_DIRECTIONS.join(', ')}`)
    case 'status':
      return invalid(`status must be one of ${DELEGATION_STATES.join(', ')}`)
    case 'limit':
      return invalid(`limit must be between 1 and ${QUERY_LIMIT_MAX}`)
    case 'space':
      return invalid(keyword === 'length' ? 'space must not be empty' : 'space must be a text')
    default:
      return invalidCursor()
  }
}

/** An id in EIP-55 spelling; what is no id is a name. */
function normaliseSpace(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    return parseSpaceId(text).space
  } catch (error) {
    if (error instanceof ProtocolError) return text
    throw error
  }
}

function parseCursor(text: string): Uint8Array {
  try {
    const { hashCode, digest } = parseCid(parseUtf8(parseBase64url(text, { padding: 'none' })))
    if (hashCode === BLAKE3_CODE && digest.length === DIGEST_BYTES) return digest
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw invalidCursor({ cause })
  }
  throw invalidCursor()
}

/** Whether a delegation names the space: any, if none is asked for. */
export function namesSpace(
  { capabilities }: Pick<DelegationFacts, 'capabilities'>,
  space: string | undefined,
): boolean {
  if (space === undefined) return true
  return capabilities.some(
    ({ resource }) =>
      resource.kind === 'space' && (resource.space === space || resource.name === space),
  )
}
