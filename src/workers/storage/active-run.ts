/**
 * The run under way: its numbers, its active pack, and how far both are committed. What is here is in the row of the
 * run after every commit, so nothing of it needs to survive.
 */
import { type Directories } from '../blocks/directories.ts'
import { type FileSystem, isNoSpace } from '../blocks/file-system.ts'
import { PACK_BYTES_TARGET, PACK_HEADER, PackFile, removePack } from '../blocks/packs/pack-file.ts'
import { removeEmptyDirectories } from '../blocks/run-directories.ts'
import { ROW_IDS_PER_RUN, RowIds } from '../database/row-id.ts'
import { type RunLedger } from '../database/run-ledger.ts'
import { type RunProgress } from '../database/transactor.ts'
import { type GroupPlan } from './group-plan.ts'
import { type Log } from './log.ts'
import { markOf } from './staged-objects.ts'

/** What makes a pack full and a run spent. Tests use smaller ones, so that both happen often. */
export interface RunLimits {
  /** A pack that has reached this length is followed by a new one. */
  readonly packBytesTarget: number
  /** A run that has given so many row ids is followed by the next one; what is left is more than any group takes. */
  readonly rowIdsMax: number
}

export const RUN_LIMITS: RunLimits = {
  packBytesTarget: PACK_BYTES_TARGET,
  rowIdsMax: ROW_IDS_PER_RUN - 1_000_000,
}

export interface ActiveRunOptions {
  readonly ledger: RunLedger
  readonly files: FileSystem
  readonly directories: Directories
  /** The blocks directory. */
  readonly root: string
  readonly limits: RunLimits
  readonly log: Log
}

export class ActiveRun {
  readonly runNo: number
  readonly ids: RowIds
  readonly #options: ActiveRunOptions
  #groupNo = 0
  #objectMark = 0
  #pack: PackFile | undefined
  /** The pack opened last, active or not: the row of the run may name it. */
  #last: PackFile | undefined
  /** Packs that get no more groups and have no index yet. */
  #finished: PackFile[] = []

  constructor(runNo: number, options: ActiveRunOptions) {
    this.runNo = runNo
    this.ids = new RowIds(runNo)
    this.#options = options
  }

  /** The next run must begin before the next group. */
  get isSpent(): boolean {
    return ROW_IDS_PER_RUN - this.ids.left > this.#options.limits.rowIdsMax
  }

  /**
   * The pack for the next group: its row, its file, and the file's name are on stable storage. A pack that has reached
   * its length, or was abandoned, is followed by a new one.
   */
  async openPack(): Promise<PackFile> {
    const { ledger, files, directories, root, limits } = this.#options
    const current = this.#pack
    if (current && current.committedBytes < limits.packBytesTarget) return current
    const packNo = this.ids.next()
    this.abandonPack()
    // Written down before the row of the run names another pack: a start must never cut what is committed.
    const last = this.#last
    const previous = last && { packNo: last.packNo, fileBytes: last.committedBytes }
    await ledger.addPack(
      {
        packNo,
        runNo: this.runNo,
        state: 'writing',
        kind: 'active',
        firstRowId: packNo,
        fileBytes: 0,
        liveBytes: 0,
      },
      previous,
    )
    const pack = PackFile.create({ files, directories, root, packNo })
    this.#pack = pack
    this.#last = pack
    return pack
  }

  /** No group is appended to the active pack any more: a write to it failed for want of space, or it is full. */
  abandonPack(): void {
    if (this.#pack) this.#finished.push(this.#pack)
    this.#pack = undefined
  }

  /** What the row of this run says once the group of `plan` is committed. */
  progressWith(plan: GroupPlan, pack: PackFile): RunProgress {
    return {
      runNo: this.runNo,
      groupNo: this.#groupNo + 1,
      packNo: pack.packNo,
      packBytes: pack.committedBytes + plan.layout.lengthBytes,
      objectMark: Math.max(this.#objectMark, markOf(plan.keys.adoptions)),
    }
  }

  /** The group is committed. */
  commit(progress: RunProgress, plan: GroupPlan, pack: PackFile): void {
    this.#groupNo = progress.groupNo
    this.#objectMark = progress.objectMark
    pack.commit(plan.layout.lengthBytes, plan.layout.entries)
  }

  /** Ends the finished packs with their index. Needs no haste: until then a start would do it. */
  async sealFinished(): Promise<void> {
    for (const pack of this.#finished.splice(0)) {
      try {
        await this.#finish(pack)
      } catch (error) {
        if (!isNoSpace(error)) throw error
        this.#options.log('warn', 'pack.not-sealed', {
          packNo: pack.packNo,
          reason: 'no space left',
        })
      } finally {
        pack.close()
      }
    }
  }

  /** Ends the run: nothing can commit in it any more, and its packs have their index. */
  async end(nowS: number): Promise<void> {
    const { ledger } = this.#options
    this.abandonPack()
    await this.sealFinished()
    await ledger.endRun(this.runNo, nowS)
    const open = await ledger.readOpenPacks(this.runNo)
    if (open.length > 0) return
    await ledger.markRunClean(this.runNo, nowS)
    removeEmptyDirectories(this.#options, (runNo) => runNo === this.runNo)
  }

  async #finish(pack: PackFile): Promise<void> {
    const { ledger, files, directories, root } = this.#options
    if (pack.committedBytes > PACK_HEADER.length) {
      await ledger.sealOwnPack(this.runNo, pack.packNo, () => pack.seal())
      return
    }
    removePack({ files, directories, root, packNo: pack.packNo })
    await ledger.deletePack(pack.packNo)
  }
}
