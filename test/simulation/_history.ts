/** One history: lives of the node, one after the other, on the same data. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { stagingPath } from '../../src/workers/blocks/layout.ts'
import { type KeepRule, type StorageCommand } from '../../src/workers/storage/request.ts'
import { type Random } from '../_util/random.ts'
import { NOW_S } from '../_util/storage-under-test.ts'
import { toldBy } from '../_util/storage-replies.ts'
import { checkRows, readKept, readState } from './_checks.ts'
import { CrashingStorage, type PlantedBug, type Remains } from './_crashing-storage.ts'
import { type Keeping, type KeptValue, Oracle } from './_oracle.ts'
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
/** Each life keeps replaced values in its own way. */
const KEEP_RULES: readonly KeepRule[] = [
  { kind: 'none' },
  { kind: 'versions', versions: 1 },
  { kind: 'versions', versions: 3 },
  { kind: 'time', seconds: 60 },
  { kind: 'time', seconds: 100_000 },
]
/** More than it takes to let go of everything and to write what is left anew. */
const LAST_STEPS_MAX = 500

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
    const expected = commands.map((command) => next.apply(command, keepingOf(storage)))
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
    for (let step = this.#random.below(STEPS_PER_GROUP_MAX); step > 0; step--) {
      this.#certain.markDue(keepingOf(storage))
      if (storage.hasCrashed || !(await storage.tend())) return
    }
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
    const kept = await readKept(storage.options)
    const met = possible.find(
      (oracle) => oracle.describe() === state && isAsKept(kept, oracle.kept),
    )
    assert.ok(met, `kept\n${describeKept(kept, possible)}`)
    this.#certain = met
    this.#possible = undefined
    checkRows(storage.options)
  }

  /** In the end just that is left which the rule keeps. */
  async #reclaim(storage: CrashingStorage): Promise<void> {
    const keeping = keepingOf(storage)
    this.#certain.markDue(keeping)
    let steps = 0
    while (await storage.tend()) assert.ok(++steps < LAST_STEPS_MAX, 'tending comes to no end')
    await this.#check(storage)
    for (const [name, digests] of await readKept(storage.options)) {
      const values = this.#certain.kept.get(name) ?? []
      assert.ok(
        digests.length <= keptMost(values, keeping),
        `${digests.length} versions of ${name}`,
      )
    }
  }

  async run(base: string): Promise<void> {
    let left: Remains = { directory: join(base, 'd'), disk: undefined }
    for (let life = 0; life < LIVES_PER_HISTORY; life++) {
      const crashStep = this.#random.below(this.#random.pick(STEPS_MAX))
      const isPaused = this.#random.below(LIVES_PER_PAUSE) === 0
      const pauseStep = isPaused ? this.#random.below(crashStep + 1) : Infinity
      const fate = { crashStep, pauseStep, keepRule: this.#random.pick(KEEP_RULES) }
      const storage = new CrashingStorage(left, this.#random, fate, this.#bug)
      storage.nowS = this.#trueS
      await this.live(storage)
      this.crashes.push(storage.crashedAt)
      left = await storage.bury()
    }
    const keepRule = this.#random.pick(KEEP_RULES)
    const last = new CrashingStorage(left, this.#random, { ...ENDLESS, keepRule }, this.#bug)
    last.nowS = this.#trueS
    assert.equal(await last.start(), true)
    await this.#check(last)
    await this.#reclaim(last)
    await last.close()
  }
}

const keepingOf = ({ options, nowS }: CrashingStorage): Keeping => ({
  keepRule: options.keepRule,
  nowS,
})

/** Everything that must be there is there, in order, and nothing but what may be there. */
function isAsKept(
  found: ReadonlyMap<string, readonly string[]>,
  expected: ReadonlyMap<string, readonly KeptValue[]>,
): boolean {
  for (const name of found.keys()) if (!expected.has(name)) return false
  return [...expected].every(([name, values]) => isSelection(found.get(name) ?? [], values))
}

/** Whether `found` is what is left of `values` when some that are due are taken out. */
function isSelection(found: readonly string[], values: readonly KeptValue[]): boolean {
  /** How many of `found` may have been met by now. */
  let met = new Set([0])
  for (const { digest, isDue } of values) {
    const next = new Set(isDue ? met : [])
    for (const count of met) if (found[count] === digest) next.add(count + 1)
    met = next
  }
  return met.has(found.length)
}

/** How many of the values the rule keeps when everything else was let go. */
function keptMost(values: readonly KeptValue[], { keepRule, nowS }: Keeping): number {
  switch (keepRule.kind) {
    case 'none':
      return 0
    case 'versions':
      return keepRule.versions
    case 'time':
      return values.filter(({ replacedAtS }) => replacedAtS + keepRule.seconds > nowS).length
  }
}

const describeKept = (
  found: ReadonlyMap<string, readonly string[]>,
  possible: readonly Oracle[],
): string =>
  [
    JSON.stringify([...found], null, 1),
    ...possible.map(({ kept }) => JSON.stringify([...kept], null, 1)),
  ].join('\ninstead of\n')
