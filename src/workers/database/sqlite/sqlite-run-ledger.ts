/** The run ledger on SQLite. Its statements are rare, so none is kept prepared. */
import { type SealedPack } from '../../blocks/packs/pack-file.ts'
import { type PackEntry } from '../../blocks/packs/pack-index.ts'
import { type PackKind, type PackRow, type PackState, type RunRow } from '../rows.ts'
import { type DeadObject, type PackLength, type RunLedger } from '../run-ledger.ts'
import { type Connection } from './connection.ts'
import { prepareMetaRead, SECRET_FINGERPRINT } from './meta.ts'
import { assertRunIsOpen } from './open-run.ts'

type RunColumns = [
  runNo: number,
  runId: string,
  startedAtS: number,
  groupNo: number,
  packNo: number | null,
  packBytes: number,
  objectMark: number,
  endedAtS: number | null,
  cleanedAtS: number | null,
]
type PackColumns = [
  packNo: number,
  runNo: number,
  state: PackState,
  kind: PackKind,
  firstRowId: number,
  fileBytes: number,
  liveBytes: number,
]
type EntryColumns = [rowId: number, offset: number, lengthBytes: number]

export class SqliteRunLedger implements RunLedger {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  beginRun(runId: string, startedAtS: number): number {
    const last = this.#connection
      .prepare<[], number | null>('SELECT max(run_no) FROM run')
      .pluck()
      .get()
    const runNo = (last ?? 0) + 1
    this.#connection
      .prepare('INSERT INTO run VALUES (?, ?, ?, 0, NULL, 0, 0, NULL, NULL)')
      .run(runNo, runId, startedAtS)
    return runNo
  }

  claimSecret(fingerprint: Uint8Array): Uint8Array {
    this.#connection
      .prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO NOTHING')
      .run(SECRET_FINGERPRINT, fingerprint)
    return prepareMetaRead(this.#connection).get(SECRET_FINGERPRINT) ?? fingerprint
  }

  readUncleanRuns(): RunRow[] {
    return this.#connection
      .prepare<[], RunColumns>(
        `SELECT run_no, run_id, started_at, group_no, pack_no, pack_bytes, object_mark, ended_at, cleaned_at
         FROM run WHERE cleaned_at IS NULL ORDER BY run_no`,
      )
      .raw()
      .all()
      .map((columns) => runOf(columns))
  }

  endRun(runNo: number, endedAtS: number): void {
    this.#connection
      .prepare('UPDATE run SET ended_at = ? WHERE run_no = ? AND ended_at IS NULL')
      .run(endedAtS, runNo)
  }

  markRunClean(runNo: number, cleanedAtS: number): void {
    this.#connection
      .prepare('UPDATE run SET cleaned_at = ? WHERE run_no = ?')
      .run(cleanedAtS, runNo)
  }

  addPack(pack: PackRow, previous: PackLength | undefined): void {
    this.#connection.transaction(() => {
      assertRunIsOpen(this.#connection, pack.runNo)
      if (previous)
        this.#connection
          .prepare('UPDATE pack SET file_bytes = ? WHERE pack_no = ?')
          .run(previous.fileBytes, previous.packNo)
      this.#insertPack(pack)
    })()
  }

  #insertPack(pack: PackRow): void {
    this.#connection
      .prepare('INSERT INTO pack VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 0, 0)')
      .run(
        pack.packNo,
        pack.runNo,
        pack.state,
        pack.kind,
        pack.firstRowId,
        pack.fileBytes,
        pack.liveBytes,
      )
  }

  sealPack(packNo: number, { fileBytes, indexBytes }: SealedPack): void {
    this.#connection
      .prepare(
        "UPDATE pack SET state = 'sealed', file_bytes = ?, index_bytes = ? WHERE pack_no = ?",
      )
      .run(fileBytes, indexBytes, packNo)
  }

  sealOwnPack(runNo: number, packNo: number, seal: () => SealedPack): void {
    this.#connection
      .transaction(() => {
        assertRunIsOpen(this.#connection, runNo)
        this.sealPack(packNo, seal())
      })
      .immediate()
  }

  deletePack(packNo: number): void {
    this.#connection.prepare('DELETE FROM pack WHERE pack_no = ?').run(packNo)
  }

  readOpenPacks(runNo: number): PackRow[] {
    return this.#connection
      .prepare<[string, number], PackColumns>(
        `SELECT pack_no, run_no, state, kind, first_row_id, file_bytes, live_bytes
         FROM pack WHERE state = ? AND run_no = ? ORDER BY pack_no`,
      )
      .raw()
      .all('writing', runNo)
      .map(([packNo, run, state, kind, firstRowId, fileBytes, liveBytes]) => ({
        packNo,
        runNo: run,
        state,
        kind,
        firstRowId,
        fileBytes,
        liveBytes,
      }))
  }

  *readPackEntries({ packNo, firstRowId }: PackRow): Generator<PackEntry> {
    const rows = this.#connection
      .prepare<[number, number, number, number], EntryColumns>(
        `SELECT statement_no, pack_offset, pack_length FROM statement WHERE statement_no >= ? AND pack_no = ?
         UNION ALL
         SELECT version_no, pack_offset, pack_length FROM kv_version WHERE version_no >= ? AND pack_no = ?
         ORDER BY 2`,
      )
      .raw()
      .iterate(firstRowId, packNo, firstRowId, packNo)
    for (const [rowId, offset, lengthBytes] of rows) yield { rowId, offset, lengthBytes }
  }

  readDeadObjects(deadBeforeS: number, limit: number): DeadObject[] {
    return this.#connection
      .prepare<[number, number], DeadObject>(
        `SELECT object_no AS objectNo, value_bytes AS valueBytes FROM object
         WHERE dead_since < ? ORDER BY dead_since LIMIT ?`,
      )
      .all(deadBeforeS, limit)
  }

  deleteObjects(objectNos: readonly number[]): void {
    const statement = this.#connection.prepare('DELETE FROM object WHERE object_no = ?')
    this.#connection.transaction(() => {
      for (const objectNo of objectNos) statement.run(objectNo)
    })()
  }

  readCommittedGroup(runNo: number): number {
    return (
      this.#connection
        .prepare<[number], number>('SELECT group_no FROM run WHERE run_no = ?')
        .pluck()
        .get(runNo) ?? 0
    )
  }
}

const runOf = (columns: RunColumns): RunRow => {
  const [runNo, runId, startedAtS, groupNo, packNo, packBytes, objectMark, endedAtS, cleanedAtS] =
    columns
  return { runNo, runId, startedAtS, groupNo, packNo, packBytes, objectMark, endedAtS, cleanedAtS }
}
