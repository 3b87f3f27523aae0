/** The end of an upload: the prepared change gets its values and is decided like any other (DESIGN §4). */
import { unpackStagedPuts } from './form/staged-puts.ts'
import { withValues } from './invoke/operations.ts'
import { type Outcome } from './plan.ts'
import { unpackPrepared } from './prepared.ts'
import { type CommitEntry } from './request.ts'

export function planCommit({ requestId, prepared, staged }: CommitEntry): Outcome {
  const { command } = unpackPrepared(prepared)
  return {
    kind: 'command',
    command: { ...withValues(command, unpackStagedPuts(staged)), requestId },
  }
}
