/** The inspector on SQLite: each call is one synchronous stretch, and one read transaction where it asks more than once. */
import {
  type Baseline,
  type Checked,
  type DatabaseInspector,
  type InspectedAlias,
  type InspectedCurrent,
  type InspectedKept,
  type InspectedObject,
  type InspectedPack,
  type InspectedRevocation,
  type InspectedVersion,
  type NamedSpace,
  type PackTotal,
  type RowPlace,
  type RowWindow,
  type TicketCount,
} from '../inspector.ts'
import { type StatementRow } from '../rows.ts'
import { type AccountDelegationRow } from '../tables/account-delegation.ts'
import { type DelegationRow } from '../tables/delegation.ts'
import { type CurrentRow } from '../tables/kv.ts'
import { type RevocationRow } from '../tables/revocation.ts'
import { type SignedTicketRow } from '../tables/signed-ticket.ts'
import { type Connection, openReader } from './connection.ts'
import { delegationRowOf } from './delegation-columns.ts'
import {
  type CurrentColumns,
  type InspectorStatements,
  type KeptInspection,
  PAGE_ROWS,
  prepareInspector,
  type RevocationColumns,
  type VersionColumns,
} from './inspector-statements.ts'
import { REPLAY_BOUND, SCRUB_POSITION } from './meta.ts'

/** Little: what is read once is not needed again, and the system caches the file as well. */
const CACHE_KIB = 2 * 1024
/** Statements of one window at most. */
const WINDOW_STATEMENTS = 128
/** Versions of one window at most, unless a single statement has more: one deletes up to 4096 keys. */
const WINDOW_VERSIONS = 4096
/** Faults of its structure that the engine tells of one table. */
const STRUCTURE_FAULTS_MAX = 20

const NO_KEY = new Uint8Array(0)
const NO_TOTAL = { rows: 0, liveBytes: 0, historyBytes: 0 }

export class SqliteInspector implements DatabaseInspector {
  readonly tables: readonly string[]
  readonly #connection: Connection
  readonly #sql: InspectorStatements

  constructor(path: string) {
    this.#connection = openReader(path)
    this.#connection.pragma(`cache_size = -${CACHE_KIB}`)
    this.#sql = prepareInspector(this.#connection)
    this.tables = this.#connection
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .pluck()
      .all()
  }

  readBaseline(): Baseline {
    const sql = this.#sql
    return this.#snapshot(() => ({
      lastRowId: sql.lastRowId.get() ?? 0,
      runs: sql.runs.all(),
      packs: sql.packs.all(),
      spaces: sql.spaces.all(),
      liveObjects: sql.liveObjects.get() ?? 0,
      keptObjects: sql.keptObjects.get() ?? 0,
      keptBytes: new Map(sql.keptBytes.all()),
      statements: sql.statementCount.get() ?? 0,
      keys: sql.keys.get() ?? 0,
      delegationSpaces: sql.delegationSpaces.get() ?? 0,
      accountDelegations: sql.accountDelegations.get() ?? 0,
    }))
  }

  readWindow(afterNo: number, lastNo: number): RowWindow {
    const sql = this.#sql
    return this.#snapshot(() => {
      const endNo = this.#windowEnd(afterNo, lastNo)
      return {
        endNo,
        statements: sql.statements.all(afterNo, endNo),
        epochs: sql.epochs.all(afterNo, endNo),
        events: sql.events.all(afterNo, endNo),
        versions: sql.versions.all(afterNo, endNo).map((columns) => versionOf(columns)),
        delegations: sql.delegations.all(afterNo, endNo).map((columns) => delegationRowOf(columns)),
      }
    })
  }

  readVersion(versionNo: number): InspectedVersion | undefined {
    const columns = this.#sql.version.get(versionNo)
    return columns && versionOf(columns)
  }

  readStatement(statementNo: number): StatementRow | undefined {
    return this.#sql.statement.get(statementNo)
  }

  readCurrents(after: CurrentRow | undefined): InspectedCurrent[] {
    const { spaceNo, isDeleted, key } = after ?? { spaceNo: -1, isDeleted: false, key: NO_KEY }
    return this.#sql.currents
      .all(spaceNo, isDeleted ? 1 : 0, key, PAGE_ROWS)
      .map((columns) => currentOf(columns))
  }

  readKept(afterNo: number | undefined): InspectedKept[] {
    return this.#sql.kept.all(afterNo ?? -1, PAGE_ROWS).map((columns) => keptOf(columns))
  }

  readRevocations(after: Uint8Array | undefined): InspectedRevocation[] {
    return this.#sql.revocations
      .all(after ?? NO_KEY, PAGE_ROWS)
      .map((columns) => revocationOf(columns))
  }

  readTickets(after: Uint8Array | undefined): Checked<SignedTicketRow>[] {
    return this.#sql.tickets
      .all(after ?? NO_KEY, PAGE_ROWS)
      .map(({ crc, ...row }) => ({ row, crc }))
  }

  readMiscountedTickets(): TicketCount[] {
    return this.#sql.miscountedTickets.all()
  }

  readDelegations(digests: readonly Uint8Array[]): (DelegationRow | undefined)[] {
    return this.#snapshot(() =>
      digests.map((digest) => {
        const columns = this.#sql.delegationByCid.get(digest)
        return columns && delegationRowOf(columns).row
      }),
    )
  }

  findDelegation(statementId: Uint8Array): number | undefined {
    return this.#sql.delegationNo.get(statementId)
  }

  readNamedSpaces(delegationNo: number, spaceIds: readonly string[]): (NamedSpace | undefined)[] {
    return this.#snapshot(() =>
      spaceIds.map((spaceId) => this.#sql.delegationSpace.get(spaceId, delegationNo)),
    )
  }

  readAccountDelegations(rows: readonly AccountDelegationRow[]): (number | undefined)[] {
    return this.#snapshot(() =>
      rows.map(({ account, direction, position }) =>
        this.#sql.accountDelegation.get(account, direction, position),
      ),
    )
  }

  readAliases(after: Uint8Array | undefined): InspectedAlias[] {
    return this.#sql.aliases.all(after ?? NO_KEY, PAGE_ROWS)
  }

  readRevocation(targetStatementId: Uint8Array): RevocationRow | undefined {
    return this.#sql.revocation.get(targetStatementId)
  }

  findReplay(expiresAtS: number, statementId: Uint8Array): 'there' | 'purged' | 'missing' {
    return this.#snapshot(() => {
      if (this.#sql.replay.get(expiresAtS, statementId) !== undefined) return 'there'
      const boundS = this.#sql.meta.get(REPLAY_BOUND)?.readDoubleLE() ?? 0
      return expiresAtS <= boundS ? 'purged' : 'missing'
    })
  }

  readPlaces(rowIds: readonly number[]): (RowPlace | undefined)[] {
    return this.#snapshot(() => rowIds.map((rowId) => this.#sql.place.get(rowId, rowId)))
  }

  readPackTotals(packNos: readonly number[]): PackTotal[] {
    return this.#snapshot(() => {
      const totals = new Map(this.#sql.packTotals.all().map((total) => [total.packNo, total]))
      return packNos.map((packNo) => {
        const pack = this.#sql.pack.get(packNo)
        return { ...NO_TOTAL, ...totals.get(packNo), pack }
      })
    })
  }

  readPack(packNo: number): InspectedPack | undefined {
    return this.#sql.pack.get(packNo)
  }

  readObject(objectNo: number): InspectedObject | undefined {
    return this.#sql.object.get(objectNo)
  }

  findSpace(spaceId: string): number | undefined {
    return this.#sql.spaceNo.get(spaceId)
  }

  readScrubPosition(): Uint8Array | undefined {
    return this.#sql.meta.get(SCRUB_POSITION)
  }

  checkStructure(table: string): string[] {
    const name = table.replaceAll("'", "''")
    const lines = this.#connection
      .prepare<[], string>(`PRAGMA integrity_check('${name}')`)
      .pluck()
      .all()
    return lines.filter((line) => line !== 'ok').slice(0, STRUCTURE_FAULTS_MAX)
  }

  close(): void {
    this.#connection.close()
  }

  /** A window holds whole commands: it ends before a statement, because the rows of a command follow its statement. */
  #windowEnd(afterNo: number, lastNo: number): number {
    const { statementNos, versionCount } = this.#sql
    for (let limit = WINDOW_STATEMENTS; ; limit = Math.floor(limit / 4)) {
      const nextNo = statementNos.all(afterNo, lastNo, limit + 1)[limit]
      const endNo = nextNo === undefined ? lastNo : nextNo - 1
      const versions = versionCount.get(afterNo, endNo, WINDOW_VERSIONS + 1) ?? 0
      if (versions <= WINDOW_VERSIONS || limit <= 1) return endNo
    }
  }

  #snapshot<T>(read: () => T): T {
    this.#connection.exec('BEGIN')
    try {
      return read()
    } finally {
      this.#connection.exec('COMMIT')
    }
  }
}

function versionOf(columns: VersionColumns): InspectedVersion {
  const { crc, liveNo, deletedNo, keptNo, keptPreviousNo, ...inner } = columns
  const { objectBytes, objectSegments, objectDeadSince, ...rest } = inner
  const { previousSpaceNo, previousKey, previousDigest, ...values } = rest
  const { previousIsDeleted, previousValueBytes, ...places } = values
  const { previousPackNo, previousPackLength, previousObjectNo, ...row } = places
  return {
    row: { ...row, isDeleted: row.isDeleted === 1 },
    crc,
    previous:
      previousSpaceNo === null || previousKey === null || previousDigest === null
        ? undefined
        : {
            spaceNo: previousSpaceNo,
            key: previousKey,
            isDeleted: previousIsDeleted === 1,
            digest: previousDigest,
            valueBytes: previousValueBytes ?? 0,
            packNo: previousPackNo,
            packLength: previousPackLength,
            objectNo: previousObjectNo,
          },
    currentNo: { live: liveNo ?? undefined, deleted: deletedNo ?? undefined },
    isKept: keptNo !== null,
    keepsPrevious: keptPreviousNo !== null,
    object:
      objectBytes === null || objectSegments === null
        ? undefined
        : { valueBytes: objectBytes, segments: objectSegments, deadSinceS: objectDeadSince },
  }
}

function currentOf(columns: CurrentColumns): InspectedCurrent {
  const { crc, versionSpaceNo, versionKey, versionIsDeleted, versionSeq, ...row } = columns
  return {
    row: { ...row, isDeleted: row.isDeleted === 1 },
    crc,
    version:
      versionSpaceNo === null || versionKey === null || versionSeq === null
        ? undefined
        : {
            spaceNo: versionSpaceNo,
            key: versionKey,
            isDeleted: versionIsDeleted === 1,
            seq: versionSeq,
          },
  }
}

function keptOf(columns: KeptInspection): InspectedKept {
  const { crc, predecessorNo, versionSpaceNo, versionKey, versionSeq, ...rest } = columns
  const { versionEpochSeq, versionIsDeleted, versionBytes, versionObjectNo, ...row } = rest
  return {
    row,
    crc,
    version:
      versionSpaceNo === null || versionKey === null
        ? undefined
        : {
            spaceNo: versionSpaceNo,
            key: versionKey,
            seq: versionSeq ?? -1,
            epochSeq: versionEpochSeq ?? -1,
            isDeleted: versionIsDeleted === 1,
            valueBytes: versionBytes ?? -1,
            objectNo: versionObjectNo,
          },
    predecessorNo: predecessorNo ?? undefined,
  }
}

function revocationOf(columns: RevocationColumns): InspectedRevocation {
  const { targetStatementId, revocationNo, targetDigest, revoker, revokedAtS, ...rest } = columns
  const { crc, statementNo, ...statement } = rest
  const row = {
    targetStatementId,
    revocationNo,
    targetDigest,
    revoker,
    revokedAtS,
    statementNo,
  }
  return { row, crc, statement: isWhole(statement) ? { statementNo, ...statement } : undefined }
}

/** Of a left join without a match every column is null. */
const isWhole = (
  statement: Partial<Omit<StatementRow, 'statementNo'>>,
): statement is Omit<StatementRow, 'statementNo'> => (statement.packNo ?? null) !== null
