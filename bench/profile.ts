/**
 * Where does the time of a request go? Runs the node with a CPU profile per thread under one load, and prints the
 * self time of each thread by file and by function, in microseconds per request. A thread that waits inside a system
 * call (fdatasync) counts as busy.
 *
 *     node bench/profile.ts [--mode put] [--connections 64] [--spaces 1] [--bytes 1024] [--seconds 10]
 *                           [--workers N] [--rows 25] [--keep DIRECTORY]
 */
import { cp, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createDirectory, removeDirectory, startNodeProcess } from '../test/_util/node-process.ts'
import { readProfiles, type SelfTime } from './cpu-profile.ts'
import { LOAD_MODES, runLoad } from './load.ts'

const { values } = parseArgs({
  options: {
    mode: { type: 'string', default: 'put' },
    connections: { type: 'string', default: '64' },
    spaces: { type: 'string', default: '1' },
    bytes: { type: 'string', default: '1024' },
    seconds: { type: 'string', default: '10' },
    workers: { type: 'string' },
    rows: { type: 'string', default: '25' },
    keep: { type: 'string' },
  },
})
const mode = LOAD_MODES.find((name) => name === values.mode)
if (mode === undefined) throw new Error(`--mode is ${LOAD_MODES.join(', ')}`)

const directory = await createDirectory('profile')
const profiles = path.join(directory, 'profiles')
await mkdir(profiles)
const node = await startNodeProcess({
  directory,
  nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${profiles}`],
  ...(values.workers === undefined ? {} : { computeWorkers: Number(values.workers) }),
})
const monotonicUs = (): number => Number(process.hrtime.bigint() / 1000n)
const fromUs = monotonicUs()
const report = await runLoad(
  {
    mode,
    connections: Number(values.connections),
    spaces: Number(values.spaces),
    valueBytes: Number(values.bytes),
    depth: 1,
  },
  { url: node.url, seconds: Number(values.seconds), directory },
)
const toUs = monotonicUs()
await node.stop()
const threads = await readProfiles(profiles, { fromUs, toUs })
if (values.keep !== undefined) await cp(profiles, values.keep, { recursive: true })
await removeDirectory(directory)

/** The load's preparation and warm-up are in the profile too: a few per cent on top of what a request costs. */
const perRequest = (selfUs: number): string => (selfUs / report.requests).toFixed(1).padStart(8)
const print = (rows: readonly SelfTime[]): void => {
  for (const { name, selfUs } of rows.slice(0, Number(values.rows)))
    process.stdout.write(`${perRequest(selfUs)}  ${name}\n`)
}

process.stdout.write(
  `${mode}, ${values.connections} connections: ${report.requests} requests, ${report.requestsPerSecond}/s\n`,
)
for (const { thread, busyUs, files, functions } of threads) {
  process.stdout.write(`\n${thread}: ${perRequest(busyUs).trim()} µs per request, by file\n`)
  print(files)
  process.stdout.write(`${thread}: by function\n`)
  print(functions)
}
