/** One history: lives of the node, one after the other, on the same data. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { stagingPath } from '../../src/workers/blocks/layout.ts'
import { type StorageCommand } from '../../src/workers/storage/request.ts'
import { type Random } from '../_util/random.ts'
import { toldBy } from '../_util/storage-replies.ts'
import { checkRows, readState } from './_checks.ts'
import { CrashingStorage, type Remains } from './_crashing-storage.ts'
import { Oracle } from './_oracle.ts'
import { createWorkload, type Workload } from './_workload.ts'

export const LIVES_PER_HISTORY = 8
/** Some lives last about ten groups, some end while they start. */
const STEPS_MAX = [250, 250, 25]
/** One in so many groups, the process is closed in order; it may crash while it is. */
const GROUPS_PER_CLOSE = 30

const SECONDS_PER_GROUP_MAX = 40
const STEPS_PER_GROUP_MAX = 12

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

  constructor(random: Random) {
    this.#random = random
    this.#workload = createWorkload(random)
  }

  /** Runs until the crash, or until it is closed. */
  async live(storage: CrashingStorage): Promise<void> {
    if (!(await storage.start())) return
    await this.#check(storage)
    while (!storage.hasCrashed) {
      if (this.#random.below(GROUPS_PER_CLOSE) === 0) return storage.close()
      const commands = this.#workload.next()
      this.#stage(storage)
      await this.#send(storage, commands)
      await storage.settle()
      await this.#tend(storage)
    }
  }

  async #send(storage: CrashingStorage, commands: readonly StorageCommand[]): Promise<void> {
    const next = new Oracle(this.#certain)
    const expected = commands.map((command) => next.apply(command))
    this.#possible = next
    const replies = await storage.send(commands)
    if (!replies) return
    assert.deepEqual(
      replies.map((reply) => plainly(toldBy(reply))),
      expected,
    )
    this.#certain = next
    this.#possible = undefined
  }

  /** Some steps of compaction between two groups. */
  async #tend(storage: CrashingStorage): Promise<void> {
    storage.nowS += this.#random.below(SECONDS_PER_GROUP_MAX)
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
      const steps = this.#random.below(this.#random.pick(STEPS_MAX))
      const storage = new CrashingStorage(left, this.#random, steps)
      await this.live(storage)
      this.crashes.push(storage.crashedAt)
      left = await storage.bury()
    }
    const last = new CrashingStorage(left, this.#random, Infinity)
    assert.equal(await last.start(), true)
    await this.#check(last)
    await last.close()
  }
}
