/**
 * Reclaims what no row needs: objects and packs that are dead go when their grace is over, and packs of which too much
 * is dead, or that are many and small, are written anew. Called between groups, one bounded step at a time.
 */
import { type Directories } from '../../blocks/directories.ts'
import { type FileSystem } from '../../blocks/file-system.ts'
import { type ObjectFiles } from '../../blocks/objects/object-files.ts'
import { removePack } from '../../blocks/packs/pack-file.ts'
import { removeLeftDirectories } from '../../blocks/run-directories.ts'
import {
  type BlockTotals,
  type PackLedger,
  type RewritablePack,
} from '../../database/pack-ledger.ts'
import { runOfRowId } from '../../database/row-id.ts'
import { type RunLedger } from '../../database/run-ledger.ts'
import { type ActiveRun } from '../active-run.ts'
import { type Log } from '../log.ts'
import { type Damage } from '../request.ts'
import { chooseSources } from './choose-sources.ts'
import {
  type CompactionLimits,
  FULL_REST_S,
  GRACE_S,
  LOOK_INTERVAL_S,
  REMOVED_OBJECTS_MAX,
  REMOVED_PACKS_MAX,
  SOURCE_PACKS_MAX,
} from './limits.ts'
import { PackRewrite } from './pack-rewrite.ts'

export interface CollectorOptions {
  readonly ledger: RunLedger
  readonly packs: PackLedger
  readonly files: FileSystem
  readonly directories: Directories
  readonly objectFiles: ObjectFiles
  /** The blocks directory. */
  readonly root: string
  readonly limits: CompactionLimits
  /** Length at which a pack is full. */
  readonly packBytesTarget: number
  readonly log: Log
}

/** What a step needs to know of the present. */
export interface CollectorTurn {
  /** Gives the numbers of new packs. */
  readonly run: ActiveRun
  readonly nowS: number
  readonly onDamage: (damage: Damage) => Promise<void>
}

const NO_TOTALS: BlockTotals = {
  packedValueBytes: 0,
  objectBytes: 0,
  historyBytes: 0,
  deadPackedBytes: 0,
  waitingBytes: 0,
  oldestDeadAtS: undefined,
}

export class Collector {
  /** As they were when last looked at. */
  totals: BlockTotals = NO_TOTALS
  /** Bytes of files removed since the start. */
  reclaimedBytes = 0
  readonly #options: CollectorOptions
  #rewrite: PackRewrite | undefined
  #lookedAtS = -Infinity
  #restsFromS = -Infinity
  /** Packs that keep something damaged, so that no copying ever frees them. */
  readonly #spoiled = new Set<number>()

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  /** One step. True: there is more to do at once. */
  async step(turn: CollectorTurn): Promise<boolean> {
    if (this.#rewrite) return this.#continue(this.#rewrite)
    const { nowS } = turn
    if (isWithin(LOOK_INTERVAL_S, this.#lookedAtS, nowS)) return false
    if (await this.#sweep(nowS - GRACE_S, turn.run.runNo)) return true
    this.#lookedAtS = nowS
    const { packs } = this.#options
    await packs.buryPacks(nowS)
    this.totals = await packs.readTotals()
    if (!isWithin(FULL_REST_S, this.#restsFromS, nowS)) await this.#begin(turn)
    return this.#rewrite !== undefined
  }

  /** There was no space: what was copied goes, and it is tried again later. */
  async retreat(nowS: number): Promise<void> {
    if (!this.#rewrite) return
    this.#restsFromS = nowS
    this.#options.log('warn', 'compaction.no-space', {})
    await this.abandon()
  }

  /** Ends the job under way. What it moved stays moved, and the rest is done another time. */
  async abandon(): Promise<void> {
    const rewrite = this.#rewrite
    this.#rewrite = undefined
    await rewrite?.abandon()
  }

  /** Lets go of its files and changes nothing. */
  close(): void {
    this.#rewrite?.close()
    this.#rewrite = undefined
  }

  async #continue(rewrite: PackRewrite): Promise<boolean> {
    if (!(await rewrite.step())) return true
    // Packs that gave nothing would be chosen again at once.
    if (rewrite.movedBytes === 0) for (const packNo of rewrite.packNos) this.#spoiled.add(packNo)
    this.#rewrite = undefined
    this.#lookedAtS = -Infinity
    return true
  }

  /** Files first, then rows: a crash in between is swept again. True: there may be more. */
  async #sweep(deadBeforeS: number, liveRunNo: number): Promise<boolean> {
    const { ledger, packs, objectFiles, files, directories, root } = this.#options
    const objects = await ledger.readDeadObjects(deadBeforeS, REMOVED_OBJECTS_MAX)
    const objectNos = objects.map(({ objectNo }) => objectNo)
    if (objects.length > 0) {
      objectFiles.remove(objectNos)
      await ledger.deleteObjects(objectNos)
      for (const { valueBytes } of objects) this.reclaimedBytes += valueBytes
    }
    const dead = await packs.readDeadPacks(deadBeforeS, REMOVED_PACKS_MAX)
    for (const { packNo, fileBytes } of dead) {
      removePack({ files, directories, root, packNo })
      await ledger.deletePack(packNo)
      this.reclaimedBytes += fileBytes
    }
    const isOfEndedRun = (rowId: number): boolean => runOfRowId(rowId) !== liveRunNo
    removeLeftDirectories(this.#options, {
      objectNos: objectNos.filter(isOfEndedRun),
      packNos: dead.map(({ packNo }) => packNo).filter(isOfEndedRun),
    })
    return objects.length === REMOVED_OBJECTS_MAX || dead.length === REMOVED_PACKS_MAX
  }

  async #begin({ run, onDamage }: CollectorTurn): Promise<void> {
    const { packs, limits, packBytesTarget } = this.#options
    const [worst, smallest] = [await this.#candidates('dead'), await this.#candidates('small')]
    const sources = chooseSources({ totals: this.totals, worst, smallest }, limits, packBytesTarget)
    if (sources.length === 0) return
    const { ledger, files, directories, root, log } = this.#options
    log('info', 'compaction.begun', { packs: sources.length })
    this.#rewrite = new PackRewrite(sources, {
      ledger,
      packs,
      files,
      directories,
      root,
      runNo: run.runNo,
      ids: run.ids,
      packBytesTarget,
      onDamage: (packNo, damage) => {
        this.#spoiled.add(packNo)
        return onDamage(damage)
      },
    })
  }

  async #candidates(order: 'dead' | 'small'): Promise<RewritablePack[]> {
    const found = await this.#options.packs.readRewritable(
      order,
      SOURCE_PACKS_MAX + this.#spoiled.size,
    )
    return found.filter(({ packNo }) => !this.#spoiled.has(packNo))
  }
}

/** The clock may step back: then it is as if the time had passed. */
const isWithin = (intervalS: number, sinceS: number, nowS: number): boolean =>
  nowS >= sinceS && nowS - sinceS < intervalS
