/** The pack ledger on SQLite. */
import { type Statement } from 'better-sqlite3'
import { type PackEntry } from '../../blocks/packs/pack-index.ts'
import {
  type BlockTotals,
  type DeadPack,
  type MovedRow,
  type NeededKind,
  type PackLedger,
  type RewritablePack,
} from '../pack-ledger.ts'
import { type PackChange } from '../transactor.ts'
import { type Connection } from './connection.ts'
import { assertRunIsOpen } from './open-run.ts'

/** A version needs its value while it is the one that counts for its key, and while it is kept. */
const NEEDS = `(EXISTS (SELECT 1 FROM kv_current c WHERE c.space_no = kv_version.space_no AND c.is_deleted = 0
    AND c.kv_key = kv_version.kv_key AND c.version_no = kv_version.version_no)
  OR EXISTS (SELECT 1 FROM kv_kept k WHERE k.space_no = kv_version.space_no AND k.kv_key = kv_version.kv_key
    AND k.seq = kv_version.seq AND k.epoch_seq = kv_version.epoch_seq AND k.version_no = kv_version.version_no))`

const REWRITABLE = "state = 'sealed' AND kind <> 'history' AND index_bytes > 0"
const DEAD_BYTES = 'file_bytes - index_bytes - live_bytes'

const PACK_TOTALS = `SELECT coalesce(sum(live_bytes - history_bytes), 0), coalesce(sum(history_bytes), 0),
    coalesce(sum(CASE WHEN ${REWRITABLE} THEN ${DEAD_BYTES} END), 0),
    coalesce(sum(CASE WHEN state = 'dead' THEN file_bytes END), 0), min(dead_since)
  FROM pack`

const OBJECT_TOTALS = `SELECT coalesce(sum(CASE WHEN dead_since IS NULL THEN value_bytes END), 0),
    coalesce(sum(CASE WHEN dead_since IS NOT NULL THEN value_bytes END), 0), min(dead_since)
  FROM object`

/** What is sorted is a few numbers for each pack. */
const ORDERS: Readonly<Record<'dead' | 'small', string>> = {
  dead: `(${DEAD_BYTES}) * 1.0 / file_bytes DESC`,
  small: 'file_bytes',
}

type PackTotalColumns = [
  values: number,
  history: number,
  dead: number,
  waiting: number,
  oldest: number | null,
]
type ObjectTotalColumns = [live: number, waiting: number, oldest: number | null]
type Place = [packNo: number, offset: number, rowId: number]

export class SqlitePackLedger implements PackLedger {
  readonly #connection: Connection
  readonly #statementNeeds: Statement<Place, 1>
  readonly #versionNeeds: Statement<Place, 1>
  readonly #moves: Readonly<Record<NeededKind, Statement<[number, number, number, number, number]>>>
  readonly #change: Statement<[number, number, number]>

  /** Borrowed: the connection that writes. */
  constructor(connection: Connection) {
    this.#connection = connection
    this.#statementNeeds = connection
      .prepare<Place, 1>(
        'SELECT 1 FROM statement WHERE pack_no = ? AND pack_offset = ? AND statement_no = ?',
      )
      .pluck()
    this.#versionNeeds = connection
      .prepare<Place, 1>(
        `SELECT 1 FROM kv_version WHERE pack_no = ? AND pack_offset = ? AND version_no = ? AND ${NEEDS}`,
      )
      .pluck()
    this.#moves = {
      history: connection.prepare(
        `UPDATE statement SET pack_no = ?, pack_offset = ?
         WHERE statement_no = ? AND pack_no = ? AND pack_offset = ?`,
      ),
      value: connection.prepare(
        `UPDATE kv_version SET pack_no = ?, pack_offset = ?
         WHERE version_no = ? AND pack_no = ? AND pack_offset = ? AND ${NEEDS}`,
      ),
    }
    this.#change = connection.prepare(
      'UPDATE pack SET live_bytes = live_bytes + ?, history_bytes = history_bytes + ? WHERE pack_no = ?',
    )
  }

  readTotals(): BlockTotals {
    const packs = this.#connection.prepare<[], PackTotalColumns>(PACK_TOTALS).raw().get()
    const objects = this.#connection.prepare<[], ObjectTotalColumns>(OBJECT_TOTALS).raw().get()
    if (!packs || !objects) throw new Error('an aggregate has no row')
    const [packedValueBytes, historyBytes, deadPackedBytes, deadPacks, oldestPack] = packs
    const [objectBytes, deadObjects, oldestObject] = objects
    const oldest = Math.min(oldestPack ?? Infinity, oldestObject ?? Infinity)
    return {
      packedValueBytes,
      objectBytes,
      historyBytes,
      deadPackedBytes,
      waitingBytes: deadPacks + deadObjects,
      oldestDeadAtS: oldest === Infinity ? undefined : oldest,
    }
  }

  readRewritable(order: 'dead' | 'small', limit: number): RewritablePack[] {
    return this.#connection
      .prepare<[number], RewritablePack>(
        `SELECT pack_no AS packNo, first_row_id AS firstRowId, file_bytes AS fileBytes,
           index_bytes AS indexBytes, live_bytes AS liveBytes, history_bytes AS historyBytes
         FROM pack WHERE ${REWRITABLE} ORDER BY ${ORDERS[order]}, pack_no LIMIT ?`,
      )
      .all(limit)
  }

  readNeeds(packNo: number, entries: readonly PackEntry[]): (NeededKind | undefined)[] {
    return this.#connection.transaction(() =>
      entries.map(({ rowId, offset }) => {
        if (this.#statementNeeds.get(packNo, offset, rowId) === 1) return 'history'
        return this.#versionNeeds.get(packNo, offset, rowId) === 1 ? 'value' : undefined
      }),
    )()
  }

  moveRows(runNo: number, rows: readonly MovedRow[]): number {
    return this.#connection.transaction(() => this.#move(runNo, rows)).immediate()
  }

  buryPacks(deadAtS: number): void {
    this.#connection
      .prepare(
        "UPDATE pack SET state = 'dead', dead_since = ? WHERE state = 'sealed' AND live_bytes = 0",
      )
      .run(deadAtS)
  }

  readDeadPacks(deadBeforeS: number, limit: number): DeadPack[] {
    return this.#connection
      .prepare<[number, number], DeadPack>(
        `SELECT pack_no AS packNo, file_bytes AS fileBytes FROM pack
         WHERE state = 'dead' AND dead_since < ? ORDER BY dead_since LIMIT ?`,
      )
      .all(deadBeforeS, limit)
  }

  #move(runNo: number, rows: readonly MovedRow[]): number {
    assertRunIsOpen(this.#connection, runNo)
    const changes = new Map<number, PackChange>()
    let movedBytes = 0
    for (const { rowId, kind, lengthBytes, fromPackNo, fromOffset, toPackNo, toOffset } of rows) {
      const { changes: moved } = this.#moves[kind].run(
        toPackNo,
        toOffset,
        rowId,
        fromPackNo,
        fromOffset,
      )
      if (moved === 0) continue
      movedBytes += lengthBytes
      const historyBytes = kind === 'history' ? lengthBytes : 0
      addTo(changes, toPackNo, { liveBytes: lengthBytes, historyBytes })
      addTo(changes, fromPackNo, { liveBytes: -lengthBytes, historyBytes: -historyBytes })
    }
    for (const [packNo, { liveBytes, historyBytes }] of changes)
      this.#change.run(liveBytes, historyBytes, packNo)
    return movedBytes
  }
}

function addTo(
  changes: Map<number, PackChange>,
  packNo: number,
  { liveBytes, historyBytes }: PackChange,
): void {
  const before = changes.get(packNo)
  changes.set(packNo, {
    liveBytes: (before?.liveBytes ?? 0) + liveBytes,
    historyBytes: (before?.historyBytes ?? 0) + historyBytes,
  })
}
