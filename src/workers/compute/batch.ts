/**
 * One batch through a compute worker: parse and verify each entry, read for all of them in one snapshot, complete each.
 * A fault in one entry fails that entry only; results come back in the order of the entries.
 */
import { type Failure } from '../../protocol/answer.ts'
import { ProtocolError } from '../../protocol/error.ts'
import { OpenInquiry } from '../../protocol/inquiry.ts'
import { PackedWriter } from '../../protocol/packed.ts'
import { type ReadFacts } from '../database/facts.ts'
import { StorageFault } from '../storage-fault.ts'
import { writeCommand } from '../storage/command-codec.ts'
import { type Damage } from '../storage/request.ts'
import { type ComputeContext } from './context.ts'
import { planCommit } from './commit.ts'
import { planDelegate } from './delegate.ts'
import { planQuery } from './delegations/query.ts'
import { planStatus } from './delegations/status.ts'
import { planInvoke } from './invoke/plan-invoke.ts'
import { planOpen } from './open/plan-open.ts'
import { type Outcome, type Plan, readOnce } from './plan.ts'
import {
  type BatchResult,
  type Entry,
  readEntries,
  type Result,
  type Route,
  type TokenEntry,
  writeResult,
} from './request.ts'
import { planRevoke } from './revoke.ts'
import { planSign } from './signed-url/plan-sign.ts'

/** What an error comes to, for the plan that it struck. */
type Failed = (error: unknown, plan?: Plan) => Outcome

interface Ended {
  readonly requestId: number
  readonly outcome: Outcome
}

type Settled = { entry: Entry; outcome: Outcome } | { entry: Entry; plan: Plan }

const PLANS: Readonly<
  Record<Route, (context: ComputeContext, entry: TokenEntry) => Plan | Outcome>
> = {
  delegate: planDelegate,
  invoke: planInvoke,
  revoke: planRevoke,
  status: planStatus,
  query: planQuery,
  sign: planSign,
}

function planEntry(context: ComputeContext, entry: Entry): Plan | Outcome {
  if (entry.kind === 'commit') return planCommit(entry)
  if (entry.kind === 'open') return planOpen(context, entry)
  return PLANS[entry.route](context, entry)
}

/** Turns what went wrong with one entry into its failure. Faults that are ours are kept for the log. */
function toFailure(
  error: unknown,
  plan: Plan | undefined,
  { faults, damages }: { readonly faults: string[]; readonly damages: Damage[] },
): Failure {
  if (error instanceof ProtocolError) return { code: error.code, detail: error.detail }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  faults.push(text)
  if (!(error instanceof StorageFault)) return { code: 'INTERNAL', detail: '' }
  if (error.damage) damages.push(error.damage)
  const isOut = error.code === 'STORAGE_UNAVAILABLE'
  return { code: (isOut ? plan?.unavailable : undefined) ?? error.code, detail: '' }
}

/** Runs the task `batch`. Owned by the caller: both returned buffers are exact and may be transferred. */
export async function runBatch(context: ComputeContext, batch: ArrayBuffer): Promise<BatchResult> {
  const startedMs = performance.now()
  const faults: string[] = []
  const damages: Damage[] = []
  const failed: Failed = (error, plan) =>
    error instanceof OpenInquiry
      ? { kind: 'inquiry', inquiry: error.inquiry }
      : { kind: 'failure', failure: toFailure(error, plan, { faults, damages }) }

  const settled: Settled[] = []
  for (const entry of readEntries(batch)) {
    try {
      const planned = planEntry(context, entry)
      settled.push('kind' in planned ? { entry, outcome: planned } : { entry, plan: planned })
    } catch (error) {
      settled.push({ entry, outcome: failed(error) })
    }
  }

  const facts = await readAll(context, settled, failed)
  const ended: Ended[] = []
  for (const [index, item] of settled.entries()) {
    const outcome =
      'outcome' in item ? item.outcome : await completed(context, item.plan, facts[index], failed)
    ended.push({ requestId: item.entry.requestId, outcome })
  }
  return {
    ...packEnded(ended),
    counters: { entries: settled.length, busyMs: performance.now() - startedMs },
    faults,
    damages,
  }
}

/** Used within one turn only: a batch is written and taken at once. */
const resultWriter = new PackedWriter()
const commandWriter = new PackedWriter()

/** Commands go to storage as they are; main reads the results. */
function packEnded(ended: readonly Ended[]): Pick<BatchResult, 'results' | 'commands'> {
  resultWriter.clear()
  commandWriter.clear()
  for (const { requestId, outcome } of ended) {
    if (outcome.kind === 'command') {
      writeCommand(commandWriter, outcome.command)
      writeResult(resultWriter, { requestId, kind: 'command' })
    } else {
      writeResult(resultWriter, { requestId, ...outcome } satisfies Result)
    }
  }
  const commands = commandWriter.length > 0 ? commandWriter.take() : undefined
  return { results: resultWriter.take(), commands }
}

/**
 * Facts by position in `settled`. A row that cannot be read spoils the snapshot of all; then each entry reads alone, so
 * that only those that want the broken row fail.
 */
async function readAll(
  context: ComputeContext,
  settled: Settled[],
  failed: Failed,
): Promise<(ReadFacts | undefined)[]> {
  const facts: (ReadFacts | undefined)[] = settled.map(() => undefined)
  const waiting: { index: number; entry: Entry; plan: Plan }[] = []
  for (const [index, item] of settled.entries())
    if ('plan' in item) waiting.push({ index, ...item })
  if (waiting.length === 0) return facts
  try {
    const answered = context.database.read(waiting.map(({ plan }) => plan.read))
    const rows = answered instanceof Promise ? await answered : answered
    for (const [position, { index }] of waiting.entries()) facts[index] = rows[position]
  } catch {
    for (const { index, entry, plan } of waiting) {
      try {
        facts[index] = await readOnce(context.database, plan.read)
      } catch (error) {
        settled[index] = { entry, outcome: failed(error, plan) }
      }
    }
  }
  return facts
}

async function completed(
  context: ComputeContext,
  plan: Plan,
  facts: ReadFacts | undefined,
  failed: Failed,
): Promise<Outcome> {
  try {
    if (!facts) throw new Error('the reader answered fewer requests than it was asked')
    try {
      return await plan.complete(facts)
    } catch (error) {
      if (!(error instanceof StorageFault) || error.code !== 'VALUE_MISSING') throw error
      // What a row named was moved or replaced since it was read: a fresh one names what is there (DESIGN §4).
      return await plan.complete(await readOnce(context.database, plan.read))
    }
  } catch (error) {
    return failed(error, plan)
  }
}
