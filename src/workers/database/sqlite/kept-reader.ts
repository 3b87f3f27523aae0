/** Versions of a key beside the one that counts, for whoever may read the key. */
import { type Statement } from 'better-sqlite3'
import { type VersionId } from '../../../protocol/version-id.ts'
import { StorageFault } from '../../storage-fault.ts'
import { type VersionItem, type VersionListRequest, type VersionPage } from '../facts.ts'
import { type RowChecksum } from '../row-checksum.ts'
import { type KeptRow } from '../tables/kept.ts'
import { type VersionRow } from '../tables/kv.ts'
import { type Connection } from './connection.ts'
import { KEPT_COLUMNS, type KeptColumns, soundKeptRow } from './kept-columns.ts'
import { type KeyLookup } from './key-lookup.ts'

type ById = [spaceNo: number, key: Uint8Array, seq: number, epochSeq: number]

export class KeptReader {
  readonly #checksum: RowChecksum
  readonly #keys: KeyLookup
  readonly #byId: Statement<ById, KeptColumns>
  readonly #before: Statement<[...ById, limit: number], KeptColumns>
  readonly #writtenAt: Statement<[eventNo: number], number | null>

  constructor(connection: Connection, checksum: RowChecksum, keys: KeyLookup) {
    this.#checksum = checksum
    this.#keys = keys
    this.#byId = connection
      .prepare<ById, KeptColumns>(
        `SELECT ${KEPT_COLUMNS} FROM kv_kept k
         WHERE k.space_no = ? AND k.kv_key = ? AND k.seq = ? AND k.epoch_seq = ?`,
      )
      .raw()
    this.#before = connection
      .prepare<[...ById, limit: number], KeptColumns>(
        `SELECT ${KEPT_COLUMNS} FROM kv_kept k
         WHERE k.space_no = ? AND k.kv_key = ? AND (k.seq, k.epoch_seq) < (?, ?)
         ORDER BY k.seq DESC, k.epoch_seq DESC LIMIT ?`,
      )
      .raw()
    this.#writtenAt = connection
      .prepare<[number], number | null>(
        `SELECT p.written_at FROM event e JOIN epoch p ON p.epoch_no = e.epoch_no WHERE e.event_no = ?`,
      )
      .pluck()
  }

  /** Undefined: it is not kept. @throws {StorageFault} VALUE_CORRUPT */
  find(spaceNo: number, key: Uint8Array, { seq, epochSeq }: VersionId): VersionRow | undefined {
    const columns = this.#byId.get(spaceNo, key, seq, epochSeq)
    return columns && this.#versionOf(this.#sound(columns))
  }

  /** Undefined: the key was never written. @throws {StorageFault} VALUE_CORRUPT */
  list(spaceNo: number, { key, before, limit }: VersionListRequest): VersionPage | undefined {
    const current = this.#keys.find(spaceNo, key)
    if (!current) return undefined
    const bound = before ?? current
    const items = before ? [] : [this.#itemOf(current)]
    let newer = before ? undefined : current
    for (const columns of this.#before.all(spaceNo, key, bound.seq, bound.epochSeq, limit + 1)) {
      const kept = this.#sound(columns)
      // A deletion is told beside the value that it ended; what was told just before is read already.
      const next =
        newer?.versionNo === kept.replacedByNo ? newer : this.#keys.readVersion(kept.replacedByNo)
      if (next.isDeleted && isBefore(next, bound)) items.push(this.#itemOf(next))
      newer = this.#versionOf(kept)
      items.push(this.#itemOf(newer))
    }
    return { items: items.slice(0, limit), isTruncated: items.length > limit }
  }

  #itemOf({ seq, epochSeq, isDeleted, digest, valueBytes, eventNo }: VersionRow): VersionItem {
    const writtenAtS = this.#writtenAt.get(eventNo) ?? null
    return { seq, epochSeq, isDeleted, digest, valueBytes, writtenAtS }
  }

  #sound(columns: KeptColumns): KeptRow {
    const row = soundKeptRow(this.#checksum, columns)
    if (row) return row
    const [replacedByNo] = columns
    throw damaged(replacedByNo, 'fails its checksum')
  }

  /** The row of the version has a checksum of its own, so nothing but this version of this key is ever given. */
  #versionOf({ replacedByNo, versionNo, spaceNo, key, seq, epochSeq }: KeptRow): VersionRow {
    const row = this.#keys.readVersion(versionNo)
    const isSame =
      row.spaceNo === spaceNo &&
      row.seq === seq &&
      row.epochSeq === epochSeq &&
      !row.isDeleted &&
      Buffer.compare(row.key, key) === 0
    if (!isSame) throw damaged(replacedByNo, 'names another version')
    return row
  }
}

const isBefore = (a: VersionId, b: VersionId): boolean =>
  a.seq < b.seq || (a.seq === b.seq && a.epochSeq < b.epochSeq)

const damaged = (replacedByNo: number, what: string): StorageFault =>
  new StorageFault('VALUE_CORRUPT', `kv_kept ${replacedByNo} ${what}`, {
    damaged: { kind: 'kv_kept', rowId: replacedByNo },
  })
