/**
 * Preloaded into every thread of a profiled node (`node --import`): how late its event loop runs, and how long its
 * garbage collections take. Each thread appends a JSON line per sample to a file in `BENCH_OBSERVATIONS`; nothing waits
 * for its end, because a pool ends its threads without asking them.
 */
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { threadId } from 'node:worker_threads'

/** Of the timer by which the delay is measured. */
const RESOLUTION_MS = 5
const SAMPLE_MS = 100
const NANOSECONDS_PER_MS = 1e6

export interface Observation {
  /** Of the sample's end, on the machine's monotonic clock. */
  readonly atUs: number
  readonly delayMeanMs: number
  readonly delayMaxMs: number
  /** Spent in garbage collection since the sample before. */
  readonly collectedMs: number
}

// The histogram counts whole intervals between timers; a loop that is on time has the resolution.
const lateMs = (nanoseconds: number): number =>
  Math.max(0, nanoseconds / NANOSECONDS_PER_MS - RESOLUTION_MS)

const directory = process.env['BENCH_OBSERVATIONS']
if (directory !== undefined) {
  const file = path.join(directory, `observed-${threadId}.jsonl`)
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  let collectedMs = 0
  const observer = new PerformanceObserver((entries) => {
    for (const { duration } of entries.getEntries()) collectedMs += duration
  })
  observer.observe({ entryTypes: ['gc'] })
  setInterval(() => {
    const observation: Observation = {
      atUs: Number(process.hrtime.bigint() / 1000n),
      delayMeanMs: Number.isFinite(histogram.mean) ? lateMs(histogram.mean) : 0,
      delayMaxMs: lateMs(histogram.max),
      collectedMs,
    }
    appendFileSync(file, `${JSON.stringify(observation)}\n`)
    histogram.reset()
    collectedMs = 0
  }, SAMPLE_MS).unref()
}
