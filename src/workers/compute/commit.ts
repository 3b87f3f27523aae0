/** The end of an upload: the prepared put gets its value and is decided like any other put (DESIGN §4). */
import { PackedReader } from '../../protocol/packed.ts'
import { readCommand } from '../storage/command-codec.ts'
import { type ComputeContext } from './context.ts'
import { putOperation } from './invoke/mutate.ts'
import { type Outcome } from './plan.ts'
import { type CommitEntry } from './request.ts'

export function planCommit(context: ComputeContext, entry: CommitEntry): Outcome {
  const prepared = readCommand(new PackedReader(entry.prepared))
  if (prepared.kind !== 'mutate') throw new Error('only a put is prepared for an upload')
  const operations = prepared.operations.map((operation) =>
    operation.kind === 'put'
      ? putOperation(context.implicitText, operation, entry.staged)
      : operation,
  )
  return { kind: 'command', command: { ...prepared, requestId: entry.requestId, operations } }
}
