/**
 * Takes a window of rows apart into commands: a statement, and the rows that were written with it. Row ids are given
 * in order, the statement's first (storage/group-plan.ts), so what belongs to it has an id before the next statement's.
 */
import { type Checked, type InspectedVersion, type RowWindow } from '../../database/inspector.ts'
import { type EpochRow, type EventRow, type StatementRow } from '../../database/rows.ts'
import { type DelegationRow } from '../../database/tables/delegation.ts'

export interface StoredCommand {
  /** Undefined: rows that come before any statement. */
  readonly statement: StatementRow | undefined
  readonly epochs: readonly EpochRow[]
  readonly events: readonly EventRow[]
  readonly versions: readonly InspectedVersion[]
  readonly delegations: readonly Checked<DelegationRow>[]
}

export function* commandsOf(window: RowWindow): Generator<StoredCommand> {
  const { statements } = window
  const epochs = new Cursor(window.epochs, ({ epochNo }) => epochNo)
  const events = new Cursor(window.events, ({ eventNo }) => eventNo)
  const versions = new Cursor(window.versions, ({ row }) => row.versionNo)
  const delegations = new Cursor(window.delegations, ({ row }) => row.delegationNo)
  const take = (statement: StatementRow | undefined, endNo: number): StoredCommand => ({
    statement,
    epochs: epochs.takeUntil(endNo),
    events: events.takeUntil(endNo),
    versions: versions.takeUntil(endNo),
    delegations: delegations.takeUntil(endNo),
  })
  const stray = take(undefined, statements[0]?.statementNo ?? Infinity)
  if (!isEmpty(stray)) yield stray
  for (const [index, statement] of statements.entries())
    yield take(statement, statements[index + 1]?.statementNo ?? Infinity)
}

const isEmpty = ({ epochs, events, versions, delegations }: StoredCommand): boolean =>
  epochs.length + events.length + versions.length + delegations.length === 0

/** Walks one table of the window. */
class Cursor<Row> {
  readonly #rows: readonly Row[]
  readonly #idOf: (row: Row) => number
  #next = 0

  constructor(rows: readonly Row[], idOf: (row: Row) => number) {
    this.#rows = rows
    this.#idOf = idOf
  }

  /** The rows with an id below `endNo` that were not taken yet. */
  takeUntil(endNo: number): Row[] {
    const start = this.#next
    for (;;) {
      const row = this.#rows[this.#next]
      if (row === undefined || this.#idOf(row) >= endNo) return this.#rows.slice(start, this.#next)
      this.#next += 1
    }
  }
}
