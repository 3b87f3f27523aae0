/** The SQL of the inspector: columns under the names that the rows have in memory, each list written once. */
import { type Statement } from 'better-sqlite3'
import {
  type InspectedAlias,
  type InspectedObject,
  type InspectedPack,
  type NamedSpace,
  type PackTotal,
  type RowPlace,
  type TicketCount,
} from '../inspector.ts'
import {
  type EpochRow,
  type EventRow,
  type RunRow,
  type SpaceRow,
  type StatementRow,
} from '../rows.ts'
import { type KeptRow } from '../tables/kept.ts'
import { type CurrentRow, type VersionRow } from '../tables/kv.ts'
import { type RevocationRow } from '../tables/revocation.ts'
import { type SignedTicketRow } from '../tables/signed-ticket.ts'
import { type Connection } from './connection.ts'
import { prepareMetaRead } from './meta.ts'
import { DELEGATION_COLUMNS, type DelegationColumns } from './delegation-columns.ts'

/** Rows of one page of a table that is read by its key. */
export const PAGE_ROWS = 512

/** A truth value as SQLite has it. */
export type Stored<Row> = {
  [Field in keyof Row]: Row[Field] extends boolean ? number : Row[Field]
}
type WithCrc<Row> = Row & { readonly crc: number }

/** The version that `previous_no` names; every column null where there is none. */
export type PreviousColumns = {
  readonly [
    Field in
      | 'spaceNo'
      | 'key'
      | 'isDeleted'
      | 'digest'
      | 'valueBytes'
      | 'packNo'
      | 'packLength'
      | 'objectNo' as `previous${Capitalize<Field>}`
  ]: Stored<VersionRow>[Field] | null
}
export type VersionColumns = WithCrc<Stored<VersionRow>> &
  PreviousColumns & {
    readonly liveNo: number | null
    readonly deletedNo: number | null
    /** Null: it is not kept. */
    readonly keptNo: number | null
    readonly keptPreviousNo: number | null
    readonly objectBytes: number | null
    readonly objectSegments: Buffer | null
    readonly objectDeadSince: number | null
  }
export type CurrentColumns = WithCrc<Stored<CurrentRow>> & {
  readonly versionSpaceNo: number | null
  readonly versionKey: Buffer | null
  readonly versionIsDeleted: number | null
  readonly versionSeq: number | null
}
export type KeptInspection = WithCrc<KeptRow> & {
  readonly versionSpaceNo: number | null
  readonly versionKey: Buffer | null
  readonly versionSeq: number | null
  readonly versionEpochSeq: number | null
  readonly versionIsDeleted: number | null
  readonly versionBytes: number | null
  readonly versionObjectNo: number | null
  readonly predecessorNo: number | null
}
export type RevocationColumns = WithCrc<RevocationRow> & Partial<StatementRow>
type PackTotalColumns = Omit<PackTotal, 'pack'> & { readonly packNo: number }

const STATEMENT = `statement_no AS statementNo, kind, digest, statement_id AS statementId,
  pack_no AS packNo, pack_offset AS packOffset, pack_length AS packLength, token_length AS tokenLength`

const PACK = `pack_no AS packNo, run_no AS runNo, state, kind, first_row_id AS firstRowId, file_bytes AS fileBytes,
  index_bytes AS indexBytes, live_bytes AS liveBytes, history_bytes AS historyBytes`

const VERSION = `SELECT v.version_no AS versionNo, v.space_no AS spaceNo, v.kv_key AS key, v.event_no AS eventNo,
    v.seq, v.epoch_seq AS epochSeq, v.previous_no AS previousNo, v.is_deleted AS isDeleted, v.digest,
    v.value_bytes AS valueBytes, v.pack_no AS packNo, v.pack_offset AS packOffset, v.pack_length AS packLength,
    v.object_no AS objectNo, v.headers, v.operation_index AS operationIndex, v.crc,
    p.space_no AS previousSpaceNo, p.kv_key AS previousKey, p.is_deleted AS previousIsDeleted,
    p.digest AS previousDigest, p.value_bytes AS previousValueBytes, p.pack_no AS previousPackNo,
    p.pack_length AS previousPackLength, p.object_no AS previousObjectNo,
    live.version_no AS liveNo, deleted.version_no AS deletedNo,
    k.replaced_by_no AS keptNo, kp.replaced_by_no AS keptPreviousNo,
    o.value_bytes AS objectBytes, o.segments AS objectSegments, o.dead_since AS objectDeadSince
  FROM kv_version v
  LEFT JOIN kv_version p ON p.version_no = v.previous_no
  LEFT JOIN kv_current live
    ON live.space_no = v.space_no AND live.is_deleted = 0 AND live.kv_key = v.kv_key
  LEFT JOIN kv_current deleted
    ON deleted.space_no = v.space_no AND deleted.is_deleted = 1 AND deleted.kv_key = v.kv_key
  LEFT JOIN kv_kept k
    ON k.space_no = v.space_no AND k.kv_key = v.kv_key AND k.seq = v.seq AND k.epoch_seq = v.epoch_seq
    AND k.version_no = v.version_no
  LEFT JOIN kv_kept kp ON kp.replaced_by_no = v.version_no
  LEFT JOIN object o ON o.object_no = v.object_no`

const KEPT = `SELECT k.replaced_by_no AS replacedByNo, k.version_no AS versionNo, k.space_no AS spaceNo,
    k.kv_key AS key, k.seq, k.epoch_seq AS epochSeq, k.position, k.value_bytes AS valueBytes,
    k.object_no AS objectNo, k.replaced_at AS replacedAtS, k.crc,
    v.space_no AS versionSpaceNo, v.kv_key AS versionKey, v.seq AS versionSeq, v.epoch_seq AS versionEpochSeq,
    v.is_deleted AS versionIsDeleted, v.value_bytes AS versionBytes, v.object_no AS versionObjectNo,
    r.previous_no AS predecessorNo
  FROM kv_kept k
  LEFT JOIN kv_version v ON v.version_no = k.version_no
  LEFT JOIN kv_version r ON r.version_no = k.replaced_by_no
  WHERE k.replaced_by_no > ? ORDER BY k.replaced_by_no LIMIT ?`

const IN_WINDOW = (column: string): string => `${column} > ? AND ${column} <= ? ORDER BY ${column}`

/** What the rows say of a pack: its statements, its versions, and which of those count for their key or are kept. */
const PACK_TOTALS = `SELECT packNo, sum(rows) AS rows, sum(bytes) AS liveBytes, sum(history) AS historyBytes FROM (
    SELECT pack_no AS packNo, count(*) AS rows, sum(pack_length) AS bytes, sum(pack_length) AS history
    FROM statement GROUP BY pack_no
    UNION ALL
    SELECT v.pack_no, count(*),
      sum(CASE WHEN c.version_no IS NULL AND k.version_no IS NULL THEN 0 ELSE v.pack_length END), 0
    FROM kv_version v
    LEFT JOIN kv_current c ON c.space_no = v.space_no AND c.is_deleted = 0 AND c.kv_key = v.kv_key
      AND c.version_no = v.version_no
    LEFT JOIN kv_kept k
      ON k.space_no = v.space_no AND k.kv_key = v.kv_key AND k.seq = v.seq AND k.epoch_seq = v.epoch_seq
    AND k.version_no = v.version_no
    WHERE v.pack_no IS NOT NULL GROUP BY v.pack_no
  ) GROUP BY packNo`

const BASELINE = {
  lastRowId: `SELECT max(
      ifnull((SELECT max(statement_no) FROM statement), 0), ifnull((SELECT max(epoch_no) FROM epoch), 0),
      ifnull((SELECT max(event_no) FROM event), 0), ifnull((SELECT max(version_no) FROM kv_version), 0),
      ifnull((SELECT max(delegation_no) FROM delegation), 0))`,
  runs: `SELECT run_no AS runNo, run_id AS runId, started_at AS startedAtS, group_no AS groupNo, pack_no AS packNo,
      pack_bytes AS packBytes, object_mark AS objectMark, ended_at AS endedAtS, cleaned_at AS cleanedAtS
    FROM run ORDER BY run_no`,
  packs: `SELECT ${PACK} FROM pack ORDER BY pack_no`,
  spaces: `SELECT space_no AS spaceNo, space_id AS spaceId, owner, hosted_at AS hostedAtS, next_seq AS nextSeq, heads,
      last_epoch_no AS lastEpochNo, last_event_no AS lastEventNo, live_bytes AS liveBytes,
      history_bytes AS historyBytes
    FROM space ORDER BY space_no`,
  liveObjects: 'SELECT count(*) FROM object WHERE dead_since IS NULL',
  keptObjects: 'SELECT count(object_no) FROM kv_kept',
  keptBytes: 'SELECT space_no, sum(value_bytes) FROM kv_kept GROUP BY space_no',
  statements: 'SELECT count(*) FROM statement',
  keys: 'SELECT count(*) FROM kv_current',
  delegationSpaces: 'SELECT count(*) FROM delegation_space',
  accountDelegations: 'SELECT count(*) FROM account_delegation',
} as const

type Range = [after: number, last: number]

/** Prepared once for each connection. */
export interface InspectorStatements {
  readonly lastRowId: Statement<[], number>
  readonly runs: Statement<[], RunRow>
  readonly packs: Statement<[], InspectedPack>
  readonly spaces: Statement<[], SpaceRow>
  readonly liveObjects: Statement<[], number>
  readonly keptObjects: Statement<[], number>
  readonly keptBytes: Statement<[], [spaceNo: number, bytes: number]>
  readonly statementCount: Statement<[], number>
  readonly keys: Statement<[], number>
  readonly delegationSpaces: Statement<[], number>
  readonly accountDelegations: Statement<[], number>
  readonly statementNos: Statement<[after: number, last: number, limit: number], number>
  readonly versionCount: Statement<[after: number, last: number, limit: number], number>
  readonly statements: Statement<Range, StatementRow>
  readonly epochs: Statement<Range, EpochRow>
  readonly events: Statement<Range, EventRow>
  readonly versions: Statement<Range, VersionColumns>
  readonly delegations: Statement<Range, DelegationColumns>
  readonly version: Statement<[number], VersionColumns>
  readonly statement: Statement<[number], StatementRow>
  readonly currents: Statement<
    [spaceNo: number, isDeleted: number, key: Uint8Array, limit: number],
    CurrentColumns
  >
  readonly kept: Statement<[afterNo: number, limit: number], KeptInspection>
  readonly revocations: Statement<[after: Uint8Array, limit: number], RevocationColumns>
  readonly revocation: Statement<[Uint8Array], RevocationRow>
  readonly tickets: Statement<[after: Uint8Array, limit: number], WithCrc<SignedTicketRow>>
  readonly miscountedTickets: Statement<[], TicketCount>
  readonly delegationByCid: Statement<[Uint8Array], DelegationColumns>
  readonly delegationNo: Statement<[Uint8Array], number>
  readonly delegationSpace: Statement<[spaceId: string, delegationNo: number], NamedSpace>
  readonly accountDelegation: Statement<
    [account: string, direction: string, position: Uint8Array],
    number
  >
  readonly aliases: Statement<[after: Uint8Array, limit: number], InspectedAlias>
  readonly replay: Statement<[number, Uint8Array], number>
  readonly meta: Statement<[string], Buffer>
  readonly place: Statement<[number, number], RowPlace>
  readonly packTotals: Statement<[], PackTotalColumns>
  readonly pack: Statement<[number], InspectedPack>
  readonly object: Statement<[number], InspectedObject>
  readonly spaceNo: Statement<[string], number>
}

export function prepareInspector(connection: Connection): InspectorStatements {
  return {
    lastRowId: connection.prepare<[], number>(BASELINE.lastRowId).pluck(),
    runs: connection.prepare<[], RunRow>(BASELINE.runs),
    packs: connection.prepare<[], InspectedPack>(BASELINE.packs),
    spaces: connection.prepare<[], SpaceRow>(BASELINE.spaces),
    liveObjects: connection.prepare<[], number>(BASELINE.liveObjects).pluck(),
    keptObjects: connection.prepare<[], number>(BASELINE.keptObjects).pluck(),
    keptBytes: connection.prepare<[], [spaceNo: number, bytes: number]>(BASELINE.keptBytes).raw(),
    statementCount: connection.prepare<[], number>(BASELINE.statements).pluck(),
    keys: connection.prepare<[], number>(BASELINE.keys).pluck(),
    delegationSpaces: connection.prepare<[], number>(BASELINE.delegationSpaces).pluck(),
    accountDelegations: connection.prepare<[], number>(BASELINE.accountDelegations).pluck(),
    statementNos: connection
      .prepare<[number, number, number], number>(
        `SELECT statement_no FROM statement WHERE ${IN_WINDOW('statement_no')} LIMIT ?`,
      )
      .pluck(),
    versionCount: connection
      .prepare<[number, number, number], number>(
        `SELECT count(*) FROM (SELECT 1 FROM kv_version WHERE ${IN_WINDOW('version_no')} LIMIT ?)`,
      )
      .pluck(),
    statements: connection.prepare<Range, StatementRow>(
      `SELECT ${STATEMENT} FROM statement WHERE ${IN_WINDOW('statement_no')}`,
    ),
    epochs: connection.prepare<Range, EpochRow>(
      `SELECT epoch_no AS epochNo, space_no AS spaceNo, seq, digest, block, previous_no AS previousNo,
         written_at AS writtenAtS
       FROM epoch WHERE ${IN_WINDOW('epoch_no')}`,
    ),
    events: connection.prepare<Range, EventRow>(
      `SELECT event_no AS eventNo, space_no AS spaceNo, epoch_no AS epochNo, epoch_seq AS epochSeq,
         statement_no AS statementNo, previous_no AS previousNo
       FROM event WHERE ${IN_WINDOW('event_no')}`,
    ),
    versions: connection.prepare<Range, VersionColumns>(
      `${VERSION} WHERE ${IN_WINDOW('v.version_no')}`,
    ),
    delegations: connection
      .prepare<Range, DelegationColumns>(
        `SELECT ${DELEGATION_COLUMNS} FROM delegation WHERE ${IN_WINDOW('delegation_no')}`,
      )
      .raw(),
    version: connection.prepare<[number], VersionColumns>(`${VERSION} WHERE v.version_no = ?`),
    statement: connection.prepare<[number], StatementRow>(
      `SELECT ${STATEMENT} FROM statement WHERE statement_no = ?`,
    ),
    currents: connection.prepare<[number, number, Uint8Array, number], CurrentColumns>(
      `SELECT c.space_no AS spaceNo, c.is_deleted AS isDeleted, c.kv_key AS key, c.version_no AS versionNo, c.seq,
         c.crc, v.space_no AS versionSpaceNo, v.kv_key AS versionKey, v.is_deleted AS versionIsDeleted,
         v.seq AS versionSeq
       FROM kv_current c LEFT JOIN kv_version v ON v.version_no = c.version_no
       WHERE (c.space_no, c.is_deleted, c.kv_key) > (?, ?, ?)
       ORDER BY c.space_no, c.is_deleted, c.kv_key LIMIT ?`,
    ),
    kept: connection.prepare<[number, number], KeptInspection>(KEPT),
    ...prepareRights(connection),
    ...prepareFiles(connection),
  }
}

const MISCOUNTED_TICKETS = `SELECT spaceNo, sum(counted) AS counted, sum(there) AS there FROM (
    SELECT space_no AS spaceNo, tickets AS counted, 0 AS there FROM signed_kv_ticket_count
    UNION ALL
    SELECT space_no, 0, count(*) FROM signed_kv_ticket GROUP BY space_no
  ) GROUP BY spaceNo HAVING sum(counted) <> sum(there) ORDER BY spaceNo LIMIT ${PAGE_ROWS}`

type RightsStatements = Pick<
  InspectorStatements,
  | 'revocations'
  | 'revocation'
  | 'tickets'
  | 'miscountedTickets'
  | 'delegationByCid'
  | 'delegationNo'
  | 'delegationSpace'
  | 'accountDelegation'
  | 'aliases'
  | 'replay'
  | 'meta'
>

function prepareRights(connection: Connection): RightsStatements {
  const revocation = `r.target_statement_id AS targetStatementId, r.revocation_no AS revocationNo,
    r.target_digest AS targetDigest, r.revoker, r.revoked_at AS revokedAtS, r.statement_no AS statementNo`
  return {
    revocations: connection.prepare<[Uint8Array, number], RevocationColumns>(
      `SELECT ${revocation}, r.crc, s.kind, s.digest, s.statement_id AS statementId, s.pack_no AS packNo,
         s.pack_offset AS packOffset, s.pack_length AS packLength, s.token_length AS tokenLength
       FROM revocation r LEFT JOIN statement s ON s.statement_no = r.statement_no
       WHERE r.target_statement_id > ? ORDER BY r.target_statement_id LIMIT ?`,
    ),
    revocation: connection.prepare<[Uint8Array], RevocationRow>(
      `SELECT ${revocation} FROM revocation r WHERE r.target_statement_id = ?`,
    ),
    tickets: connection.prepare<[Uint8Array, number], WithCrc<SignedTicketRow>>(
      `SELECT ticket_id AS ticketId, signer, space_no AS spaceNo, kv_key AS key, digest, created_at AS createdAtS,
         expires_at AS expiresAtS, closure, crc
       FROM signed_kv_ticket WHERE ticket_id > ? ORDER BY ticket_id LIMIT ?`,
    ),
    miscountedTickets: connection.prepare<[], TicketCount>(MISCOUNTED_TICKETS),
    delegationByCid: connection
      .prepare<[Uint8Array], DelegationColumns>(
        `SELECT ${DELEGATION_COLUMNS} FROM delegation
         WHERE delegation_no = (SELECT delegation_no FROM delegation_cid WHERE digest = ?)`,
      )
      .raw(),
    delegationNo: connection
      .prepare<[Uint8Array], number>('SELECT delegation_no FROM delegation WHERE statement_id = ?')
      .pluck(),
    delegationSpace: connection.prepare<[string, number], NamedSpace>(
      `SELECT d.event_no AS eventNo FROM space s JOIN delegation_space d ON d.space_no = s.space_no
       WHERE s.space_id = ? AND d.delegation_no = ?`,
    ),
    accountDelegation: connection
      .prepare<[string, string, Uint8Array], number>(
        `SELECT delegation_no FROM account_delegation
         WHERE account = ? AND direction = ? AND position = ?`,
      )
      .pluck(),
    aliases: connection.prepare<[Uint8Array, number], InspectedAlias>(
      `SELECT c.digest, c.delegation_no AS delegationNo, d.digest AS firstDigest
       FROM delegation_cid c LEFT JOIN delegation d ON d.delegation_no = c.delegation_no
       WHERE c.digest > ? ORDER BY c.digest LIMIT ?`,
    ),
    replay: connection
      .prepare<[number, Uint8Array], number>(
        'SELECT 1 FROM replay WHERE expires_at = ? AND statement_id = ?',
      )
      .pluck(),
    meta: prepareMetaRead(connection),
  }
}

type FileStatements = Pick<
  InspectorStatements,
  'place' | 'packTotals' | 'pack' | 'object' | 'spaceNo'
>

function prepareFiles(connection: Connection): FileStatements {
  const place = 'pack_no AS packNo, pack_offset AS packOffset, pack_length AS packLength'
  return {
    place: connection.prepare<[number, number], RowPlace>(
      `SELECT ${place} FROM statement WHERE statement_no = ?
       UNION ALL SELECT ${place} FROM kv_version WHERE version_no = ?`,
    ),
    packTotals: connection.prepare<[], PackTotalColumns>(PACK_TOTALS),
    pack: connection.prepare<[number], InspectedPack>(`SELECT ${PACK} FROM pack WHERE pack_no = ?`),
    object: connection.prepare<[number], InspectedObject>(
      'SELECT value_bytes AS valueBytes, segments, dead_since AS deadSinceS FROM object WHERE object_no = ?',
    ),
    spaceNo: connection
      .prepare<[string], number>('SELECT space_no FROM space WHERE space_id = ?')
      .pluck(),
  }
}
