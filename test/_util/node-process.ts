/**
 * The real program as a child process on a directory of its own: start, watch, stop, kill.
 *
 * Used by the tests that need a process (acceptance, races, kill loop, sync order) and by the bench. It knows the
 * program by its command line and its environment only.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROJECT_ROOT } from './paths.ts'

/** From spawn to the first healthy answer. */
const READY_TIMEOUT_MS = 30_000
const READY_POLL_MS = 10
/** The program gives itself 10 s (DESIGN §6); what takes longer hangs. */
const STOP_TIMEOUT_MS = 15_000
const START_ATTEMPTS_MAX = 3
/** Of the program's output, the last part is kept for messages. */
const OUTPUT_CHARS_MAX = 64 * 1024

export interface NodeProcessOptions {
  /** Working and data directory. It must exist; the caller removes it. */
  readonly directory: string
  /** Threads of the compute pool; undefined: the program's default. */
  readonly computeWorkers?: number
  /** More `TINYCLOUD_…` variables. */
  readonly environment?: Readonly<Record<string, string>>
  /** What stands before `node`, e.g. a tracer. It must become the program (`strace -D`), so that signals reach it. */
  readonly wrapper?: readonly string[]
  /** Options of `node` itself. */
  readonly nodeOptions?: readonly string[]
  /** Root of another copy of the project. */
  readonly projectRoot?: string
  /** Runs what `npm run build` made, not the sources. */
  readonly isBuilt?: boolean
}

export interface ExitStatus {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface NodeProcess {
  readonly url: string
  readonly pid: number
  readonly exited: Promise<ExitStatus>
  /** The last part of what it printed. */
  output(): string
  /** SIGTERM, then waits for the end. */
  stop(): Promise<ExitStatus>
  /** SIGKILL, then waits for the end. */
  kill(): Promise<ExitStatus>
}

/** A child that was spawned and may still be starting. */
interface Child {
  readonly process: ChildProcess
  readonly exited: Promise<ExitStatus>
  readonly url: string
  output(): string
}

export async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

function environmentOf(options: NodeProcessOptions, port: number): Record<string, string> {
  const { PATH, HOME } = process.env
  return {
    ...(PATH === undefined ? {} : { PATH }),
    ...(HOME === undefined ? {} : { HOME }),
    TINYCLOUD_ADDRESS: '127.0.0.1',
    TINYCLOUD_PORT: String(port),
    TINYCLOUD_STORAGE_DATADIR: path.join(options.directory, 'data'),
    ...(options.computeWorkers === undefined
      ? {}
      : { TINYCLOUD_COMPUTE_WORKERS: String(options.computeWorkers) }),
    ...options.environment,
  }
}

async function spawnChild(options: NodeProcessOptions): Promise<Child> {
  const port = await findFreePort()
  const entry = path.join(
    options.projectRoot ?? PROJECT_ROOT,
    options.isBuilt === true ? 'dist/main/index.js' : 'src/main/index.ts',
  )
  const program = [...(options.nodeOptions ?? []), entry]
  const [wrapper, ...wrapperArguments] = options.wrapper ?? []
  const [command, commandArguments] =
    wrapper === undefined
      ? [process.execPath, program]
      : [wrapper, [...wrapperArguments, process.execPath, ...program]]
  const child = spawn(command, commandArguments, {
    cwd: options.directory,
    env: environmentOf(options, port),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const keep = (part: Buffer): void => {
    text = (text + part.toString('utf8')).slice(-OUTPUT_CHARS_MAX)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('error', (error) => {
      keep(Buffer.from(String(error)))
      resolve({ code: -1, signal: null })
    })
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  return { process: child, exited, url: `http://127.0.0.1:${port}`, output: () => text }
}

const isHealthy = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    async (response) => {
      await response.arrayBuffer()
      return response.ok
    },
    () => false,
  )

/** `ready`, or how the child ended before it was. */
async function awaitReady(child: Child): Promise<'ready' | ExitStatus> {
  let ended: ExitStatus | undefined
  void child.exited.then((status) => (ended = status))
  const deadlineMs = performance.now() + READY_TIMEOUT_MS
  for (;;) {
    if (ended !== undefined) return ended
    if (await isHealthy(child.url)) return 'ready'
    if (performance.now() > deadlineMs) {
      child.process.kill('SIGKILL')
      throw new Error(`the node was not ready within ${READY_TIMEOUT_MS} ms:\n${child.output()}`)
    }
    await sleep(READY_POLL_MS)
  }
}

async function endWith(child: Child, signal: NodeJS.Signals): Promise<ExitStatus> {
  child.process.kill(signal)
  const timeout = new AbortController()
  const late = sleep(STOP_TIMEOUT_MS, 'late' as const, { signal: timeout.signal }).catch(
    () => 'late' as const,
  )
  const first = await Promise.race([child.exited, late])
  timeout.abort()
  if (first !== 'late') return first
  child.process.kill('SIGKILL')
  throw new Error(
    `the node did not end within ${STOP_TIMEOUT_MS} ms of ${signal}:\n${child.output()}`,
  )
}

/**
 * Starts the program and waits until it is healthy. A port that somebody took meanwhile costs another attempt.
 * @throws {Error} with the program's output when it ends before it is healthy
 */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  for (let attempt = 1; ; attempt++) {
    const child = await spawnChild(options)
    const outcome = await awaitReady(child)
    if (outcome !== 'ready') {
      if (attempt < START_ATTEMPTS_MAX && /EADDRINUSE|in use/.test(child.output())) continue
      const how = `code ${outcome.code}, signal ${outcome.signal}`
      throw new Error(`the node ended before it was ready (${how}):\n${child.output()}`)
    }
    return {
      url: child.url,
      pid: child.process.pid ?? 0,
      exited: child.exited,
      output: () => child.output(),
      stop: () => endWith(child, 'SIGTERM'),
      kill: () => endWith(child, 'SIGKILL'),
    }
  }
}

/** Spawns the program and kills it after `delayMs`, wherever its start has got by then. */
export async function killWhileStarting(
  options: NodeProcessOptions,
  delayMs: number,
): Promise<void> {
  const child = await spawnChild(options)
  await Promise.race([sleep(delayMs), child.exited])
  await endWith(child, 'SIGKILL')
}

/** A directory of its own on a real disk: `TINYCLOUD_TEST_DIR`, else the system's directory for temporary files. */
export async function createDirectory(name: string): Promise<string> {
  return mkdtemp(path.join(process.env['TINYCLOUD_TEST_DIR'] ?? tmpdir(), `tinycloud-${name}-`))
}

export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
}
