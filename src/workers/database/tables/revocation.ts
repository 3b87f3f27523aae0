/** Revocations, by the statement that they take back: every spelling of it is hit, also one that arrives later. */
import { type RowChecksum } from '../row-checksum.ts'

export interface RevocationRow {
  readonly targetStatementId: Uint8Array
  readonly revocationNo: number
  readonly targetDigest: Uint8Array
  readonly revoker: string
  /** When this node took it, Unix seconds. */
  readonly revokedAtS: number
  readonly statementNo: number
}

export function checksumOfRevocation(checksum: RowChecksum, row: RevocationRow): number {
  return checksum
    .start()
    .bytes(row.targetStatementId)
    .number(row.revocationNo)
    .bytes(row.targetDigest)
    .text(row.revoker)
    .number(row.revokedAtS)
    .number(row.statementNo)
    .value()
}
