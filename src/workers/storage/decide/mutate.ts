/**
 * Decides an invocation that puts or deletes: all of its operations or none.
 *
 * Order: revocation, time window of the chain, hosting, replay, precondition, keys, room (reference-behaviour §2.9, §3).
 * Authority comes before the replay check and before anything that tells what is stored; a refused invocation is not
 * used up (DESIGN §7.3).
 * Rule: INV-9, COND-1, COND-2, COND-4, KV-5.
 */
import { equalBytes, parseUtf8 } from '../../../protocol/bytes.ts'
import { type GroupView } from '../group-view.ts'
import { type MutateCommand, type Operation, type SpaceLimits } from '../request.ts'
import { type Decision, refuse } from './decision.ts'
import { refuseMutation } from './quota.ts'
import { refuseStanding } from './standing.ts'

/** What is told of one changed key. */
export interface MutateOutcome {
  /** Of the value written, or of the live value that was deleted; undefined: several operations, or nothing was live. */
  readonly etagDigest: Uint8Array | undefined
}

export function decideMutate(
  command: MutateCommand,
  view: GroupView,
  nowS: number,
  limits: SpaceLimits,
): Decision<MutateOutcome> {
  const refused = refuseStanding(command, view, nowS)
  if (refused) return refused
  // Replay rows up to the bound are gone: nobody can say that this is the first use.
  if (command.expiresAtS <= view.replayBoundS) return refuse('INVOCATION_TIME')
  if (view.isReplayed(command.expiresAtS, command.statementId))
    return refuse('DUPLICATE_INVOCATION')
  const decision = decideOperations(command, view)
  if (decision.kind === 'refuse') return decision
  return refuseMutation(command, view, limits) ?? decision
}

function decideOperations(command: MutateCommand, view: GroupView): Decision<MutateOutcome> {
  const { operations, precondition, spaces } = command
  let etagDigest: Uint8Array | undefined
  for (const [index, operation] of operations.entries()) {
    const live = liveDigest(view, spaces, operation)
    if (precondition.kind === 'absent' && live) return refuse('PRECONDITION_FAILED')
    if (precondition.kind === 'matches' && (!live || !equalBytes(live, precondition.digest)))
      return refuse('PRECONDITION_FAILED')
    if (operation.kind === 'delete' && !isWritten(command, view, index))
      return refuse('NO_SUCH_KEY', parseUtf8(operation.key))
    etagDigest = operation.kind === 'put' ? operation.digest : live
  }
  return {
    kind: 'accept',
    outcome: { etagDigest: operations.length === 1 ? etagDigest : undefined },
  }
}

function liveDigest(
  view: GroupView,
  spaces: readonly string[],
  { spaceIndex, key }: Operation,
): Uint8Array | undefined {
  const space = view.hosted(spaces[spaceIndex] ?? '')
  const version = space && view.key(space.spaceNo, key)?.version
  return version && !version.isDeleted ? version.digest : undefined
}

/** The key has a version, or gets one from an earlier operation of the same command. */
function isWritten({ operations, spaces }: MutateCommand, view: GroupView, index: number): boolean {
  const operation = operations[index]
  if (!operation) return false
  const space = view.hosted(spaces[operation.spaceIndex] ?? '')
  if (space && view.key(space.spaceNo, operation.key)) return true
  return operations
    .slice(0, index)
    .some(
      (earlier) =>
        earlier.spaceIndex === operation.spaceIndex && equalBytes(earlier.key, operation.key),
    )
}
