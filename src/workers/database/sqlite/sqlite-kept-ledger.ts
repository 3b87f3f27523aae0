/** The kept ledger on SQLite. */
import { type Statement } from 'better-sqlite3'
import { equalBytes } from '../../../protocol/bytes.ts'
import {
  type KeptLedger,
  type KeptPosition,
  type KeptWalk,
  type LetGoStep,
} from '../kept-ledger.ts'
import { RowChecksum } from '../row-checksum.ts'
import { type KeptRow } from '../tables/kept.ts'
import { type Connection } from './connection.ts'
import { KEPT_COLUMNS, type KeptColumns, soundKeptRow } from './kept-columns.ts'
import { prepareMetaRead, prepareMetaWrite, SETTLED_RULE } from './meta.ts'
import { assertRunIsOpen } from './open-run.ts'

type Place = [packNo: number | null, packLength: number | null]

/** Before the first key of a walk that goes down. */
const ABOVE_ALL = { spaceNo: Number.MAX_SAFE_INTEGER, key: new Uint8Array(0), seq: 0, epochSeq: 0 }

export class SqliteKeptLedger implements KeptLedger {
  readonly #connection: Connection
  readonly #checksum = new RowChecksum()
  readonly #oldest: Statement<[replacedAtS: number, limit: number], KeptColumns>
  readonly #below: Statement<[number, Uint8Array, number, number, number], KeptColumns>
  readonly #place: Statement<[versionNo: number], Place>
  readonly #delete: Statement<[replacedByNo: number]>
  readonly #dropObject: Statement<[deadSinceS: number, objectNo: number]>
  readonly #lowerPack: Statement<[bytes: number, packNo: number]>
  readonly #lowerSpace: Statement<[bytes: number, spaceNo: number]>

  /** Borrowed: the connection that writes. */
  constructor(connection: Connection) {
    this.#connection = connection
    this.#oldest = connection
      .prepare<[number, number], KeptColumns>(
        `SELECT ${KEPT_COLUMNS} FROM kv_kept k WHERE k.replaced_at <= ? ORDER BY k.replaced_at LIMIT ?`,
      )
      .raw()
    this.#below = connection
      .prepare<[number, Uint8Array, number, number, number], KeptColumns>(
        `SELECT ${KEPT_COLUMNS} FROM kv_kept k
         WHERE (k.space_no, k.kv_key, k.seq, k.epoch_seq) < (?, ?, ?, ?)
         ORDER BY k.space_no DESC, k.kv_key DESC, k.seq DESC, k.epoch_seq DESC LIMIT ?`,
      )
      .raw()
    this.#place = connection
      .prepare<[number], Place>('SELECT pack_no, pack_length FROM kv_version WHERE version_no = ?')
      .raw()
    this.#delete = connection.prepare('DELETE FROM kv_kept WHERE replaced_by_no = ?')
    this.#dropObject = connection.prepare('UPDATE object SET dead_since = ? WHERE object_no = ?')
    this.#lowerPack = connection.prepare(
      'UPDATE pack SET live_bytes = live_bytes - ? WHERE pack_no = ?',
    )
    this.#lowerSpace = connection.prepare(
      'UPDATE space SET history_bytes = history_bytes - ? WHERE space_no = ?',
    )
  }

  letGoUntil(replacedAtS: number, step: LetGoStep): number {
    // Looked at first: an idle node writes nothing.
    if (this.#oldest.get(replacedAtS, 1) === undefined) return 0
    return this.#transact(step, () => {
      const rows = this.#soundOnes(this.#oldest.all(replacedAtS, step.rowsMax))
      this.#letGo(rows, step.nowS)
      return rows.length
    })
  }

  letGoBeyond(versions: number, after: KeptPosition | undefined, step: LetGoStep): KeptWalk {
    return this.#transact(step, () => {
      const { spaceNo, key, seq, epochSeq } = after ?? ABOVE_ALL
      const found = this.#below.all(spaceNo, key, seq, epochSeq, step.rowsMax)
      const going: KeptRow[] = []
      let next = after
      for (const row of this.#soundOnes(found)) {
        const isSameKey = next?.spaceNo === row.spaceNo && equalBytes(next.key, row.key)
        const newestPosition: number = isSameKey && next ? next.newestPosition : row.position
        if (row.position <= newestPosition - versions) going.push(row)
        next = { ...row, newestPosition }
      }
      this.#letGo(going, step.nowS)
      // A page of damaged rows alone leads nowhere.
      const isOver = found.length < step.rowsMax || next === after
      return { next: isOver ? undefined : next, letGo: going.length }
    })
  }

  readSettledRule(): string | undefined {
    return prepareMetaRead(this.#connection).get(SETTLED_RULE)?.toString()
  }

  writeSettledRule(rule: string | undefined): void {
    if (rule === undefined)
      this.#connection.prepare('DELETE FROM meta WHERE name = ?').run(SETTLED_RULE)
    else prepareMetaWrite(this.#connection).run(SETTLED_RULE, Buffer.from(rule))
  }

  #transact<T>({ runNo }: LetGoStep, work: () => T): T {
    return this.#connection
      .transaction(() => {
        assertRunIsOpen(this.#connection, runNo)
        return work()
      })
      .immediate()
  }

  /** A damaged row stays as it is: what it says cannot be acted on, and a verification tells of it. */
  #soundOnes(found: readonly KeptColumns[]): KeptRow[] {
    return found
      .map((columns) => soundKeptRow(this.#checksum, columns))
      .filter((row) => row !== undefined)
  }

  #letGo(rows: readonly KeptRow[], nowS: number): void {
    const packs = new Map<number, number>()
    const spaces = new Map<number, number>()
    for (const { replacedByNo, versionNo, spaceNo, valueBytes, objectNo } of rows) {
      const [packNo, packLength] = this.#place.get(versionNo) ?? [null, null]
      this.#delete.run(replacedByNo)
      if (objectNo !== null) this.#dropObject.run(nowS, objectNo)
      if (packNo !== null) packs.set(packNo, (packs.get(packNo) ?? 0) + (packLength ?? 0))
      spaces.set(spaceNo, (spaces.get(spaceNo) ?? 0) + valueBytes)
    }
    for (const [packNo, bytes] of packs) this.#lowerPack.run(bytes, packNo)
    for (const [spaceNo, bytes] of spaces) this.#lowerSpace.run(bytes, spaceNo)
  }
}
