/**
 * Brings groups to their end: attempts them, says what an error means for the group and for the node, and does between
 * groups what may not delay a reply.
 */
import { type Quarantine } from '../database/quarantine.ts'
import { type RunLedger } from '../database/run-ledger.ts'
import { type Transactor } from '../database/transactor.ts'
import { type ErrorCode } from '../../protocol/error.ts'
import { StorageFault } from '../storage-fault.ts'
import { type ActiveRun } from './active-run.ts'
import { type Checkpointer } from './checkpointer.ts'
import { type Collector } from './compaction/collector.ts'
import { faultKindOf, type FaultKind } from './fault-kind.ts'
import { commitGroup, type GroupResult } from './group-commit.ts'
import { questionsOf } from './group-questions.ts'
import { type KeptSweep } from './kept/kept-sweep.ts'
import { type Log } from './log.ts'
import {
  type BlockCounters,
  type Damage,
  type KeepRule,
  type SpaceLimits,
  type StorageCommand,
  type StorageCounters,
  type StorageReply,
} from './request.ts'
import { hasRoomFor, type SpaceGuard } from './space-guard.ts'
import { stagedValues, type StagedObjects } from './staged-objects.ts'

/** Attempts at a group that another process was faster than. */
const ATTEMPTS_MAX = 3
const PURGE_INTERVAL_S = 1

export interface RunnerOptions {
  readonly transactor: Transactor
  readonly ledger: RunLedger
  readonly quarantine: Quarantine
  /** Rows that it has at the start. */
  readonly quarantined: number
  readonly checkpointer: Checkpointer
  readonly collector: Collector
  readonly keptSweep: KeptSweep
  readonly objects: StagedObjects
  readonly run: ActiveRun
  readonly spaceLimits: SpaceLimits
  readonly keepRule: KeepRule
  readonly spaceGuard: SpaceGuard
  /** Begins the run that follows one whose row ids are spent. */
  readonly beginRun: () => Promise<ActiveRun>
  /** Unix seconds with fractions. */
  readonly nowS: () => number
  readonly log: Log
  /** Writes are refused from now on. Told once. */
  readonly onUnwritable: (reason: string) => void
}

export class GroupRunner {
  readonly #options: RunnerOptions
  #run: ActiveRun
  #isUnwritable = false
  #quarantined: number
  #purgedAtS = -Infinity
  #groups = 0
  #commands = 0
  #packBytes = 0
  #syncs = 0

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#run = options.run
    this.#quarantined = options.quarantined
  }

  get counters(): Omit<StorageCounters, 'mailboxItems'> {
    return {
      groups: this.#groups,
      commands: this.#commands,
      packBytes: this.#packBytes,
      syncs: this.#syncs,
      checkpoints: this.#options.checkpointer.checkpoints,
      ...this.#blockCounters(),
      quarantined: this.#quarantined,
      freeBytes: this.#options.spaceGuard.freeBytes,
    }
  }

  #blockCounters(): BlockCounters {
    const { totals, reclaimedBytes } = this.#options.collector
    return {
      liveBytes: totals.packedValueBytes + totals.objectBytes,
      deadBytes: totals.deadPackedBytes + totals.waitingBytes,
      historyBytes: totals.historyBytes,
      reclaimedBytes,
      oldestGarbageS:
        totals.oldestDeadAtS === undefined
          ? 0
          : Math.max(0, this.#options.nowS() - totals.oldestDeadAtS),
    }
  }

  /**
   * Replies in the order of the commands; all of them are definite and may leave.
   * @throws {RunEnded} when this run was declared dead: nothing was committed
   */
  async run(commands: readonly StorageCommand[]): Promise<readonly StorageReply[]> {
    this.#options.spaceGuard.check(this.#options.nowS())
    const early = commands.map((command) => this.#findEarlyRefusal(command))
    const replies = await this.#decide(commands.filter((_, index) => early[index] === undefined))
    this.#settleObjects(commands, replies)
    const decided = replies.values()
    return commands.map((command, index) => {
      const code = early[index]
      return code ? fail(command, code) : (decided.next().value ?? fail(command, 'INTERNAL'))
    })
  }

  /** What is due after a group has been answered. */
  async tidy(): Promise<void> {
    const { checkpointer } = this.#options
    await this.#betweenGroups(async () => {
      await checkpointer.runIfDue()
      await this.#run.sealFinished()
      if (this.#run.isSpent) await this.#followRun()
    })
  }

  /** One bounded step of reclaiming what no row needs. True: there is more to do at once. */
  async tend(): Promise<boolean> {
    const { checkpointer, collector, keptSweep } = this.#options
    let isMore = false
    await this.#betweenGroups(async () => {
      const nowS = this.#options.nowS()
      const onDamage = (damage: Damage): Promise<void> => this.quarantine([damage])
      try {
        const run = this.#run
        isMore =
          (await keptSweep.step(run.runNo, nowS)) || (await collector.step({ run, nowS, onDamage }))
        // Moved rows fill the log, also while no group comes.
        await checkpointer.runIfDue()
      } catch (error) {
        if (faultKindOf(error, 'blocks') !== 'full') throw error
        await collector.retreat(nowS)
      }
    })
    return isMore
  }

  /** A full disk harms nothing here: whatever was due is due again. @throws {RunEnded} */
  async #betweenGroups(work: () => Promise<void>): Promise<void> {
    if (this.#isUnwritable) return
    try {
      await work()
    } catch (error) {
      const fault = faultKindOf(error, 'blocks')
      if (fault === 'full') this.#options.log('warn', 'storage.full', {})
      else this.#refuseWrites(error)
      if (fault === 'ended') throw error
    }
  }

  /** Reads, or commits and syncs an empty group. Undefined: it worked. */
  async probe(isWrite: boolean): Promise<ErrorCode | undefined> {
    if (this.#isUnwritable) return 'STORAGE_UNAVAILABLE'
    if (isWrite) {
      if (this.#options.spaceGuard.level !== 'enough') return 'STORAGE_FULL'
      const result = await this.#attempt([])
      if (result.kind === 'committed') return undefined
      await this.#explain([], result.fault, result.error)
      return result.fault === 'full' ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE'
    }
    const { transactor } = this.#options
    try {
      await transactor.begin(this.#run.runNo)
      await transactor.load(questionsOf([]))
      return undefined
    } catch {
      return 'STORAGE_UNAVAILABLE'
    } finally {
      await transactor.rollback()
    }
  }

  /** Writes down what was found broken, each once, and says so. */
  async quarantine(damages: readonly Damage[]): Promise<void> {
    const { quarantine, log, nowS } = this.#options
    await this.#betweenGroups(async () => {
      for (const { kind, rowId, reason } of await quarantine.add(damages, nowS())) {
        this.#quarantined += 1
        log('error', 'quarantined', { kind, rowId, reason })
      }
    })
  }

  async keepScrubPosition(position: Uint8Array): Promise<void> {
    await this.#betweenGroups(async () => this.#options.quarantine.keepScrubPosition(position))
  }

  /** Everything into the database file, the run ended, the database closed. */
  async close(): Promise<void> {
    const { transactor, checkpointer, collector, nowS } = this.#options
    if (!this.#isUnwritable) {
      try {
        await collector.abandon()
        await this.#run.end(nowS())
        await checkpointer.finish()
      } catch (error) {
        this.#refuseWrites(error)
      }
    }
    collector.close()
    await transactor.close()
  }

  /** What is refused before any work is done for it. */
  #findEarlyRefusal(command: StorageCommand): ErrorCode | undefined {
    if (!hasRoomFor(command, this.#options.spaceGuard.level)) return 'STORAGE_FULL'
    return this.#isStaged(command) ? undefined : 'INTERNAL'
  }

  /** A staged value whose file is not there whole was lost by this node, not by the client. */
  #isStaged(command: StorageCommand): boolean {
    return stagedValues(command).every(({ stagingNo, valueBytes }) => {
      if (this.#options.objects.isStaged(stagingNo, valueBytes)) return true
      this.#options.log('error', 'staged.missing', { stagingNo, valueBytes })
      return false
    })
  }

  async #decide(commands: readonly StorageCommand[]): Promise<readonly StorageReply[]> {
    if (commands.length === 0) return []
    if (this.#isUnwritable) return failAll(commands, 'STORAGE_UNAVAILABLE')
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(commands)
      if (result.kind === 'committed') return result.replies
      if (result.fault !== 'conflict' || attempt === ATTEMPTS_MAX)
        return this.#explain(commands, result.fault, result.error)
    }
  }

  async #attempt(commands: readonly StorageCommand[]): Promise<GroupResult> {
    const { transactor, objects, spaceLimits, keepRule } = this.#options
    const nowS = this.#options.nowS()
    const isPurgeDue = Math.abs(nowS - this.#purgedAtS) >= PURGE_INTERVAL_S
    const run = this.#run
    const context = { transactor, run, objects, spaceLimits, keepRule, nowS, isPurgeDue }
    const result = await commitGroup(commands, context)
    if (result.kind === 'committed' && result.packBytes !== undefined) {
      if (isPurgeDue) this.#purgedAtS = nowS
      this.#groups += 1
      this.#commands += commands.length
      this.#packBytes += result.packBytes
      // One of the pack, one of the log.
      this.#syncs += 2
    }
    return result
  }

  /** What a failed group is told. One command never fails the others: after an odd error each is tried alone. */
  async #explain(
    commands: readonly StorageCommand[],
    fault: FaultKind,
    error: unknown,
  ): Promise<readonly StorageReply[]> {
    if (fault === 'ended' || fault === 'broken') this.#refuseWrites(error)
    if (fault === 'ended') throw error
    if (fault === 'broken') return failAll(commands, 'STORAGE_UNAVAILABLE')
    this.#options.log('warn', 'group.failed', {
      fault,
      commands: commands.length,
      reason: reasonOf(error),
    })
    if (fault === 'full') return failAll(commands, 'STORAGE_FULL')
    if (fault === 'busy') return failAll(commands, 'NODE_BUSY')
    const [command] = commands
    if (command && commands.length === 1) {
      if (error instanceof StorageFault && error.damage) await this.quarantine([error.damage])
      return [fail(command, codeOf(error))]
    }
    const replies: StorageReply[] = []
    for (const alone of commands) replies.push(...(await this.#decide([alone])))
    return replies
  }

  /** Files of large values follow the fate of their command, before the next group. */
  #settleObjects(commands: readonly StorageCommand[], replies: readonly StorageReply[]): void {
    const { objects } = this.#options
    const accepted = new Set(
      replies.filter(({ kind }) => kind === 'answer').map(({ requestId }) => requestId),
    )
    for (const command of commands) {
      if (stagedValues(command).length === 0) continue
      if (accepted.has(command.requestId)) objects.keep(command)
      // A commit whose outcome nobody knows may name the file: then it stays, and a start decides.
      else if (!this.#isUnwritable) this.#drop(command)
    }
  }

  #drop(command: StorageCommand): void {
    try {
      this.#options.objects.drop(command)
    } catch (error) {
      this.#refuseWrites(error)
    }
  }

  async #followRun(): Promise<void> {
    const spent = this.#run
    // Packs under way belong to the run that ends.
    await this.#options.collector.abandon()
    this.#run = await this.#options.beginRun()
    await spent.end(this.#options.nowS())
  }

  #refuseWrites(error: unknown): void {
    if (this.#isUnwritable) return
    this.#isUnwritable = true
    this.#options.onUnwritable(reasonOf(error))
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

const codeOf = (error: unknown): ErrorCode =>
  error instanceof StorageFault ? error.code : 'INTERNAL'

const fail = ({ requestId }: StorageCommand, code: ErrorCode): StorageReply => ({
  requestId,
  kind: 'failure',
  failure: { code, detail: '' },
})

const failAll = (commands: readonly StorageCommand[], code: ErrorCode): StorageReply[] =>
  commands.map((command) => fail(command, code))
