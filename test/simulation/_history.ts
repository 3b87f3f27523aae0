/** One history: lives of the node, one after the other, on the same data. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { stagingPath } from '../../src/workers/blocks/layout.ts'
import { type StorageCommand } from '../../src/workers/storage/request.ts'
import { type Random } from '../_util/random.ts'
import { NOW_S } from '../_util/storage-under-test.ts'
import { toldBy } from '../_util/storage-replies.ts'
import { checkRows, readState } from './_checks.ts'
import { CrashingStorage, type PlantedBug, type Remains } from './_crashing-storage.ts'
import { Oracle } from './_oracle.ts'
import { createWorkload, type Workload } from './_workload.ts'

export const LIVES_PER_HISTORY = 8
/** Some lives last about ten groups, some end while they start. */
const STEPS_MAX = [250, 250, 25]
/** One in so many groups, the process is closed in order; it may crash while it is. */
const GROUPS_PER_CLOSE = 30

const SECONDS_PER_GROUP_MAX = 40
const STEPS_PER_GROUP_MAX = 12
/** One in so many lives is paused for so long that another process declares it dead. */
const LIVES_PER_PAUSE = 6
/** Replay rows are kept so long after their invocation expired. */
const REPLAY_KEEP_S = 60
const ENDLESS = { crashStep: Infinity, pauseStep: Infinity }

/** A refusal for a revoked chain names CIDs that the oracle does not compose. */
const plainly = (told: string): string =>
  /^(PARENT_|ANCESTOR_|DELEGATION_)?.*REVOKED /.test(told) ? 'revoked' : told

export class History {
  readonly #random: Random
  readonly #workload: Workload
  /** What must be there. */
  #certain = new Oracle()
  /** What may be there instead, if the last group was not answered. */
  #possible: Oracle | undefined
  readonly crashes: string[] = []
  readonly #bug: PlantedBug
  /** The time of the clients, Unix seconds. */
  #trueS = NOW_S
  /** When the life under way last forgot expired invocations. */
  #purgedAtS = -Infinity

  constructor(random: Random, bug: PlantedBug = {}) {
    this.#random = random
    this.#bug = bug
    this.#workload = createWorkload(random)
  }

  /** Runs until the crash, or until it is closed. */
  async live(storage: CrashingStorage): Promise<void> {
    this.#purgedAtS = -Infinity
    if (!(await storage.start())) return
    await this.#check(storage)
    while (!storage.hasCrashed && !storage.isTakenOver) {
      this.#moveClock(storage)
      if (this.#random.below(GROUPS_PER_CLOSE) === 0) return storage.close()
      const commands = this.#workload.next(this.#trueS)
      this.#stage(storage)
      await this.#send(storage, commands)
      await storage.settle()
      await this.#tend(storage)
    }
  }

  async #send(storage: CrashingStorage, commands: readonly StorageCommand[]): Promise<void> {
    const next = new Oracle(this.#certain)
    const expected = commands.map((command) => next.apply(command))
    const isPurgeDue = Math.abs(storage.nowS - this.#purgedAtS) >= 1
    if (isPurgeDue) next.purge(storage.nowS - REPLAY_KEEP_S)
    this.#possible = next
    const { replies, isStale } = await storage.send(commands)
    if (isStale) {
      // A run that was declared dead changes nothing and answers nothing; it may still refuse.
      assert.ok(!replies?.some(({ kind }) => kind === 'answer'), 'a dead run has answered')
      this.#possible = undefined
      return
    }
    if (!replies) return
    assert.deepEqual(
      replies.map((reply) => plainly(toldBy(reply))),
      expected,
    )
    if (isPurgeDue && next.hasChanged) this.#purgedAtS = storage.nowS
    this.#certain = next
    this.#possible = undefined
  }

  /** Time passes. The clock of the node follows it, or steps forward or back, by up to a day. */
  #moveClock(storage: CrashingStorage): void {
    const passedS = this.#random.below(SECONDS_PER_GROUP_MAX)
    this.#trueS += passedS
    storage.nowS += passedS
    if (this.#random.below(10) > 0) return
    const skewS = this.#random.pick([0, 100, 86_400])
    storage.nowS = this.#trueS + this.#random.below(2 * skewS + 1) - skewS
  }

  /** Some steps of compaction between two groups. */
  async #tend(storage: CrashingStorage): Promise<void> {
    for (let step = this.#random.below(STEPS_PER_GROUP_MAX); step > 0; step--)
      if (storage.hasCrashed || !(await storage.tend())) return
  }

  #stage(storage: CrashingStorage): void {
    for (const [stagingNo, bytes] of this.#workload.staged)
      storage.disk.addFile(
        stagingPath(storage.options.blocks.path, storage.runNo, stagingNo),
        bytes,
      )
    this.#workload.staged.clear()
  }

  async #check(storage: CrashingStorage): Promise<void> {
    const everything = new Oracle(this.#possible ?? this.#certain)
    const state = await readState(storage.options, [...everything.delegations.values()])
    const possible = [this.#certain, this.#possible].filter((oracle) => oracle !== undefined)
    const described = possible.map((oracle) => oracle.describe())
    assert.ok(described.includes(state), `found\n${state}\ninstead of\n${described.join('\nor\n')}`)
    this.#certain = possible.find((oracle) => oracle.describe() === state) ?? this.#certain
    this.#possible = undefined
    checkRows(storage.options)
  }

  async run(base: string): Promise<void> {
    let left: Remains = { directory: join(base, 'd'), disk: undefined }
    for (let life = 0; life < LIVES_PER_HISTORY; life++) {
      const crashStep = this.#random.below(this.#random.pick(STEPS_MAX))
      const isPaused = this.#random.below(LIVES_PER_PAUSE) === 0
      const fate = { crashStep, pauseStep: isPaused ? this.#random.below(crashStep + 1) : Infinity }
      const storage = new CrashingStorage(left, this.#random, fate, this.#bug)
      storage.nowS = this.#trueS
      await this.live(storage)
      this.crashes.push(storage.crashedAt)
      left = await storage.bury()
    }
    const last = new CrashingStorage(left, this.#random, ENDLESS, this.#bug)
    last.nowS = this.#trueS
    assert.equal(await last.start(), true)
    await this.#check(last)
    await last.close()
  }
}
