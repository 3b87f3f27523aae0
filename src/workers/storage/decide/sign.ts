/**
 * Decides a signed URL: whoever asks for it must have its right still, and its space must have a place for its ticket.
 * Asking again makes another URL.
 */
import { SIGNED_URLS_PER_SPACE_MAX } from '../../../protocol/limits.ts'
import { type GroupView } from '../group-view.ts'
import { type SignCommand } from '../request.ts'
import { type Decision, refuse } from './decision.ts'
import { refuseStanding } from './standing.ts'

/** Rule: SIGNED-2, SIGNED-8. */
export function decideSign(command: SignCommand, view: GroupView, nowS: number): Decision {
  const refused = refuseStanding(command, view, nowS)
  if (refused) return refused
  const space = view.hosted(command.spaces[command.spaceIndex] ?? '')
  if (space && view.tickets(space.spaceNo) >= SIGNED_URLS_PER_SPACE_MAX)
    return refuse('SIGNED_URLS_FULL')
  return { kind: 'accept', outcome: undefined }
}
