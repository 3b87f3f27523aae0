/** The writing connection on SQLite: every step of a group is one synchronous stretch. */
import { type Statement } from 'better-sqlite3'
import {
  type CheckpointMode,
  type GroupChanges,
  type GroupFacts,
  type GroupQuestions,
  type LogState,
  RunEnded,
  type Transactor,
} from '../transactor.ts'
import { type Connection, openReader } from './connection.ts'
import { GroupLoader } from './group-loader.ts'
import { GroupWriter } from './group-writer.ts'
import { SqliteRunLedger } from './sqlite-run-ledger.ts'

type LogColumns = [isBusy: number, logPages: number, checkpointedPages: number]

export class SqliteTransactor implements Transactor {
  readonly #connection: Connection
  readonly #path: string
  readonly #loader: GroupLoader
  readonly #writer: GroupWriter
  readonly #begin: Statement
  readonly #isOpen: Statement<[number], 1>
  readonly #commit: Statement
  readonly #logState: Statement<[], LogColumns>

  /** Taken: the connection. Its schema is up to date. */
  constructor(connection: Connection, path: string) {
    this.#connection = connection
    this.#path = path
    this.#loader = new GroupLoader(connection)
    this.#writer = new GroupWriter(connection)
    this.#begin = connection.prepare('BEGIN IMMEDIATE')
    this.#isOpen = connection
      .prepare<[number], 1>('SELECT 1 FROM run WHERE run_no = ? AND ended_at IS NULL')
      .pluck()
    this.#commit = connection.prepare('COMMIT')
    this.#logState = connection.prepare<[], LogColumns>('PRAGMA wal_checkpoint(NOOP)').raw()
  }

  begin(runNo: number): void {
    this.#begin.run()
    if (this.#isOpen.get(runNo) !== 1) throw new RunEnded(`run ${runNo} was ended by somebody else`)
  }

  load(questions: GroupQuestions): GroupFacts {
    return this.#loader.load(questions)
  }

  apply(changes: GroupChanges): void {
    this.#writer.apply(changes)
  }

  commit(): void {
    this.#commit.run()
  }

  rollback(): void {
    // SQLite ends the transaction itself after some errors.
    if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK')
  }

  readCommittedGroup(runNo: number): number {
    const connection = openReader(this.#path)
    try {
      return new SqliteRunLedger(connection).readCommittedGroup(runNo)
    } finally {
      connection.close()
    }
  }

  logState(): LogState {
    return logStateOf(this.#logState.get())
  }

  checkpoint(mode: CheckpointMode): LogState {
    const statement = this.#connection.prepare<[], LogColumns>(`PRAGMA wal_checkpoint(${mode})`)
    return logStateOf(statement.raw().get())
  }

  close(): void {
    this.#connection.close()
  }
}

function logStateOf(columns: LogColumns | undefined): LogState {
  const [isBusy, logPages, checkpointedPages] = columns ?? [1, 0, 0]
  return { isBusy: isBusy !== 0, logPages, checkpointedPages }
}
