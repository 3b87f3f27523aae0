/**
 * One job of compaction: copies what rows still need of some packs into a value pack and a history pack, and then lets
 * the rows name their new places (DESIGN §4). In steps, each of them bounded:
 *
 *   copy   some sections, verified and synced, to packs that no row names yet
 *   seal   both with their index
 *   move   some rows at a time, those that still need their old place
 *
 * A crash before the seal leaves packs that the next start removes; one after it leaves a sealed pack of which some
 * bytes are dead. Rows name their old places until the new ones are on stable storage, and a source goes only when no
 * row needs it any more, which its own row counts.
 */
import { PackFile, removePack } from '../../blocks/packs/pack-file.ts'
import { type PackEntry } from '../../blocks/packs/pack-index.ts'
import { PackSource } from '../../blocks/packs/pack-source.ts'
import { type Directories } from '../../blocks/directories.ts'
import { type FileSystem } from '../../blocks/file-system.ts'
import { type RowIds } from '../../database/row-id.ts'
import { type RunLedger } from '../../database/run-ledger.ts'
import {
  type MovedRow,
  type NeededKind,
  type PackLedger,
  type RewritablePack,
} from '../../database/pack-ledger.ts'
import { StorageFault } from '../../storage-fault.ts'
import { type Damage } from '../request.ts'
import { JOB_ROWS_MAX, MOVED_ROWS_MAX, STEP_BYTES_MAX, STEP_ROWS_MAX } from './limits.ts'

export interface PackRewriteOptions {
  readonly ledger: RunLedger
  readonly packs: PackLedger
  readonly files: FileSystem
  readonly directories: Directories
  /** The blocks directory. */
  readonly root: string
  readonly runNo: number
  readonly ids: RowIds
  /** Length at which a new pack is full. */
  readonly packBytesTarget: number
  /** Some bytes of this source are not what was written. They stay where they are. */
  readonly onDamage: (packNo: number, damage: Damage) => Promise<void>
}

/** Sections that one step appends to one of the new packs. */
interface Portion {
  readonly sections: Uint8Array[]
  readonly entries: PackEntry[]
  lengthBytes: number
}

const KINDS: readonly NeededKind[] = ['value', 'history']

export class PackRewrite {
  /** Of all sources. */
  readonly packNos: readonly number[]
  /** Bytes that rows name at their new places. */
  movedBytes = 0
  readonly #options: PackRewriteOptions
  readonly #sources: RewritablePack[]
  readonly #firstRowId: number
  #source: PackSource | undefined
  /** Entries of the source that were looked at. */
  #lookedAt = 0
  /** New packs that have a row, and a file unless that failed. */
  readonly #begun: number[] = []
  readonly #outputs = new Map<NeededKind, PackFile>()
  readonly #moves: MovedRow[] = []
  #isSealed = false

  constructor(sources: readonly RewritablePack[], options: PackRewriteOptions) {
    this.#options = options
    this.#sources = [...sources]
    this.packNos = sources.map(({ packNo }) => packNo)
    this.#firstRowId = Math.min(...sources.map(({ firstRowId }) => firstRowId))
  }

  /** True: there is nothing left to do. */
  async step(): Promise<boolean> {
    if (this.#isSealed) return this.#move()
    const source = this.#source ?? (await this.#openNext())
    if (!source || this.#isFull()) await this.#seal()
    else await this.#copy(source)
    return false
  }

  /** Removes new packs that no row can name yet. What was moved stays moved. */
  async abandon(): Promise<void> {
    this.#closeSource()
    if (this.#isSealed) return
    const { ledger, files, directories, root } = this.#options
    for (const kind of KINDS) this.#closeOutput(kind)
    for (const packNo of this.#begun) {
      removePack({ files, directories, root, packNo })
      await ledger.deletePack(packNo)
    }
  }

  /** Lets go of its files and changes nothing. */
  close(): void {
    this.#closeSource()
    for (const kind of KINDS) this.#closeOutput(kind)
  }

  #isFull(): boolean {
    if (this.#moves.length >= JOB_ROWS_MAX) return true
    const { packBytesTarget } = this.#options
    return [...this.#outputs.values()].some((pack) => pack.committedBytes >= packBytesTarget)
  }

  /** Undefined: all sources were read. */
  async #openNext(): Promise<PackSource | undefined> {
    const { files, root, onDamage } = this.#options
    for (let pack = this.#sources.shift(); pack; pack = this.#sources.shift()) {
      const { packNo, fileBytes, indexBytes } = pack
      try {
        this.#source = PackSource.open({ files, root, packNo, fileBytes, indexBytes })
        this.#lookedAt = 0
        return this.#source
      } catch (error) {
        await onDamage(packNo, {
          kind: 'pack',
          rowId: String(packNo),
          reason: reasonOf(error),
        })
      }
    }
    return undefined
  }

  async #copy(source: PackSource): Promise<void> {
    const entries = source.index.slice(this.#lookedAt, STEP_ROWS_MAX)
    const needs = await this.#options.packs.readNeeds(source.packNo, entries)
    const portions = new Map(KINDS.map((kind) => [kind, newPortion()]))
    let copiedBytes = 0
    for (const [index, entry] of entries.entries()) {
      if (copiedBytes >= STEP_BYTES_MAX) break
      this.#lookedAt += 1
      const kind = needs[index]
      const portion = kind && portions.get(kind)
      const bytes = portion && (await this.#read(source, entry, kind))
      if (!bytes) continue
      portion.sections.push(bytes)
      portion.entries.push(entry)
      portion.lengthBytes += bytes.length
      copiedBytes += bytes.length
    }
    for (const [kind, portion] of portions)
      if (portion.entries.length > 0) await this.#append(source.packNo, kind, portion)
    if (this.#lookedAt >= source.index.entryCount) this.#closeSource()
  }

  /** Undefined: the bytes are damaged, and were reported. */
  async #read(
    source: PackSource,
    entry: PackEntry,
    kind: NeededKind,
  ): Promise<Uint8Array | undefined> {
    try {
      return source.read(entry)
    } catch (error) {
      await this.#options.onDamage(source.packNo, {
        kind: kind === 'value' ? 'kv_version' : 'statement',
        rowId: String(entry.rowId),
        reason: reasonOf(error),
      })
      return undefined
    }
  }

  async #append(fromPackNo: number, kind: NeededKind, portion: Portion): Promise<void> {
    const pack = this.#outputs.get(kind) ?? (await this.#create(kind))
    const placed: PackEntry[] = []
    let toOffset = pack.committedBytes
    for (const { rowId, offset: fromOffset, lengthBytes } of portion.entries) {
      placed.push({ rowId, offset: toOffset, lengthBytes })
      const toPackNo = pack.packNo
      this.#moves.push({ rowId, kind, lengthBytes, fromPackNo, fromOffset, toPackNo, toOffset })
      toOffset += lengthBytes
    }
    pack.append(portion.sections)
    pack.commit(portion.lengthBytes, placed)
  }

  /** A row before it is a file, as with every pack. */
  async #create(kind: NeededKind): Promise<PackFile> {
    const { ledger, files, directories, root, runNo, ids } = this.#options
    const packNo = ids.next()
    const firstRowId = this.#firstRowId
    this.#begun.push(packNo)
    await ledger.addPack(
      { packNo, runNo, state: 'writing', kind, firstRowId, fileBytes: 0, liveBytes: 0 },
      undefined,
    )
    const pack = PackFile.create({ files, directories, root, packNo })
    this.#outputs.set(kind, pack)
    return pack
  }

  async #seal(): Promise<void> {
    this.#closeSource()
    const { ledger, runNo } = this.#options
    for (const pack of this.#outputs.values())
      await ledger.sealOwnPack(runNo, pack.packNo, () => pack.seal())
    for (const kind of KINDS) this.#closeOutput(kind)
    this.#isSealed = true
  }

  async #move(): Promise<boolean> {
    const { packs, runNo } = this.#options
    const rows = this.#moves.splice(0, MOVED_ROWS_MAX)
    if (rows.length > 0) this.movedBytes += await packs.moveRows(runNo, rows)
    return this.#moves.length === 0
  }

  #closeSource(): void {
    this.#source?.close()
    this.#source = undefined
  }

  #closeOutput(kind: NeededKind): void {
    this.#outputs.get(kind)?.close()
    this.#outputs.delete(kind)
  }
}

const newPortion = (): Portion => ({ sections: [], entries: [], lengthBytes: 0 })

/** @throws what is no fault of the stored bytes */
function reasonOf(error: unknown): string {
  if (error instanceof StorageFault) return error.message
  throw error
}
