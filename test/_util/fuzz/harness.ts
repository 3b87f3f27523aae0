/**
 * Fuzzing: structured inputs from fast-check, findings of earlier runs first, and a clock beside every execution.
 *
 * `TINYCLOUD_FUZZ_RUNS` is the number of inputs per target, `TINYCLOUD_TEST_SEED` repeats a run. Inputs come in rounds
 * with a seed of their own, so that a long run lets other work in, and a failure names the one round to repeat.
 */
import { setImmediate as otherWork } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { chooseSeed, countFromEnvironment } from '../random.ts'
import { keptInputs } from './kept.ts'

const RUNS_DEFAULT = 2000
const RUNS_PER_ROUND = 1000
/** A round takes a second at most; what takes this long does not end. */
const ROUND_TIMEOUT_MS = 120_000
/** Generated inputs have some 10 KB at most. Anything slower on one of them is a way to stop the node. */
const EXECUTION_MS_MAX = 50
/** A pause of the machine is no finding: only what is slow each time. */
const SLOW_REPEATS = 5
const MS_PER_RUN_MAX = 50
const TAKEN_SHARE_MIN = 0.02

export const FUZZ_RUNS: number = countFromEnvironment('TINYCLOUD_FUZZ_RUNS', RUNS_DEFAULT)
export const FUZZ_SEED: number = chooseSeed()

export interface FuzzTarget<T> {
  readonly name: string
  /** For a target whose single run is dear. */
  readonly runsMax?: number
  readonly inputs: fc.Arbitrary<T>
  /** Throws when the input shows a defect. True: the input was taken, and not refused. */
  readonly check: (input: T) => boolean
  /** The input of a kept finding, from its JSON. */
  readonly revive: (kept: unknown) => T
  /** The JSON of an input, to be kept. */
  readonly keep: (input: T) => unknown
}

interface Tally {
  taken: number
  executions: number
  slowestMs: number
  spentMs: number
}

/** Defines the tests of one target, and prints how much it has seen. */
export function describeFuzz<T>(target: FuzzTarget<T>): void {
  describe(`fuzz ${target.name}`, () => {
    const wantedRuns = Math.min(FUZZ_RUNS, target.runsMax ?? FUZZ_RUNS)
    const tally: Tally = { taken: 0, executions: 0, slowestMs: 0, spentMs: 0 }
    const kept = keptInputs(target.name)

    it.each(kept)('still holds: $finding', ({ input }) => {
      expect(target.check(target.revive(input))).toBeTypeOf('boolean')
    })

    it(
      'holds for generated inputs',
      async () => {
        for (let round = 0; tally.executions < wantedRuns; round++) {
          const runs = Math.min(RUNS_PER_ROUND, wantedRuns - tally.executions)
          runRound(target, tally, { runs, seed: (FUZZ_SEED + round) | 0 })
          await otherWork()
        }
        expect(tally.executions).toBeGreaterThanOrEqual(wantedRuns)
        // Inputs that are all refused at the door show nothing of what is behind it.
        expect(tally.taken).toBeGreaterThan(tally.executions * TAKEN_SHARE_MIN)
      },
      60_000 + wantedRuns * MS_PER_RUN_MAX,
    )

    afterAll(() => {
      const { executions, taken, spentMs, slowestMs } = tally
      const seconds = (spentMs / 1000).toFixed(1)
      console.log(
        `fuzz ${target.name}: ${executions} executions, ${taken} taken, ${seconds} s, slowest ${slowestMs.toFixed(1)} ms, ` +
          `seed ${FUZZ_SEED}, ${kept.length} findings kept`,
      )
    })
  })
}

function runRound<T>(
  target: FuzzTarget<T>,
  tally: Tally,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): void {
  let latest: { readonly input: T } | undefined
  const property = fc.property(target.inputs, (input) => {
    latest = { input }
    tally.executions++
    const { tookMs, isTaken } = runOnce(target, input)
    tally.slowestMs = Math.max(tally.slowestMs, tookMs)
    if (isTaken) tally.taken++
  })
  const startedMs = performance.now()
  const outcome = withDeadline(() => fc.check(property, { numRuns: runs, seed }), ROUND_TIMEOUT_MS)
  tally.spentMs += performance.now() - startedMs
  if (outcome === 'late') throw findingOf(target, seed, latest?.input, 'does not end')
  if (!outcome.failed) return
  const [input] = outcome.counterexample ?? []
  throw findingOf(target, seed, input, outcome.errorInstance)
}

/** Processor time that this process has had. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

interface Execution {
  readonly tookMs: number
  readonly isTaken: boolean
}

/** @throws when the check throws, or is slow however often it is tried */
function runOnce<T>({ check }: FuzzTarget<T>, input: T): Execution {
  let tookMs = Infinity
  for (let attempt = 0; attempt <= SLOW_REPEATS; attempt++) {
    const startedMs = performance.now()
    const startedCpuMs = cpuMs()
    const isTaken = check(input)
    // Time that the machine gave to others is not the parser's.
    const spentMs = Math.min(performance.now() - startedMs, cpuMs() - startedCpuMs)
    tookMs = Math.min(tookMs, spentMs)
    if (tookMs <= EXECUTION_MS_MAX) return { tookMs, isTaken }
  }
  throw new Error(`takes ${tookMs.toFixed(0)} ms`)
}

/** Interrupts what does not end: an endless loop, or a regular expression that backtracks for ever. */
export function withDeadline<R>(run: () => R, timeoutMs: number): R | 'late' {
  let result: R | 'late' = 'late'
  const keepResult = (): void => {
    result = run()
  }
  try {
    runInNewContext('run()', { run: keepResult }, { timeout: timeoutMs })
  } catch (error) {
    // It is an error of the other context.
    const isTimeout = isObject(error) && error['code'] === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
    if (!isTimeout) throw error
  }
  return result
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

function findingOf<T>(
  target: FuzzTarget<T>,
  seed: number,
  input: T | undefined,
  cause: unknown,
): Error {
  const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  const shown = input === undefined ? 'none' : JSON.stringify(target.keep(input))
  return new Error(`${target.name}, seed ${seed}: ${reason}\ninput: ${shown}`, { cause })
}

const asIs = (value: unknown): unknown => value

/** A target whose inputs are texts. */
export const describeTextFuzz = (target: Omit<FuzzTarget<string>, 'revive' | 'keep'>): void =>
  describeFuzz({ ...target, revive: String, keep: asIs })

/** A target whose inputs are bytes; kept in hexadecimal. */
export const describeBytesFuzz = (target: Omit<FuzzTarget<Uint8Array>, 'revive' | 'keep'>): void =>
  describeFuzz({
    ...target,
    revive: (kept) => new Uint8Array(Buffer.from(String(kept), 'hex')),
    keep: (input) => Buffer.from(input).toString('hex'),
  })

/** A target whose inputs are made of JSON values. */
export const describeValueFuzz = <T>(target: Omit<FuzzTarget<T>, 'revive' | 'keep'>): void =>
  describeFuzz({ ...target, revive: (kept) => JSON.parse(JSON.stringify(kept)), keep: asIs })

/** A target whose inputs hold what JSON does not. Its findings are kept as tests of their own; a seed repeats them. */
export const describeUnkeptFuzz = <T>(target: Omit<FuzzTarget<T>, 'revive' | 'keep'>): void =>
  describeFuzz({
    ...target,
    revive: () => {
      throw new Error(`inputs of ${target.name} cannot be kept`)
    },
    keep: (input) => fc.stringify(input),
  })
