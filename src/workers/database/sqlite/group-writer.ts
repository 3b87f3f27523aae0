/** Apply on SQLite: the rows of one group, inside its transaction, with statements prepared once. */
import { RowChecksum } from '../row-checksum.ts'
import { checksumOfDelegation, type DelegationRow } from '../tables/delegation.ts'
import {
  type CurrentRow,
  checksumOfCurrent,
  checksumOfVersion,
  type VersionRow,
} from '../tables/kv.ts'
import { checksumOfRevocation } from '../tables/revocation.ts'
import { type CurrentChange, type GroupChanges, RunEnded, type RunProgress } from '../transactor.ts'
import { type SpaceRow } from '../rows.ts'
import { type Connection } from './connection.ts'
import { insertInto } from './insert-into.ts'
import { KeptWriter } from './kept-writer.ts'
import { prepareMetaWrite, REPLAY_BOUND } from './meta.ts'
import { TicketWriter } from './ticket-writer.ts'

/** Replay rows that one group removes at most, so that a purge never delays it much. */
const PURGED_REPLAYS_MAX = 16_384

type ReplayColumns = [expiresAtS: number, statementId: Buffer]

const prepareAll = (connection: Connection) =>
  ({
    run: connection.prepare(
      `UPDATE run SET group_no = ?, pack_no = ?, pack_bytes = ?, object_mark = ?
       WHERE run_no = ? AND ended_at IS NULL`,
    ),
    insertSpace: insertInto(connection, 'space', 10),
    updateSpace: connection.prepare(
      `UPDATE space SET hosted_at = ?, next_seq = ?, heads = ?, last_epoch_no = ?, last_event_no = ?,
         live_bytes = ?, history_bytes = ? WHERE space_no = ?`,
    ),
    statement: insertInto(connection, 'statement', 8),
    epoch: insertInto(connection, 'epoch', 7),
    event: insertInto(connection, 'event', 6),
    version: insertInto(connection, 'kv_version', 17),
    insertCurrent: insertInto(connection, 'kv_current', 6),
    updateCurrent: connection.prepare(
      `UPDATE kv_current SET version_no = ?, seq = ?, crc = ?
       WHERE space_no = ? AND is_deleted = ? AND kv_key = ?`,
    ),
    deleteCurrent: connection.prepare(
      'DELETE FROM kv_current WHERE space_no = ? AND is_deleted = ? AND kv_key = ?',
    ),
    object: insertInto(connection, 'object', 4),
    killObject: connection.prepare('UPDATE object SET dead_since = ? WHERE object_no = ?'),
    delegation: insertInto(connection, 'delegation', 18),
    delegationCid: connection.prepare(
      'INSERT INTO delegation_cid VALUES (?, ?) ON CONFLICT (digest) DO NOTHING',
    ),
    delegationSpace: insertInto(connection, 'delegation_space', 3),
    accountDelegation: insertInto(connection, 'account_delegation', 4),
    revocation: insertInto(connection, 'revocation', 7),
    replay: insertInto(connection, 'replay', 2),
    pack: connection.prepare(
      'UPDATE pack SET live_bytes = live_bytes + ?, history_bytes = history_bytes + ? WHERE pack_no = ?',
    ),
    lastOfPurge: connection
      .prepare<[number, number], ReplayColumns>(
        `SELECT expires_at, statement_id FROM replay WHERE expires_at <= ?
         ORDER BY expires_at, statement_id LIMIT 1 OFFSET ?`,
      )
      .raw(),
    lastExpired: connection
      .prepare<[number], ReplayColumns>(
        `SELECT expires_at, statement_id FROM replay WHERE expires_at <= ?
         ORDER BY expires_at DESC, statement_id DESC LIMIT 1`,
      )
      .raw(),
    deleteReplays: connection.prepare(
      'DELETE FROM replay WHERE (expires_at, statement_id) <= (?, ?)',
    ),
    setMeta: prepareMetaWrite(connection),
  }) as const

export class GroupWriter {
  readonly #statements: ReturnType<typeof prepareAll>
  readonly #checksum = new RowChecksum()
  readonly #tickets: TicketWriter
  readonly #kept: KeptWriter

  constructor(connection: Connection) {
    this.#statements = prepareAll(connection)
    this.#tickets = new TicketWriter(connection, this.#checksum)
    this.#kept = new KeptWriter(connection, this.#checksum)
  }

  /** @throws {RunEnded} when no row of this run is left to update */
  apply(changes: GroupChanges): void {
    this.#updateRun(changes.run)
    this.#writeSpaces(changes)
    this.#writeHistory(changes)
    for (const row of changes.versions) this.#insertVersion(row)
    for (const change of changes.currents) this.#writeCurrent(change)
    if (changes.kept) this.#kept.apply(changes.kept)
    this.#writeFiles(changes)
    this.#writeRights(changes)
    for (const { expiresAtS, statementId } of changes.replays)
      this.#statements.replay.run(expiresAtS, statementId)
    for (const row of changes.tickets) this.#tickets.insert(row)
    if (!changes.purge) return
    this.#purgeReplays(changes.purge.replaysToS)
    this.#tickets.purge(changes.purge.ticketsToS)
  }

  #updateRun({ groupNo, packNo, packBytes, objectMark, runNo }: RunProgress): void {
    const { changes } = this.#statements.run.run(groupNo, packNo, packBytes, objectMark, runNo)
    if (changes !== 1) throw new RunEnded(`run ${runNo} was ended by somebody else`)
  }

  #writeSpaces({ newSpaces, changedSpaces }: GroupChanges): void {
    const { insertSpace, updateSpace } = this.#statements
    for (const space of newSpaces)
      insertSpace.run(space.spaceNo, space.spaceId, space.owner, ...progressOf(space))
    for (const space of changedSpaces) updateSpace.run(...progressOf(space), space.spaceNo)
  }

  #writeHistory({ statements, epochs, events }: GroupChanges): void {
    for (const row of statements)
      this.#statements.statement.run(
        row.statementNo,
        row.kind,
        row.digest,
        row.statementId,
        row.packNo,
        row.packOffset,
        row.packLength,
        row.tokenLength,
      )
    for (const row of epochs)
      this.#statements.epoch.run(
        row.epochNo,
        row.spaceNo,
        row.seq,
        row.digest,
        row.block,
        row.previousNo,
        row.writtenAtS,
      )
    for (const row of events)
      this.#statements.event.run(
        row.eventNo,
        row.spaceNo,
        row.epochNo,
        row.epochSeq,
        row.statementNo,
        row.previousNo,
      )
  }

  #insertVersion(row: VersionRow): void {
    this.#statements.version.run(
      row.versionNo,
      row.spaceNo,
      row.key,
      row.eventNo,
      row.seq,
      row.epochSeq,
      row.previousNo,
      row.isDeleted ? 1 : 0,
      row.digest,
      row.valueBytes,
      row.packNo,
      row.packOffset,
      row.packLength,
      row.objectNo,
      row.headers,
      row.operationIndex,
      checksumOfVersion(this.#checksum, row),
    )
  }

  #writeCurrent({ row, found }: CurrentChange): void {
    const { insertCurrent, updateCurrent, deleteCurrent } = this.#statements
    const { spaceNo, key, versionNo, seq } = row
    const isDeleted = row.isDeleted ? 1 : 0
    const crc = checksumOfCurrent(this.#checksum, row)
    if (found === stateOf(row)) {
      updateCurrent.run(versionNo, seq, crc, spaceNo, isDeleted, key)
      return
    }
    if (found !== 'none') deleteCurrent.run(spaceNo, 1 - isDeleted, key)
    insertCurrent.run(spaceNo, isDeleted, key, versionNo, seq, crc)
  }

  #writeFiles({ objects, deadObjects, deadAtS, packs }: GroupChanges): void {
    const { object, killObject, pack } = this.#statements
    for (const { objectNo, valueBytes, segments } of objects)
      object.run(objectNo, valueBytes, segments, null)
    for (const objectNo of deadObjects) killObject.run(deadAtS, objectNo)
    for (const [packNo, { liveBytes, historyBytes }] of packs)
      if (liveBytes !== 0 || historyBytes !== 0) pack.run(liveBytes, historyBytes, packNo)
  }

  #writeRights(changes: GroupChanges): void {
    for (const row of changes.delegations) this.#insertDelegation(row)
    for (const { digest, delegationNo } of changes.delegationCids)
      this.#statements.delegationCid.run(digest, delegationNo)
    for (const { spaceNo, delegationNo, eventNo } of changes.delegationSpaces)
      this.#statements.delegationSpace.run(spaceNo, delegationNo, eventNo)
    for (const { account, direction, position, delegationNo } of changes.accountDelegations)
      this.#statements.accountDelegation.run(account, direction, position, delegationNo)
    for (const row of changes.revocations)
      this.#statements.revocation.run(
        row.targetStatementId,
        row.revocationNo,
        row.targetDigest,
        row.revoker,
        row.revokedAtS,
        row.statementNo,
        checksumOfRevocation(this.#checksum, row),
      )
  }

  #insertDelegation(row: DelegationRow): void {
    this.#statements.delegation.run(
      row.delegationNo,
      row.statementId,
      row.digest,
      row.encoding,
      row.delegator,
      row.delegatee,
      row.notBeforeS,
      row.expiresAtS,
      row.issuedAtS,
      row.effectiveNotBeforeS,
      row.effectiveExpiresAtS,
      row.isTerminal ? 1 : 0,
      row.capabilities,
      row.parents,
      row.closure,
      row.accounts,
      row.statementNo,
      checksumOfDelegation(this.#checksum, row),
    )
  }

  /**
   * Removes the oldest expired rows, and raises the bound to what was removed: not to the clock, which may be wrong by
   * years and would then refuse every invocation once it is right again.
   */
  #purgeReplays(toS: number): void {
    const { lastOfPurge, lastExpired, deleteReplays, setMeta } = this.#statements
    const last = lastOfPurge.get(toS, PURGED_REPLAYS_MAX - 1) ?? lastExpired.get(toS)
    if (!last) return
    const [expiresAtS, statementId] = last
    deleteReplays.run(expiresAtS, statementId)
    const bound = Buffer.alloc(8)
    bound.writeDoubleLE(expiresAtS)
    setMeta.run(REPLAY_BOUND, bound)
  }
}

const stateOf = ({ isDeleted }: CurrentRow): 'live' | 'deleted' => (isDeleted ? 'deleted' : 'live')

/** The columns of a space that change. */
const progressOf = (space: SpaceRow): (number | Uint8Array | null)[] => [
  space.hostedAtS,
  space.nextSeq,
  space.heads,
  space.lastEpochNo,
  space.lastEventNo,
  space.liveBytes,
  space.historyBytes,
]
