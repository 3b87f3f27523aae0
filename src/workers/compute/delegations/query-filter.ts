/** What a query asks for, and which delegations it wants. */
import { type DelegationFacts } from '../../../protocol/authority.ts'
import { parseBase64url } from '../../../protocol/base64url.ts'
import { parseUtf8 } from '../../../protocol/bytes.ts'
import { BLAKE3_CODE, DIGEST_BYTES, parseCid } from '../../../protocol/cid.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { QUERY_LIMIT_DEFAULT, QUERY_LIMIT_MAX } from '../../../protocol/limits.ts'
import { parseSpaceId } from '../../../protocol/resource.ts'
import { parseJsonMembers } from '../json-body.ts'
import { type Body } from '../request.ts'
import { DELEGATION_STATES, type DelegationState } from './state.ts'

const DIRECTIONS = ['granted', 'received', 'all'] as const

export interface QueryFilter {
  readonly direction: (typeof DIRECTIONS)[number]
  readonly status: DelegationState | undefined
  /** A space id in EIP-55 spelling, or the name of a space. */
  readonly space: string | undefined
  readonly limit: number
  /** Digest of the last delegation that was seen. */
  readonly after: Uint8Array | undefined
}

const MEMBERS: readonly string[] = ['direction', 'status', 'space', 'limit', 'cursor']

/**
 * Rule: QUERY-3. A member that is null counts as absent.
 * @throws {ProtocolError} QUERY_INVALID, or what `parseJsonMembers` throws
 */
export function parseQueryFilter(body: Body): QueryFilter {
  const members = parseJsonMembers(body, MEMBERS)
  for (const name of members.keys()) if (!MEMBERS.includes(name)) throw invalid('unknown member')
  return {
    direction: parseName(DIRECTIONS, 'direction', members) ?? 'all',
    status: parseName(DELEGATION_STATES, 'status', members),
    space: parseSpace(members.get('space') ?? undefined),
    limit: parseLimit(members.get('limit') ?? QUERY_LIMIT_DEFAULT),
    after: parseCursor(members.get('cursor') ?? undefined),
  }
}

export const invalidCursor = (options?: ErrorOptions): ProtocolError =>
  invalid('invalid delegation query cursor', options)

const invalid = (detail: string, options?: ErrorOptions): ProtocolError =>
  new ProtocolError('QUERY_INVALID', detail, options)

function parseName<Name extends string>(
  names: readonly Name[],
  member: string,
  members: ReadonlyMap<string, unknown>,
): Name | undefined {
  const value = members.get(member) ?? undefined
  if (value === undefined) return undefined
  const found = names.find((name) => name === value)
  if (found === undefined) throw invalid(`${member} must be one of ${names.join(', ')}`)
  return found
}

function parseLimit(value: unknown): number {
  const isLimit = typeof value === 'number' && Number.isInteger(value)
  if (!isLimit || value < 1 || value > QUERY_LIMIT_MAX)
    throw invalid(`limit must be between 1 and ${QUERY_LIMIT_MAX}`)
  return value
}

function parseSpace(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw invalid('space must be a text')
  if (value === '') throw invalid('space must not be empty')
  try {
    return parseSpaceId(value).space
  } catch (error) {
    // Then it is a name.
    if (error instanceof ProtocolError) return value
    throw error
  }
}

function parseCursor(value: unknown): Uint8Array | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw invalidCursor()
  try {
    const { hashCode, digest } = parseCid(parseUtf8(parseBase64url(value, { padding: 'none' })))
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
