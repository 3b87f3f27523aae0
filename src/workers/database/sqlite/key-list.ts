/**
 * Live keys of a space in byte order. Deleted keys have their own range of the primary key (space, deleted, key), so a
 * page costs what it returns, whatever was deleted in between.
 *
 * A key is ASCII, so SQLite hands it out as text: as bytes, with memory of its own, a hundred keys take longer than all
 * the rest of a list (measured). Other bytes in a row are damage, and its checksum tells.
 */
import { type Statement } from 'better-sqlite3'
import { compareBytes } from '../../../protocol/bytes.ts'
import { StorageFault } from '../../storage-fault.ts'
import { type KeyList as KeyPage, type KeyListRequest } from '../facts.ts'
import { type RowChecksum } from '../row-checksum.ts'
import { checksumOfCurrent } from '../tables/kv.ts'
import { type Connection } from './connection.ts'

type ListColumns = [key: string, versionNo: number, seq: number, crc: number]

const COLUMNS =
  'CAST(kv_key AS TEXT), version_no, seq, crc FROM kv_current WHERE space_no = ? AND is_deleted = 0'

export class KeyList {
  readonly #checksum: RowChecksum
  readonly #from: Statement<[number, Uint8Array, Uint8Array, number], ListColumns>
  readonly #after: Statement<[number, Uint8Array, Uint8Array, number], ListColumns>

  constructor(connection: Connection, checksum: RowChecksum) {
    this.#checksum = checksum
    const prepare = (
      lower: '>=' | '>',
    ): Statement<[number, Uint8Array, Uint8Array, number], ListColumns> =>
      connection
        .prepare<[number, Uint8Array, Uint8Array, number], ListColumns>(
          `SELECT ${COLUMNS} AND kv_key ${lower} ? AND kv_key < ? ORDER BY kv_key LIMIT ?`,
        )
        .raw()
    this.#from = prepare('>=')
    this.#after = prepare('>')
  }

  /** @throws {StorageFault} VALUE_CORRUPT for a row that fails its checksum */
  read(spaceNo: number | undefined, { prefix, after, limit }: KeyListRequest): KeyPage {
    if (spaceNo === undefined) return { keys: [], isTruncated: false }
    const end = endOfPrefix(prefix)
    const rows =
      after !== undefined && compareBytes(after, prefix) >= 0
        ? this.#after.all(spaceNo, after, end, limit + 1)
        : this.#from.all(spaceNo, prefix, end, limit + 1)
    const keys: string[] = []
    for (const [key, versionNo, seq, crc] of rows) {
      const row = { spaceNo, isDeleted: false, key, versionNo, seq }
      if (checksumOfCurrent(this.#checksum, row) !== crc)
        throw new StorageFault(
          'VALUE_CORRUPT',
          `kv_current of version ${versionNo} fails its checksum`,
          { damaged: { kind: 'kv_current', rowId: `${spaceNo}/${versionNo}` } },
        )
      if (keys.length < limit) keys.push(key)
    }
    return { keys, isTruncated: rows.length > limit }
  }
}

/** Above all that is ASCII. */
const END_OF_KEYS = Uint8Array.of(0x80)

/** The first byte string after all those that begin with `prefix`, which is ASCII. */
function endOfPrefix(prefix: Uint8Array): Uint8Array {
  const last = prefix.at(-1)
  if (last === undefined) return END_OF_KEYS
  const end = Uint8Array.from(prefix)
  end[end.length - 1] = last + 1
  return end
}
