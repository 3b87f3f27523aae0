/** The table that says which version of a key counts, row by row. */
import { compareBytes, equalBytes } from '../../../protocol/bytes.ts'
import { type InspectedCurrent } from '../../database/inspector.ts'
import { RowChecksum } from '../../database/row-checksum.ts'
import { checksumOfCurrent } from '../../database/tables/kv.ts'
import { type CheckContext } from './context.ts'
import { readPages } from './paging.ts'

/** What the row and its place in the tree take, roughly: for the pace. */
const ROW_BYTES = 128

const checksum = new RowChecksum()

export async function checkKeys(
  context: CheckContext,
  onProgress: (done: number) => void,
): Promise<void> {
  const { inspector, pacer } = context
  const rows = readPages(
    (after: InspectedCurrent | undefined) => inspector.readCurrents(after?.row),
    compareKeys,
  )
  let done = 0
  for await (const current of rows) {
    checkCurrent(context, current)
    done += 1
    onProgress(done)
    await pacer.spend(ROW_BYTES + current.row.key.length)
  }
}

const compareKeys = ({ row: a }: InspectedCurrent, { row: b }: InspectedCurrent): number =>
  a.spaceNo - b.spaceNo || Number(a.isDeleted) - Number(b.isDeleted) || compareBytes(a.key, b.key)

function checkCurrent(
  { findings, state }: CheckContext,
  { row, crc, version }: InspectedCurrent,
): void {
  // Not by the key itself: reports and logs never hold one.
  const subject = { kind: 'kv_current', rowId: `${row.spaceNo}/${row.versionNo}` } as const
  const isSound = checksumOfCurrent(checksum, row) === crc
  if (!findings.expect(isSound, 'row', subject, 'fails its checksum')) return
  findings.count('key')
  if (state.damagedVersions.has(row.versionNo)) return
  if (!version) findings.report('key', subject, `names version ${row.versionNo}, which is gone`)
  else if (
    version.spaceNo !== row.spaceNo ||
    !equalBytes(version.key, row.key) ||
    version.isDeleted !== row.isDeleted ||
    version.seq !== row.seq
  )
    findings.report('key', subject, `does not agree with version ${row.versionNo}`)
  // A space that came after the baseline is not known.
  else if (row.versionNo <= state.baseline.lastRowId && !state.space(row.spaceNo))
    findings.report('key', subject, `names space ${row.spaceNo}, which is not there`)
}
