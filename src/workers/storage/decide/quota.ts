/**
 * Decides whether the spaces of a command have room for it. Counted are the values that count after all of its
 * operations: what it replaces or deletes is credited, and a key that it changes twice counts once.
 */
import { type Failure } from '../../../protocol/answer.ts'
import { toLatin1 } from '../../../protocol/bytes.ts'
import { findQuotaRefusal } from '../../../protocol/quota.ts'
import { findHistoryRefusal, liveBytesMaxOf } from '../../space-limits.ts'
import { type GroupView, type SpaceState } from '../group-view.ts'
import {
  type DelegateCommand,
  type MutateCommand,
  type Operation,
  type SpaceLimits,
} from '../request.ts'
import { refuse } from './decision.ts'

type Refusal = { kind: 'refuse'; failure: Failure }

/** The first space without room. Rule: QUOTA-1, QUOTA-2, QUOTA-3, QUOTA-4. */
export function refuseMutation(
  { operations, spaces }: MutateCommand,
  view: GroupView,
  limits: SpaceLimits,
): Refusal | undefined {
  for (const [spaceIndex, spaceId] of spaces.entries()) {
    const space = view.hosted(spaceId)
    const own = operations.filter((operation) => operation.spaceIndex === spaceIndex)
    if (!space || own.length === 0) continue
    const failure =
      findQuotaRefusal(
        space.liveBytes,
        grownBytes(own, space, view),
        liveBytesMaxOf(spaceId, limits),
      ) ??
      (isRelief(own, space, view)
        ? undefined
        : findHistoryRefusal(space.historyBytes, limits, 'change'))
    if (failure) return refuse(failure.code, failure.detail)
  }
  return undefined
}

/** A delegation leaves its record in every hosted space that it names. Rule: QUOTA-4. */
export function refuseDelegation(
  { spaces }: DelegateCommand,
  view: GroupView,
  limits: SpaceLimits,
): Refusal | undefined {
  for (const spaceId of spaces) {
    const space = view.hosted(spaceId)
    const failure = space && findHistoryRefusal(space.historyBytes, limits, 'delegation')
    if (failure) return refuse(failure.code, failure.detail)
  }
  return undefined
}

/** By how much the live bytes of the space change; negative: they shrink. */
function grownBytes(own: readonly Operation[], space: SpaceState, view: GroupView): number {
  const after = new Map<string, { before: number; bytes: number }>()
  for (const operation of own) {
    const name = toLatin1(operation.key)
    const before = after.get(name)?.before ?? liveBytesOf(operation.key, space, view)
    after.set(name, { before, bytes: operation.kind === 'put' ? operation.valueBytes : 0 })
  }
  let grown = 0
  for (const { before, bytes } of after.values()) grown += bytes - before
  return grown
}

function liveBytesOf(key: Uint8Array, space: SpaceState, view: GroupView): number {
  const version = view.key(space.spaceNo, key)?.version
  return version && !version.isDeleted ? version.valueBytes : 0
}

/**
 * It only deletes, and something that is live: always welcome. Deleting what is deleted already would let history grow
 * without end.
 */
function isRelief(own: readonly Operation[], space: SpaceState, view: GroupView): boolean {
  const isLive = ({ key }: Operation): boolean =>
    view.key(space.spaceNo, key)?.version.isDeleted === false
  return own.every(({ kind }) => kind === 'delete') && own.some(isLive)
}
