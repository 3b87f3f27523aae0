/** The kill loop: load, SIGKILL at a random moment, restart, check everything that was acknowledged; again. */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Account, openAccount, openConnections } from '../client.ts'
import {
  createDirectory,
  killWhileStarting,
  type NodeProcess,
  type NodeProcessOptions,
  removeDirectory,
  startNodeProcess,
} from '../node-process.ts'
import { createRandom, type Random } from '../random.ts'
import { Journal } from './journal.ts'
import { type LaneKeys, runLane } from './load.ts'
import { runVerifyProcess } from '../verify-process.ts'
import { verifyJournal } from './verify.ts'

/** Of `node`: packs are small and compaction never rests. */
export const RESTLESS_OPTIONS: readonly string[] = [
  '--import',
  new URL('restless-limits.ts', import.meta.url).href,
]
const LANES = 24
const ACCOUNTS = 6
const KEYS_PER_LANE = 6
const LARGE_KEYS_PER_LANE = 1
const SHARED_KEYS = 12
/** The kill comes up to this long after the load began. */
const LOAD_MS_MAX = 1200
/** Every so often the restart is killed as well, at most this long after its spawn. */
const START_KILL_SHARE = 0.25
const START_KILL_MS_MAX = 600
/** Older delegations are forgotten by the load, so that the checks stay short; they were checked many times. */
const SHARES_MAX = 400

export interface KillLoopOptions {
  readonly seed: number
  readonly kills: number
  readonly computeWorkers?: number
  /** More `TINYCLOUD_…` variables. */
  readonly environment?: Readonly<Record<string, string>>
  /** Packs are small and compaction never rests: kills meet it at work. */
  readonly isRestless?: boolean
  /** `tinycloud verify` after every so many restarts; undefined: never. Its time grows with the history. */
  readonly verifyEvery?: number
  /** Called after each round, for progress in long runs. */
  readonly onRound?: (round: { kills: number; checked: number; losses: number }) => void
}

export interface KillLoopReport {
  readonly kills: number
  readonly startKills: number
  /** Acknowledged puts, deletes, delegations and revocations, each checked after the kill that followed. */
  readonly checkedCount: number
  /** Runs of `tinycloud verify`; one that is not clean is a loss. */
  readonly verifications: number
  /** Jobs of compaction that were begun; a kill ended some of them. */
  readonly compactions: number
  readonly losses: readonly string[]
  /** Answers that no correct node gives under this load. */
  readonly problems: readonly string[]
}

interface Loop {
  readonly process: NodeProcessOptions
  readonly journal: Journal
  readonly accounts: readonly Account[]
  readonly lanes: readonly LaneKeys[]
  readonly random: Random
}

export function trackKeys(
  journal: Journal,
  accounts: readonly Account[],
  random: Random,
  laneCount: number,
): LaneKeys[] {
  const track = (name: string): ReturnType<Journal['track']> =>
    journal.track(random.pick(accounts), name)
  const shared = Array.from({ length: SHARED_KEYS }, (_, index) => track(`shared/${index}`))
  return Array.from({ length: laneCount }, (_lane, lane) => ({
    own: Array.from({ length: KEYS_PER_LANE }, (_, index) => track(`lane-${lane}/${index}`)),
    ownLarge: Array.from({ length: LARGE_KEYS_PER_LANE }, (_, index) =>
      track(`large-${lane}/${index}`),
    ),
    shared,
  }))
}

async function loadAndKill(loop: Loop, node: NodeProcess): Promise<void> {
  const { journal, accounts, lanes, random } = loop
  const connections = openConnections(node.url, LANES)
  let isStopped = false
  const context = { connections, journal, random, accounts, isStopped: () => isStopped }
  const running = lanes.map((keys) => runLane(context, keys))
  await sleep(random.below(LOAD_MS_MAX))
  isStopped = true
  await node.kill()
  await Promise.all(running)
  await connections.close()
}

async function verify(loop: Loop, node: NodeProcess): ReturnType<typeof verifyJournal> {
  const connections = openConnections(node.url, LANES)
  const verification = await verifyJournal(connections, loop.journal, loop.accounts)
  await connections.close()
  const { shares } = loop.journal
  shares.splice(0, Math.max(0, shares.length - SHARES_MAX))
  return verification
}

const countCompactions = (node: NodeProcess): number =>
  node.output().split(' compaction.begun ').length - 1

/** Files of uploads that no start cleaned away. */
async function listStaging(directory: string): Promise<string[]> {
  const staging = path.join(directory, 'data/blocks/staging')
  const entries = await readdir(staging, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => `staging/${name}`)
}

export async function runKillLoop(options: KillLoopOptions): Promise<KillLoopReport> {
  const { seed, kills, isRestless = false, verifyEvery = Infinity, onRound, ...given } = options
  const directory = await createDirectory('kill-loop')
  const process = {
    ...given,
    directory,
    ...(isRestless && { nodeOptions: RESTLESS_OPTIONS }),
  }
  const random = createRandom(seed)
  const losses: string[] = []
  let startKills = 0
  let checkedCount = 0
  let verifications = 0
  let compactions = 0

  let node = await startNodeProcess(process)
  const connections = openConnections(node.url, ACCOUNTS)
  const accounts = await Promise.all(
    Array.from({ length: ACCOUNTS }, () => openAccount(connections)),
  )
  await connections.close()
  const journal = new Journal()
  const lanes = trackKeys(journal, accounts, random, LANES)
  const loop = { process, journal, accounts, lanes, random }

  for (let kill = 1; kill <= kills; kill++) {
    await loadAndKill(loop, node)
    compactions += countCompactions(node)
    while (random.next() < START_KILL_SHARE) {
      await killWhileStarting(process, random.below(START_KILL_MS_MAX))
      startKills++
    }
    node = await startNodeProcess(process)
    const verification = await verify(loop, node)
    if (kill % verifyEvery === 0) {
      const { exitCode, output } = await runVerifyProcess(directory)
      if (exitCode !== 0) losses.push(`after kill ${kill}: verify: exit ${exitCode}\n${output}`)
      verifications++
    }
    checkedCount += verification.checkedCount
    losses.push(...verification.losses.map((loss) => `after kill ${kill}: ${loss}`))
    onRound?.({ kills: kill, checked: checkedCount, losses: losses.length })
  }
  const { code } = await node.stop()
  const { problems } = journal
  if (code !== 0) problems.push(`SIGTERM: exit ${code}`)
  for (const name of await listStaging(directory)) problems.push(`left over: ${name}`)
  if (losses.length === 0) await removeDirectory(directory)
  return { kills, startKills, checkedCount, verifications, compactions, losses, problems }
}
