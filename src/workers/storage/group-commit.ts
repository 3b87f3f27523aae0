/**
 * One attempt at one group: load, decide, blocks, rows, commit (DESIGN §4). On SQLite all of it is one transaction,
 * which only this process can hold.
 *
 * Blocks are on stable storage before the rows that name them are committed, and rows are before anybody is answered:
 * a crash may leave bytes that no row names, never a row that names missing bytes.
 */
import { type PackFile } from '../blocks/packs/pack-file.ts'
import { type Transactor } from '../database/transactor.ts'
import { type ActiveRun } from './active-run.ts'
import { decideGroup } from './decide/decide-group.ts'
import { type FaultKind, faultKindOf, type GroupStep } from './fault-kind.ts'
import { GroupPlan } from './group-plan.ts'
import { questionsOf } from './group-questions.ts'
import { GroupView } from './group-view.ts'
import { keptQuestions, KeptView } from './kept/kept-view.ts'
import {
  type KeepRule,
  type SpaceLimits,
  type StorageCommand,
  type StorageReply,
} from './request.ts'
import { type StagedObjects } from './staged-objects.ts'

/** Replay rows are kept this long after their invocation expired: more than clocks differ. */
const REPLAY_KEEP_S = 60
/** Tickets of signed URLs are kept so much longer, for a client that comes late to be told why. */
const TICKET_KEEP_S = 600

export interface GroupContext {
  readonly transactor: Transactor
  readonly run: ActiveRun
  readonly objects: StagedObjects
  readonly spaceLimits: SpaceLimits
  readonly keepRule: KeepRule
  readonly nowS: number
  /** It is time to remove expired replay rows. */
  readonly isPurgeDue: boolean
}

export type GroupResult =
  | {
      readonly kind: 'committed'
      readonly replies: readonly StorageReply[]
      /** Bytes appended to the pack; undefined: nothing was accepted, and nothing was written. */
      readonly packBytes: number | undefined
    }
  | { readonly kind: 'failed'; readonly fault: FaultKind; readonly error: unknown }

/** Never throws: an error says in which step it was met, and so what it means. */
export async function commitGroup(
  commands: readonly StorageCommand[],
  context: GroupContext,
): Promise<GroupResult> {
  const attempt = new GroupAttempt(commands, context)
  try {
    return await attempt.run()
  } catch (error) {
    return attempt.fail(error)
  }
}

class GroupAttempt {
  readonly #commands: readonly StorageCommand[]
  readonly #context: GroupContext
  #step: GroupStep = 'blocks'
  /** Makes the commit known to the run; set once there may be one. */
  #settle: (() => GroupResult) | undefined
  #groupNo = 0

  constructor(commands: readonly StorageCommand[], context: GroupContext) {
    this.#commands = commands
    this.#context = context
  }

  async run(): Promise<GroupResult> {
    const { transactor, run, nowS, spaceLimits, keepRule } = this.#context
    // A pack is a row before it is a file, in a transaction of its own: so before that of the group.
    const pack = await run.openPack()
    this.#step = 'load'
    await transactor.begin(run.runNo)
    const rule = keepRule.kind === 'none' ? undefined : keepRule
    const asked = questionsOf(this.#commands)
    const questions = rule ? keptQuestions(asked, this.#commands, rule) : asked
    const facts = await transactor.load(questions)
    const view = new GroupView(questions, facts)
    const kept = rule && new KeptView({ questions, facts, rule, nowS })

    this.#step = 'decide'
    const plan = this.#createPlan(view, pack, kept)
    const replies = decideGroup(this.#commands, { view, plan, nowS, spaceLimits })
    if (this.#commands.length > 0 && plan.isEmpty) {
      await transactor.rollback()
      return { kind: 'committed', replies, packBytes: undefined }
    }
    return this.#write(plan, pack, replies)
  }

  async fail(error: unknown): Promise<GroupResult> {
    const { transactor, run } = this.#context
    const step = this.#step
    const fault = faultKindOf(error, step)
    try {
      await transactor.rollback()
      if (fault === 'unknown') return await this.#resolve(error)
    } catch {
      return { kind: 'failed', fault: 'broken', error }
    }
    if (step === 'blocks' && fault === 'full') run.abandonPack()
    return { kind: 'failed', fault, error }
  }

  /** The row of the run tells, on a new connection, whether a commit happened that was not confirmed. */
  async #resolve(error: unknown): Promise<GroupResult> {
    const { transactor, run } = this.#context
    const committedNo = await transactor.readCommittedGroup(run.runNo)
    if (this.#settle && committedNo === this.#groupNo) return this.#settle()
    return { kind: 'failed', fault: 'other', error }
  }

  #createPlan(view: GroupView, pack: PackFile, kept: KeptView | undefined): GroupPlan {
    const { run, objects, nowS } = this.#context
    return new GroupPlan(view, {
      ids: run.ids,
      objectNumbers: objects,
      packNo: pack.packNo,
      packOffset: pack.committedBytes,
      kept,
      nowS,
    })
  }

  async #write(
    plan: GroupPlan,
    pack: PackFile,
    replies: readonly StorageReply[],
  ): Promise<GroupResult> {
    const { transactor, run, objects, nowS, isPurgeDue } = this.#context
    this.#step = 'blocks'
    objects.adopt(plan.keys.adoptions)
    pack.append(plan.layout.sections)

    this.#step = 'rows'
    const progress = run.progressWith(plan, pack)
    const purge = { replaysToS: nowS - REPLAY_KEEP_S, ticketsToS: nowS - TICKET_KEEP_S }
    await transactor.apply(plan.finish(progress, isPurgeDue ? purge : undefined))

    this.#step = 'commit'
    const settle = (): GroupResult => {
      run.commit(progress, plan, pack)
      return { kind: 'committed', replies, packBytes: plan.layout.lengthBytes }
    }
    this.#groupNo = progress.groupNo
    this.#settle = settle
    await transactor.commit()
    return settle()
  }
}
