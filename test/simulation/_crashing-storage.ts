/** A storage actor that crashes at a chosen step, and the directory that its successor finds. */
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Directories } from '../../src/workers/blocks/directories.ts'
import { type FileSystem } from '../../src/workers/blocks/file-system.ts'
import { type Database, openDatabase } from '../../src/workers/database/open-database.ts'
import {
  type DatabaseOptions,
  type KeepRule,
  readReplies,
  type StorageCommand,
  type StorageOptions,
  type StorageReply,
} from '../../src/workers/storage/request.ts'
import { cleanUpRuns } from '../../src/workers/storage/run-clean-up.ts'
import { type RunningStorage, startStorage } from '../../src/workers/storage/start-storage.ts'
import { type Random } from '../_util/random.ts'
import { SimulatedDisk } from '../_util/simulated-disk.ts'
import { packCommands } from '../_util/storage-commands.ts'
import { NOW_S, storageOptions } from '../_util/storage-under-test.ts'

/** A pack is full, and a run spent, after some groups. */
const LIMITS = { packBytesTarget: 6000, rowIdsMax: 80 }

/** Packs are written anew after some groups, and merged after some lives. */
const COMPACTION = { deadShareMax: 0.2, deadBytesMin: 2000, smallPackBytes: 2000, smallPacksMax: 3 }

/** Calls before which a process may be paused: it holds no transaction then, which another one would wait for. */
const PAUSES: ReadonlySet<string> = new Set([
  'database.begin',
  'ledger.addPack',
  'ledger.sealOwnPack',
  'ledger.deletePack',
  'packs.readNeeds',
  'packs.moveRows',
  'packs.buryPacks',
  'kept.letGoUntil',
  'kept.letGoBeyond',
])

/** The process is gone: nobody hears what its remains still say. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** What a process leaves behind: its directory, and what the disk has really kept. */
export interface Remains {
  readonly directory: string
  /** Undefined: nothing is there yet. */
  readonly disk: SimulatedDisk | undefined
  /**
   * The database without the last commit, whose log is there but was never synced: what a power loss leaves until that
   * log is checkpointed. A later sync of the log does not help, for a disk that failed may call lost pages clean.
   */
  readonly unsynced?: string | undefined
}

/** What a faulty node does otherwise. The product has no switch for any of it. */
export interface PlantedBug {
  readonly files?: (files: FileSystem) => FileSystem
  readonly openDatabase?: (options: DatabaseOptions) => Database
}

/** Replies of a group; undefined: the process was gone before they left. */
export interface Heard {
  readonly replies: StorageReply[] | undefined
  /** The run had been declared dead by then. */
  readonly isStale: boolean
}

export interface Fate {
  /** Steps are the calls to disk and database, each before and after it is done: it crashes at the step of that number. */
  readonly crashStep: number
  /** From this step on, the process is paused as soon as it holds no transaction, and another one takes over. */
  readonly pauseStep: number
  /** How long this life keeps replaced values. */
  readonly keepRule: KeepRule
}

export class CrashingStorage {
  readonly options: StorageOptions
  readonly disk: SimulatedDisk
  readonly #random: Random
  readonly #directory: string
  readonly #bug: PlantedBug
  readonly #fate: Fate
  #storage: RunningStorage | undefined
  #steps = 0
  #remains: Remains | undefined
  #unsynced: string | undefined
  #isTakenOver = false
  #waiting: { count: number; resolve: (heard: Heard) => void } | undefined
  /** The process is gone, or met a fault that it does not survive. */
  readonly #end = Promise.withResolvers<void>()
  #replies: StorageReply[] = []
  /** Unix seconds. */
  nowS = NOW_S
  /** Where in the steps it crashed, for the message of a failed run. */
  crashedAt = ''

  constructor(remains: Remains, random: Random, fate: Fate, bug: PlantedBug = {}) {
    const { directory, disk, unsynced } = remains
    this.#directory = directory
    this.#random = random
    this.#fate = fate
    this.#bug = bug
    this.#unsynced = unsynced
    this.options = storageOptions(directory, { keepRule: fate.keepRule })
    // Not every life waits for its end.
    this.#end.promise.catch(() => undefined)
    mkdirSync(this.options.blocks.path, { recursive: true })
    this.disk = disk ?? new SimulatedDisk(this.options.blocks.path)
  }

  get hasCrashed(): boolean {
    return this.#remains !== undefined
  }

  /** Another process has declared its run dead. */
  get isTakenOver(): boolean {
    return this.#isTakenOver
  }

  get runNo(): number {
    return this.#storage?.run.runNo ?? 0
  }

  /** False: it crashed. */
  async start(): Promise<boolean> {
    try {
      this.#storage = await startStorage(this.options, {
        files: this.#watch('disk', this.#bug.files?.(this.disk.files) ?? this.disk.files),
        openDatabase: (options) => {
          const open = this.#bug.openDatabase ?? openDatabase
          const { transactor, ledger, packs, kept, quarantine } = open(options)
          if (this.#logBytes() === 0) this.#unsynced = undefined
          return {
            transactor: this.#watch('database', transactor),
            ledger: this.#watch('ledger', ledger),
            packs: this.#watch('packs', packs),
            kept: this.#watch('kept', kept),
            quarantine,
          }
        },
        limits: LIMITS,
        compaction: COMPACTION,
        nowS: () => this.nowS,
        die: (error) => {
          if (this.hasCrashed || this.#isTakenOver) this.#end.resolve()
          else this.#end.reject(error)
        },
        post: (event) => {
          if (event.kind === 'replies' && !this.hasCrashed) this.#hear(readReplies(event.batch))
        },
      })
      return true
    } catch (error) {
      if (this.hasCrashed) return false
      throw error
    }
  }

  send(commands: readonly StorageCommand[]): Promise<Heard> {
    const heard = new Promise<Heard>((resolve) => {
      this.#replies = []
      this.#waiting = { count: commands.length, resolve }
      this.#storage?.actor.submit(packCommands(commands))
    })
    const nothing = this.#end.promise.then(() => ({
      replies: undefined,
      isStale: this.#isTakenOver,
    }))
    return Promise.race([heard, nothing])
  }

  /** Until everything that a group brings with it is done, or the process is gone. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** One step of reclaiming what no row needs. False: there is nothing more to do at once, or it crashed. */
  async tend(): Promise<boolean> {
    const nothing = this.#end.promise.then(() => false)
    return Promise.race([this.#storage?.actor.tend() ?? false, nothing])
  }

  /** In order, or as far as it gets. */
  async close(): Promise<void> {
    await Promise.race([this.#storage?.close(), this.#end.promise])
  }

  /** What the next process finds. The remains of a crashed one are put away. */
  async bury(): Promise<Remains> {
    // It wakes up, finds that its run is over, and lets go; it may even crash while it does.
    if (this.#isTakenOver || this.#remains) await this.#storage?.close()
    this.disk.closeAll()
    if (!this.#remains)
      return { directory: this.#directory, disk: this.disk, unsynced: this.#unsynced }
    rmSync(this.#directory, { recursive: true })
    return this.#remains
  }

  #hear(replies: StorageReply[]): void {
    this.#replies.push(...replies)
    if (this.#replies.length === this.#waiting?.count)
      this.#waiting.resolve({ replies: this.#replies, isStale: this.#isTakenOver })
  }

  #watch<T extends object>(what: string, target: T): T {
    return new Proxy(target, {
      get: (_, property) => {
        const member: unknown = Reflect.get(target, property)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          // The database goes on until it is closed: what was not committed by then is not in the copy.
          if (this.hasCrashed && property !== 'close' && property !== 'rollback') throw new Crash()
          const name = `${what}.${String(property)}`
          const call = (): unknown => {
            const logBytes = what === 'disk' ? undefined : this.#logBytes()
            const result: unknown = Reflect.apply(member, target, args)
            this.#step(`after ${name}`, logBytes)
            return result
          }
          this.#step(`before ${name}`)
          return this.#isPauseDue(name) ? this.#takeOver().then(call) : call()
        }
      },
    })
  }

  #isPauseDue(name: string): boolean {
    if (this.#isTakenOver || !this.#storage || this.#steps < this.#fate.pauseStep) return false
    return PAUSES.has(name)
  }

  /** Another process starts on the same data while this one does not move: it ends the run and puts its files in order. */
  async #takeOver(): Promise<void> {
    const { transactor, ledger } = openDatabase(this.options.database)
    const root = this.options.blocks.path
    const { files } = this.disk
    const directories = new Directories(files, root)
    await cleanUpRuns({ ledger, files, directories, root, nowS: this.nowS, log: () => undefined })
    await ledger.beginRun(randomUUID(), this.nowS)
    await transactor.close()
    this.#isTakenOver = true
  }

  #step(name: string, logBytesBefore?: number): void {
    if (this.hasCrashed || this.#steps++ < this.#fate.crashStep) return
    this.crashedAt = name
    this.#remains = this.#fall(logBytesBefore)
    this.#end.resolve()
    throw new Crash(name)
  }

  /**
   * Copies what a crash leaves. The log of a commit that just happened may be torn, or be there without having been
   * synced: its answer has not left.
   */
  #fall(logBytesBefore: number | undefined): Remains {
    const directory = `${this.#directory}-`
    const isPowerLost = this.#random.below(2) === 0
    const disk = this.disk.crash(join(directory, 'blocks'), this.#random, isPowerLost)
    const database = this.options.database.path
    if (isPowerLost) {
      copyDatabase(this.#unsynced ?? database, join(directory, 'caps.db'))
      if (logBytesBefore !== undefined && this.#unsynced === undefined)
        this.#tearLog(join(directory, 'caps.db-wal'), logBytesBefore)
      return { directory, disk }
    }
    copyDatabase(database, join(directory, 'caps.db'))
    let unsynced = this.#unsynced
    if (logBytesBefore !== undefined && unsynced === undefined && this.#random.below(2) === 0) {
      unsynced = `${directory}unsynced.db`
      copyDatabase(database, unsynced)
      truncateLog(unsynced, logBytesBefore)
    }
    return { directory, disk, unsynced }
  }

  #tearLog(path: string, logBytesBefore: number): void {
    const logBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (logBytes <= logBytesBefore) return
    truncateSync(path, logBytesBefore + this.#random.below(logBytes - logBytesBefore + 1))
  }

  #logBytes(): number {
    return statSync(`${this.options.database.path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }
}

/** The shared memory file is left out, as after a crash it is built anew. Nobody needs the locks that this drops. */
function copyDatabase(from: string, to: string): void {
  for (const suffix of ['', '-wal'])
    if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix)
    else rmSync(to + suffix, { force: true })
}

function truncateLog(database: string, logBytes: number): void {
  const path = `${database}-wal`
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > logBytes)
    truncateSync(path, logBytes)
}
