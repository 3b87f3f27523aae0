/** The version of a key that counts: `kv_current` names it, `kv_version` says what it is. Both are checked. */
import { type Statement } from 'better-sqlite3'
import { StorageFault } from '../../storage-fault.ts'
import { type RowChecksum } from '../row-checksum.ts'
import { checksumOfCurrent, checksumOfVersion, type VersionRow } from '../tables/kv.ts'
import { type Connection } from './connection.ts'

type CurrentColumns = [versionNo: number, seq: number, crc: number]
type VersionColumns = [
  spaceNo: number,
  key: Buffer,
  eventNo: number,
  seq: number,
  epochSeq: number,
  previousNo: number | null,
  isDeleted: number,
  digest: Buffer,
  valueBytes: number,
  packNo: number | null,
  packOffset: number | null,
  packLength: number | null,
  objectNo: number | null,
  headers: string,
  operationIndex: number,
  crc: number,
]

export class KeyLookup {
  readonly #checksum: RowChecksum
  readonly #current: Statement<[number, number, Uint8Array], CurrentColumns>
  readonly #version: Statement<[number], VersionColumns>

  constructor(connection: Connection, checksum: RowChecksum) {
    this.#checksum = checksum
    this.#current = connection
      .prepare<[number, number, Uint8Array], CurrentColumns>(
        'SELECT version_no, seq, crc FROM kv_current WHERE space_no = ? AND is_deleted = ? AND kv_key = ?',
      )
      .raw()
    this.#version = connection
      .prepare<[number], VersionColumns>(
        `SELECT space_no, kv_key, event_no, seq, epoch_seq, previous_no, is_deleted, digest, value_bytes,
           pack_no, pack_offset, pack_length, object_no, headers, operation_index, crc
         FROM kv_version WHERE version_no = ?`,
      )
      .raw()
  }

  /** Undefined: never written. @throws {StorageFault} VALUE_CORRUPT */
  find(spaceNo: number, key: Uint8Array): VersionRow | undefined {
    return this.#find(spaceNo, key, false) ?? this.#find(spaceNo, key, true)
  }

  #find(spaceNo: number, key: Uint8Array, isDeleted: boolean): VersionRow | undefined {
    const columns = this.#current.get(spaceNo, isDeleted ? 1 : 0, key)
    if (!columns) return undefined
    const [versionNo, seq, crc] = columns
    if (checksumOfCurrent(this.#checksum, { spaceNo, isDeleted, key, versionNo, seq }) !== crc)
      throw new StorageFault(
        'VALUE_CORRUPT',
        `kv_current of version ${versionNo} fails its checksum`,
        { damaged: { kind: 'kv_current', rowId: `${spaceNo}/${versionNo}` } },
      )
    return this.readVersion(versionNo)
  }

  /** The version of this number. @throws {StorageFault} VALUE_CORRUPT */
  readVersion(versionNo: number): VersionRow {
    const columns = this.#version.get(versionNo)
    if (!columns) throw damagedVersion(versionNo, 'is missing')
    const [
      spaceNo,
      key,
      eventNo,
      seq,
      epochSeq,
      previousNo,
      isDeleted,
      digest,
      valueBytes,
      packNo,
      packOffset,
      packLength,
      objectNo,
      headers,
      operationIndex,
      crc,
    ] = columns
    const row: VersionRow = {
      versionNo,
      spaceNo,
      key,
      eventNo,
      seq,
      epochSeq,
      previousNo,
      isDeleted: isDeleted === 1,
      digest,
      valueBytes,
      packNo,
      packOffset,
      packLength,
      objectNo,
      headers,
      operationIndex,
    }
    if (checksumOfVersion(this.#checksum, row) !== crc)
      throw damagedVersion(versionNo, 'fails its checksum')
    return row
  }
}

const damagedVersion = (versionNo: number, what: string): StorageFault =>
  new StorageFault('VALUE_CORRUPT', `kv_version ${versionNo} ${what}`, {
    damaged: { kind: 'kv_version', rowId: versionNo },
  })
