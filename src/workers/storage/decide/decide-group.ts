/**
 * Decides a group in arrival order, and plans what the accepted commands write. Pure: everything that it knows is in
 * the view, and everything that it does is in the plan.
 */
import { type Answer } from '../../../protocol/answer.ts'
import { delegateAnswer, mutateAnswer, revokeAnswer, signAnswer } from '../answers.ts'
import { type GroupPlan } from '../group-plan.ts'
import { type GroupView } from '../group-view.ts'
import {
  type AliasCommand,
  type DelegateCommand,
  type MutateCommand,
  type RevokeCommand,
  type SignCommand,
  type SpaceLimits,
  type StorageCommand,
  type StorageReply,
} from '../request.ts'
import { decideAlias } from './alias.ts'
import { decideDelegate } from './delegate.ts'
import { type Decision } from './decision.ts'
import { decideMutate } from './mutate.ts'
import { decideRevoke } from './revoke.ts'
import { decideSign } from './sign.ts'

export interface DecidingContext {
  readonly view: GroupView
  readonly plan: GroupPlan
  readonly nowS: number
  readonly spaceLimits: SpaceLimits
}

/** Replies in the order of the commands; they may leave once the plan is committed. */
export function decideGroup(
  commands: readonly StorageCommand[],
  context: DecidingContext,
): StorageReply[] {
  return commands.map((command): StorageReply => {
    const { requestId } = command
    const decision = decide(command, context)
    return decision.kind === 'accept'
      ? { requestId, kind: 'answer', answer: decision.outcome }
      : { requestId, kind: 'failure', failure: decision.failure }
  })
}

function decide(command: StorageCommand, context: DecidingContext): Decision<Answer> {
  if (command.kind === 'mutate') return mutate(command, context)
  if (command.kind === 'delegate') return delegate(command, context)
  if (command.kind === 'alias') return alias(command, context)
  if (command.kind === 'sign') return sign(command, context)
  return revoke(command, context)
}

function mutate(
  command: MutateCommand,
  { view, plan, nowS, spaceLimits }: DecidingContext,
): Decision<Answer> {
  const decision = decideMutate(command, view, nowS, spaceLimits)
  if (decision.kind === 'refuse') return decision
  const version = plan.addMutation(command)
  return { kind: 'accept', outcome: mutateAnswer(command, decision.outcome, version) }
}

function delegate(
  command: DelegateCommand,
  { view, plan, spaceLimits }: DecidingContext,
): Decision<Answer> {
  const decision = decideDelegate(command, view, spaceLimits)
  if (decision.kind === 'refuse') return decision
  const { outcome } = decision
  if (outcome.kind === 'new') plan.addDelegation(command, outcome.closure)
  else plan.addAlias(command.digest, outcome.delegationNo)
  return { kind: 'accept', outcome: delegateAnswer(command, view) }
}

function alias(command: AliasCommand, { view, plan }: DecidingContext): Decision<Answer> {
  const decision = decideAlias(command, view)
  if (decision.kind === 'refuse') return decision
  plan.addAlias(command.digest, decision.outcome.delegationNo)
  return { kind: 'accept', outcome: delegateAnswer(command, view) }
}

function revoke(command: RevokeCommand, { view, plan, nowS }: DecidingContext): Decision<Answer> {
  const decision = decideRevoke(command, view, nowS)
  if (decision.kind === 'refuse') return decision
  if (decision.outcome.isNew) plan.addRevocation(command)
  return { kind: 'accept', outcome: revokeAnswer(command) }
}

function sign(command: SignCommand, { view, plan, nowS }: DecidingContext): Decision<Answer> {
  const decision = decideSign(command, view, nowS)
  if (decision.kind === 'refuse') return decision
  plan.addTicket(command)
  return { kind: 'accept', outcome: signAnswer(command) }
}
