/**
 * Starts the storage actor in the order in which nothing can be lost: lock → open, migrate, checkpoint → end earlier
 * runs and put their files in order → a new run with a new pack (DESIGN §4, §9). Only then may a port open.
 */
import { randomUUID } from 'node:crypto'
import { dirname } from 'node:path'
import { equalBytes } from '../../protocol/bytes.ts'
import { Directories } from '../blocks/directories.ts'
import { type FileSystem, isNoSpace, NODE_FILE_SYSTEM } from '../blocks/file-system.ts'
import { ObjectFiles } from '../blocks/objects/object-files.ts'
import { type Database, openDatabase } from '../database/open-database.ts'
import { openProcessLock } from '../database/sqlite/process-lock.ts'
import { ActiveRun, RUN_LIMITS, type RunLimits } from './active-run.ts'
import { StorageActor } from './actor.ts'
import { CHECKPOINT_LIMITS, Checkpointer, type CheckpointLimits } from './checkpointer.ts'
import { Collector } from './compaction/collector.ts'
import { COMPACTION_LIMITS, type CompactionLimits } from './compaction/limits.ts'
import { GroupRunner } from './group-runner.ts'
import { KeptSweep } from './kept/kept-sweep.ts'
import { type Log } from './log.ts'
import { GROUP_LIMITS, type GroupLimits } from './mailbox.ts'
import { StartFault, type RunInfo, type StorageEvent, type StorageOptions } from './request.ts'
import { cleanUpRuns } from './run-clean-up.ts'
import { SpaceGuard } from './space-guard.ts'
import { StagedObjects } from './staged-objects.ts'

/** What the actor gets from its surroundings. Tests put faults in, the bench other limits. */
export interface StorageSurroundings {
  /** Buffers of the event are given away. */
  readonly post: (event: StorageEvent) => void
  /** A bug, or the end of the run by somebody else: the process must not go on. */
  readonly die: (error: unknown) => void
  /** Unix seconds with fractions. */
  readonly nowS: () => number
  readonly files?: FileSystem
  readonly openDatabase?: (options: StorageOptions['database']) => Database
  readonly limits?: RunLimits
  readonly compaction?: CompactionLimits
  readonly groups?: GroupLimits
  readonly checkpoints?: CheckpointLimits
}

export interface RunningStorage {
  readonly actor: StorageActor
  readonly run: RunInfo
  readonly spaceGuard: SpaceGuard
  /** Ends everything in order and releases the lock. */
  close(): Promise<void>
}

/** @throws {StartFault} says what, why and what to do */
export async function startStorage(
  options: StorageOptions,
  surroundings: StorageSurroundings,
): Promise<RunningStorage> {
  const lock = openProcessLock([dirname(options.database.path), options.blocks.path])
  let database: Database | undefined
  try {
    database = (surroundings.openDatabase ?? openDatabase)(options.database)
    await assertSecret(database, options.secretFingerprint)
    const { actor, run, spaceGuard } = await beginWork(options, surroundings, database)
    const close = async (): Promise<void> => {
      await actor.close()
      lock.close()
    }
    return { actor, run, spaceGuard, close }
  } catch (error) {
    await database?.transactor.close()
    lock.close()
    throw error instanceof StartFault ? error : blocksFault(error, options.blocks.path)
  }
}

/** Another secret would silently change every host DID (DESIGN §9). */
async function assertSecret({ ledger }: Database, fingerprint: Uint8Array): Promise<void> {
  if (equalBytes(await ledger.claimSecret(fingerprint), fingerprint)) return
  throw new StartFault({
    what: 'The node secret is not the one of this database',
    why: 'the database keeps a fingerprint of the secret that it was made with, and every host DID depends on it',
    remedy: 'Set keys.secret to the secret of this node, or restore its secret file.',
  })
}

async function beginWork(
  options: StorageOptions,
  surroundings: StorageSurroundings,
  { transactor, ledger, packs, kept, quarantine }: Database,
): Promise<Pick<RunningStorage, 'actor' | 'run' | 'spaceGuard'>> {
  const { post, die, nowS, files = NODE_FILE_SYSTEM, limits = RUN_LIMITS } = surroundings
  const root = options.blocks.path
  const directories = new Directories(files, root)
  directories.ensure(root)
  const log: Log = (level, event, fields) => {
    post({ kind: 'log', level, event, fields })
  }
  await cleanUpRuns({ ledger, files, directories, root, nowS: nowS(), log })

  const runId = randomUUID()
  const runNo = await ledger.beginRun(runId, nowS())
  const objectFiles = new ObjectFiles({ files, directories, root, stagingRunNo: runNo })
  objectFiles.emptyStaging()
  objectFiles.prepareStaging()
  const objects = new StagedObjects(objectFiles, runNo)
  const runOptions = { ledger, files, directories, root, limits, log }
  const run = new ActiveRun(runNo, runOptions)
  await openFirstPack(run, log)

  const spaceGuard = new SpaceGuard({
    files,
    paths: [dirname(options.database.path), root],
    reserveBytes: options.reserveBytes,
    onChange: (level, freeBytes) => {
      post({ kind: 'room', level, freeBytes })
    },
  })
  spaceGuard.check(nowS())
  const runner = new GroupRunner({
    transactor,
    ledger,
    quarantine,
    quarantined: await quarantine.count(),
    checkpointer: new Checkpointer(transactor, surroundings.checkpoints ?? CHECKPOINT_LIMITS),
    collector: new Collector({
      ...runOptions,
      packs,
      objectFiles,
      limits: surroundings.compaction ?? COMPACTION_LIMITS,
      packBytesTarget: limits.packBytesTarget,
    }),
    keptSweep: await KeptSweep.open(kept, options.keepRule),
    objects,
    run,
    spaceLimits: options.spaceLimits,
    keepRule: options.keepRule,
    spaceGuard,
    beginRun: async () => {
      const nextNo = await ledger.beginRun(randomUUID(), nowS())
      objects.beginRun(nextNo)
      return new ActiveRun(nextNo, runOptions)
    },
    nowS,
    log,
    onUnwritable: (reason) => {
      post({ kind: 'unwritable', reason })
    },
  })
  const groups = surroundings.groups ?? GROUP_LIMITS
  return {
    actor: new StorageActor({ runner, groups, post, die }),
    run: { runNo, runId },
    spaceGuard,
  }
}

/** Early, so that a directory that cannot be written is a fault of the start. A full disk still serves reads. */
async function openFirstPack(run: ActiveRun, log: Log): Promise<void> {
  try {
    await run.openPack()
  } catch (error) {
    if (!isNoSpace(error)) throw error
    log('warn', 'storage.full', {})
  }
}

const blocksFault = (cause: unknown, path: string): StartFault =>
  new StartFault(
    {
      what: `The blocks directory ${path} cannot be used`,
      why: cause instanceof Error ? cause.message : String(cause),
      remedy:
        'Make sure that it exists, that this user may write to it, and that its disk is healthy.',
    },
    { cause },
  )
