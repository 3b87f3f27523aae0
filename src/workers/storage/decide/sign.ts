/** Decides a signed URL: whoever asks for it must have its right still. Asking again makes another URL. */
import { type GroupView } from '../group-view.ts'
import { type SignCommand } from '../request.ts'
import { type Decision } from './decision.ts'
import { refuseStanding } from './standing.ts'

/** Rule: SIGNED-2. */
export const decideSign = (command: SignCommand, view: GroupView, nowS: number): Decision =>
  refuseStanding(command, view, nowS) ?? { kind: 'accept', outcome: undefined }
