/**
 * How much a space may keep, and what is said when it is too much. Compute says it early to an upload, the storage
 * actor decides it inside the transaction; both by the rules of this file.
 */
import { type Failure } from '../protocol/answer.ts'
import { describeUse } from '../protocol/quota.ts'
import { parseSpaceId, PUBLIC_SPACE_NAME } from '../protocol/resource.ts'
import { type SpaceLimits } from './storage/request.ts'

export const NO_SPACE_LIMITS: SpaceLimits = {
  liveBytes: Infinity,
  publicLiveBytes: Infinity,
  historyBytes: Infinity,
}

/**
 * Sessions are given so many times the history limit: whoever signs in to a space whose history is full can still read
 * it and delete from it.
 */
const DELEGATION_ALLOWANCE = 2

/** @throws {ProtocolError} SPACE_ID_INVALID */
export const liveBytesMaxOf = (space: string, limits: SpaceLimits): number =>
  parseSpaceId(space).name === PUBLIC_SPACE_NAME ? limits.publicLiveBytes : limits.liveBytes

/** Rule: QUOTA-4. What is to be written is not counted: the limit is where history stops growing. */
export function findHistoryRefusal(
  historyBytes: number,
  { historyBytes: bytesMax }: SpaceLimits,
  kind: 'change' | 'delegation',
): Failure | undefined {
  const stopBytes = kind === 'delegation' ? bytesMax * DELEGATION_ALLOWANCE : bytesMax
  if (historyBytes < stopBytes) return undefined
  return { code: 'HISTORY_LIMIT', detail: describeUse(historyBytes, bytesMax) }
}
