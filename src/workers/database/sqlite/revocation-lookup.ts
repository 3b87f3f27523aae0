/** Is a delegation taken back? Asked of the table every time: revocations are never cached (DESIGN §2). */
import { type Statement } from 'better-sqlite3'
import { type ChainLink } from '../../../protocol/authority.ts'
import { StorageFault } from '../../storage-fault.ts'
import { type RowChecksum } from '../row-checksum.ts'
import { checksumOfRevocation, type RevocationRow } from '../tables/revocation.ts'
import { type Connection } from './connection.ts'

type RevocationColumns = [
  revocationNo: number,
  targetDigest: Buffer,
  revoker: string,
  revokedAtS: number,
  statementNo: number,
  crc: number,
]

export class RevocationLookup {
  readonly #checksum: RowChecksum
  readonly #revocation: Statement<[Uint8Array], RevocationColumns>

  constructor(connection: Connection, checksum: RowChecksum) {
    this.#checksum = checksum
    this.#revocation = connection
      .prepare<[Uint8Array], RevocationColumns>(
        `SELECT revocation_no, target_digest, revoker, revoked_at, statement_no, crc
         FROM revocation WHERE target_statement_id = ?`,
      )
      .raw()
  }

  /** @throws {StorageFault} VALUE_CORRUPT */
  isRevoked(link: ChainLink): boolean {
    return this.find(link) !== undefined
  }

  /** @throws {StorageFault} VALUE_CORRUPT */
  find({ statementId }: ChainLink): RevocationRow | undefined {
    const columns = this.#revocation.get(statementId)
    if (!columns) return undefined
    const [revocationNo, targetDigest, revoker, revokedAtS, statementNo, crc] = columns
    const row = {
      targetStatementId: statementId,
      revocationNo,
      targetDigest,
      revoker,
      revokedAtS,
      statementNo,
    }
    if (checksumOfRevocation(this.#checksum, row) !== crc)
      throw new StorageFault('VALUE_CORRUPT', `revocation ${revocationNo} fails its checksum`, {
        damaged: { kind: 'revocation', rowId: revocationNo },
      })
    return row
  }
}
