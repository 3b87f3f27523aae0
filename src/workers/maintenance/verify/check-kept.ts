/** Kept versions, row by row: each is a value that was replaced, and the version that replaced it says so. */
import { equalBytes } from '../../../protocol/bytes.ts'
import { isSameVersion } from '../../../protocol/version-id.ts'
import { type InspectedKept } from '../../database/inspector.ts'
import { RowChecksum } from '../../database/row-checksum.ts'
import { checksumOfKept } from '../../database/tables/kept.ts'
import { type CheckContext } from './context.ts'
import { readPages } from './paging.ts'

/** What the row takes, roughly: for the pace. */
const ROW_BYTES = 192

const checksum = new RowChecksum()

export async function checkKept(context: CheckContext): Promise<void> {
  const { inspector, pacer } = context
  const rows = readPages(
    (after: InspectedKept | undefined) => inspector.readKept(after?.row.replacedByNo),
    (a, b) => a.row.replacedByNo - b.row.replacedByNo,
  )
  for await (const kept of rows) {
    checkOne(context, kept)
    await pacer.spend(ROW_BYTES + kept.row.key.length)
  }
}

function checkOne(
  { findings, state }: CheckContext,
  { row, crc, version, predecessorNo }: InspectedKept,
): void {
  const subject = { kind: 'kv_kept', rowId: row.replacedByNo } as const
  const isSound = checksumOfKept(checksum, row) === crc
  if (!findings.expect(isSound, 'row', subject, 'fails its checksum')) return
  findings.count('kept')
  const { versionNo, replacedByNo } = row
  if (state.damagedVersions.has(versionNo) || state.damagedVersions.has(replacedByNo)) return
  if (!version) findings.report('kept', subject, `names version ${versionNo}, which is gone`)
  else if (
    version.isDeleted ||
    version.spaceNo !== row.spaceNo ||
    !equalBytes(version.key, row.key) ||
    !isSameVersion(version, row) ||
    version.valueBytes !== row.valueBytes ||
    version.objectNo !== row.objectNo
  )
    findings.report('kept', subject, `does not agree with version ${versionNo}`)
  else if (predecessorNo !== versionNo)
    findings.report('kept', subject, `version ${replacedByNo} did not replace it`)
}
