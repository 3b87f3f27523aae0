import { Bench } from 'tinybench'
import { createDirectory, removeDirectory } from '../../test/_util/node-process.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { cryptoTasks } from '../micro/crypto.ts'
import { encodingTasks } from '../micro/encoding.ts'
import { openStorageTasks } from '../micro/storage.ts'
import { type MicroTask } from '../micro/task.ts'
import { openThreadHop } from '../micro/thread-hop.ts'
import { type Figure, type Question } from '../question.ts'

const TASK_MS = 500
const TASK_MS_QUICK = 40
/** Slow ones must not decide after one call. */
const RUNS_MIN = 5
const MICROSECONDS_PER_MS = 1000

interface MicroFigure {
  readonly name: string
  readonly runs: number
  /** Of one thing that the name says, µs. */
  readonly p50Us: number
  readonly p99Us: number
  readonly leastUs: number
}

async function measureTask(task: MicroTask, settings: BenchSettings): Promise<MicroFigure> {
  const timeMs = settings.isQuick ? TASK_MS_QUICK : TASK_MS
  const bench = new Bench({
    time: timeMs,
    iterations: RUNS_MIN,
    warmupTime: timeMs / 4,
    warmupIterations: RUNS_MIN,
    retainSamples: true,
    throws: true,
  })
  bench.add(task.name, task.run, task.prepare ? { beforeEach: task.prepare } : {})
  const [measured] = await bench.run()
  if (!measured?.result || !('latency' in measured.result))
    throw new Error(`${task.name} gave no figures`)
  const { latency } = measured.result
  const toUs = (ms: number): number => (ms * MICROSECONDS_PER_MS) / (task.perRun ?? 1)
  return {
    name: task.name,
    runs: latency.samplesCount,
    p50Us: toUs(latency.p50),
    p99Us: toUs(latency.p99),
    leastUs: toUs(latency.min),
  }
}

const describe = ({ name, runs, p50Us, p99Us, leastUs }: MicroFigure): Figure => ({
  label: name,
  unit: 'µs',
  node: { median: p50Us, least: leastUs, most: p99Us },
  remarks: [`p99 ${p99Us.toFixed(2)} µs, ${runs} runs`],
})

/** In this process, one at a time, without HTTP: what the parts cost, not what a request costs. */
export const micro: Question = {
  name: 'micro',
  asks: 'What do the parts of a request cost, on each backend?',
  async answer(settings) {
    const directory = await createDirectory('bench-micro')
    const storage = await openStorageTasks(directory)
    const hop = await openThreadHop()
    try {
      const figures: MicroFigure[] = []
      for (const task of [...cryptoTasks(), ...encodingTasks(), ...storage.tasks, ...hop.tasks])
        figures.push(await measureTask(task, settings))
      return { figures: figures.map(describe), data: figures }
    } finally {
      await hop.close?.()
      await storage.close?.()
      await removeDirectory(directory)
    }
  },
}
