/** A storage actor that crashes at a chosen step, and the directory that its successor finds. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '../../src/workers/database/open-database.ts'
import {
  readReplies,
  type StorageCommand,
  type StorageOptions,
  type StorageReply,
} from '../../src/workers/storage/request.ts'
import { type RunningStorage, startStorage } from '../../src/workers/storage/start-storage.ts'
import { type Random } from '../_util/random.ts'
import { SimulatedDisk } from '../_util/simulated-disk.ts'
import { packCommands } from '../_util/storage-commands.ts'
import { NOW_S, storageOptions } from '../_util/storage-under-test.ts'

/** A pack is full, and a run spent, after some groups. */
const LIMITS = { packBytesTarget: 6000, rowIdsMax: 80 }

/** Packs are written anew after some groups, and merged after some lives. */
const COMPACTION = { deadShareMax: 0.2, deadBytesMin: 2000, smallPackBytes: 2000, smallPacksMax: 3 }

/** The process is gone: nobody hears what its remains still say. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** What a process leaves behind: its directory, and what the disk has really kept. */
export interface Remains {
  readonly directory: string
  /** Undefined: nothing is there yet. */
  readonly disk: SimulatedDisk | undefined
}

export class CrashingStorage {
  readonly options: StorageOptions
  readonly disk: SimulatedDisk
  readonly #random: Random
  readonly #directory: string
  #storage: RunningStorage | undefined
  #stepsLeft: number
  #remains: Remains | undefined
  #waiting: { count: number; resolve: (replies: StorageReply[] | undefined) => void } | undefined
  #onCrash: (() => void) | undefined
  #replies: StorageReply[] = []
  /** Unix seconds. */
  nowS = NOW_S
  /** Where in the steps it crashed, for the message of a failed run. */
  crashedAt = ''

  /** Crashes at the step of that number: steps are the calls to disk and database, each before and after it is done. */
  constructor({ directory, disk }: Remains, random: Random, stepsLeft: number) {
    this.#directory = directory
    this.#random = random
    this.#stepsLeft = stepsLeft
    this.options = storageOptions(directory)
    mkdirSync(this.options.blocks.path, { recursive: true })
    this.disk = disk ?? new SimulatedDisk(this.options.blocks.path)
  }

  get hasCrashed(): boolean {
    return this.#remains !== undefined
  }

  get runNo(): number {
    return this.#storage?.run.runNo ?? 0
  }

  /** False: it crashed. */
  async start(): Promise<boolean> {
    try {
      this.#storage = await startStorage(this.options, {
        files: this.#watch('disk', this.disk.files),
        openDatabase: (options) => {
          const { transactor, ledger, packs, quarantine } = openDatabase(options)
          return {
            transactor: this.#watch('database', transactor),
            ledger: this.#watch('ledger', ledger),
            packs: this.#watch('packs', packs),
            quarantine,
          }
        },
        limits: LIMITS,
        compaction: COMPACTION,
        nowS: () => this.nowS,
        die: (error) => {
          if (!this.hasCrashed) throw error
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

  /** The answers; undefined: it crashed before they left. */
  send(commands: readonly StorageCommand[]): Promise<StorageReply[] | undefined> {
    return new Promise((resolve) => {
      this.#replies = []
      this.#waiting = { count: commands.length, resolve }
      this.#storage?.actor.submit(packCommands(commands))
    })
  }

  /** Until everything that a group brings with it is done, or the process is gone. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** One step of reclaiming what no row needs. False: there is nothing more to do at once, or it crashed. */
  async tend(): Promise<boolean> {
    const crashed = new Promise<false>((resolve) => {
      this.#onCrash = () => {
        resolve(false)
      }
    })
    return Promise.race([this.#storage?.actor.tend() ?? false, crashed])
  }

  /** In order, or as far as it gets. */
  async close(): Promise<void> {
    await this.#storage?.close()
  }

  /** What the next process finds. The remains of a crashed one are put away. */
  async bury(): Promise<Remains> {
    if (!this.#remains) return { directory: this.#directory, disk: this.disk }
    await this.#storage?.close()
    rmSync(this.#directory, { recursive: true })
    return this.#remains
  }

  #hear(replies: StorageReply[]): void {
    this.#replies.push(...replies)
    if (this.#replies.length === this.#waiting?.count) this.#waiting.resolve(this.#replies)
  }

  #watch<T extends object>(what: string, target: T): T {
    return new Proxy(target, {
      get: (_, property) => {
        const member: unknown = Reflect.get(target, property)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          // The database goes on until it is closed: what was not committed by then is not in the copy.
          if (this.hasCrashed && property !== 'close' && property !== 'rollback') throw new Crash()
          const logBytes = property === 'commit' ? this.#logBytes() : undefined
          this.#step(`before ${what}.${String(property)}`)
          const result: unknown = Reflect.apply(member, target, args)
          this.#step(`after ${what}.${String(property)}`, logBytes)
          return result
        }
      },
    })
  }

  #step(name: string, logBytesBefore?: number): void {
    if (this.hasCrashed || this.#stepsLeft-- > 0) return
    this.crashedAt = name
    this.#remains = this.#fall(logBytesBefore)
    this.#waiting?.resolve(undefined)
    this.#onCrash?.()
    throw new Crash(name)
  }

  /** Copies what a crash leaves. The log of a commit that just happened may be torn: its answer has not left. */
  #fall(logBytesBefore: number | undefined): { directory: string; disk: SimulatedDisk } {
    const directory = `${this.#directory}-`
    const isPowerLost = this.#random.below(2) === 0
    const disk = this.disk.crash(join(directory, 'blocks'), this.#random, isPowerLost)
    copyDatabase(this.options.database.path, join(directory, 'caps.db'))
    if (logBytesBefore !== undefined) this.#tearLog(join(directory, 'caps.db-wal'), logBytesBefore)
    return { directory, disk }
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

/**
 * Copies a live database with another process: opening it here would drop this process's locks on it (DESIGN §5).
 * The shared memory file is left out, as after a crash it is built anew.
 */
function copyDatabase(from: string, to: string): void {
  const script = 'cp "$1" "$2" && if [ -e "$1-wal" ]; then cp "$1-wal" "$2-wal"; fi'
  const { status } = spawnSync('/bin/sh', ['-c', script, 'sh', from, to])
  if (status !== 0) throw new Error(`cannot copy ${from}`)
}
