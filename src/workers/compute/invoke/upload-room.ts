/**
 * An early word to an upload whose space has no room for it. What it replaces or deletes is credited, as the storage
 * actor will; of a batch only the end tells how long its values are, so its length is not compared.
 */
import { type Failure } from '../../../protocol/answer.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { findQuotaRefusal, type UploadRoom } from '../../../protocol/quota.ts'
import { type ReadFacts } from '../../database/facts.ts'
import { findHistoryRefusal, liveBytesMaxOf } from '../../space-limits.ts'
import { type SpaceLimits } from '../../storage/request.ts'
import { type Effect, type KeyTarget } from './effects.ts'

type MutateEffect = Extract<Effect, { kind: 'mutate' }>

/** An upload of one value. */
export interface SingleUpload {
  readonly effect: MutateEffect
  /** Undefined where only the end will tell. */
  readonly declaredBytes: number | undefined
}

/**
 * Rule: QUOTA-4.
 * `spaces`: those of `facts.spaces`, in its order.
 * @throws {ProtocolError} HISTORY_LIMIT
 */
export function assertHistoryRoom(
  limits: SpaceLimits,
  { puts }: MutateEffect,
  spaces: readonly string[],
  facts: ReadFacts,
): void {
  for (const { space } of puts) {
    const found = facts.spaces[spaces.indexOf(space)]
    throwIf(found && findHistoryRefusal(found.historyBytes, limits, 'change'))
  }
}

/**
 * What there is for the value; undefined: no limit. `facts.keys` are of all puts, then of all deletes.
 *
 * Rule: QUOTA-5.
 * @throws {ProtocolError} QUOTA_EXCEEDED | QUOTA_REMAINDER
 */
export function findUploadRoom(
  limits: SpaceLimits,
  { effect, declaredBytes }: SingleUpload,
  spaces: readonly string[],
  facts: ReadFacts,
): UploadRoom | undefined {
  const space = effect.puts[0]?.space
  const found = space === undefined ? undefined : facts.spaces[spaces.indexOf(space)]
  if (space === undefined || !found) return undefined
  const limitBytes = liveBytesMaxOf(space, limits)
  if (limitBytes === Infinity) return undefined
  const creditBytes = removedBytes([...effect.puts, ...effect.deletes], space, facts)
  const { liveBytes: usedBytes } = found
  throwIf(findQuotaRefusal(usedBytes, (declaredBytes ?? 0) - creditBytes, limitBytes))
  return { space, usedBytes, creditBytes, limitBytes }
}

/** Live bytes of the keys in this space that are replaced or deleted. */
function removedBytes(targets: readonly KeyTarget[], space: string, facts: ReadFacts): number {
  const byKey = new Map<string, number>()
  for (const [index, target] of targets.entries()) {
    const version = facts.keys[index]
    if (target.space === space && version && !version.isDeleted)
      byKey.set(target.keyText, version.valueBytes)
  }
  return [...byKey.values()].reduce((sum, bytes) => sum + bytes, 0)
}

function throwIf(failure: Failure | undefined): void {
  if (failure) throw new ProtocolError(failure.code, failure.detail)
}
