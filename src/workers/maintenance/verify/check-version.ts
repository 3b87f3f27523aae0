/** Versions: what a put or delete left behind, and the value that it names, where it counts or is kept. */
import { equalBytes, toLatin1 } from '../../../protocol/bytes.ts'
import { RAW_CODEC } from '../../../protocol/cid.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { formatOperation, type HistoryOperation } from '../../../protocol/history.ts'
import { type ValuePlace } from '../../blocks/place.ts'
import { type InspectedVersion } from '../../database/inspector.ts'
import { counterOfRowId, runOfRowId } from '../../database/row-id.ts'
import { type EventRow } from '../../database/rows.ts'
import { RowChecksum } from '../../database/row-checksum.ts'
import { checksumOfVersion, type VersionRow } from '../../database/tables/kv.ts'
import { StorageFault } from '../../storage-fault.ts'
import { type CheckContext } from './context.ts'
import { type Subject } from './findings.ts'

const checksum = new RowChecksum()

/** False: the row itself is damaged, and says nothing. */
export function checkVersionRow(
  { findings, state }: CheckContext,
  { row, crc }: InspectedVersion,
): boolean {
  const subject = { kind: 'kv_version', rowId: row.versionNo } as const
  const isSound = checksumOfVersion(checksum, row) === crc
  if (!isSound) state.damagedVersions.add(row.versionNo)
  return findings.expect(isSound, 'row', subject, 'fails its checksum')
}

/** The version against its event, its predecessor and `kv_current`. The row is sound. */
export function checkVersion(
  context: CheckContext,
  version: InspectedVersion,
  event: EventRow | undefined,
  seq: number | undefined,
): void {
  const { findings } = context
  const { row } = version
  const subject = { kind: 'kv_version', rowId: row.versionNo } as const
  findings.count('version')
  if (!event) findings.report('version', subject, `belongs to no event of its statement`)
  else if (row.spaceNo !== event.spaceNo || row.epochSeq !== event.epochSeq)
    findings.report('version', subject, 'does not agree with its event')
  else if (seq !== undefined && row.seq !== seq)
    findings.report('version', subject, 'does not agree with its epoch')
  checkPredecessor(context, version, subject)
  checkCurrent(context, version, subject)
  if (row.objectNo !== null) checkObject(context, version, row.objectNo, subject)
  addBytes(context, version)
}

function checkPredecessor(
  { findings }: CheckContext,
  { row, previous }: InspectedVersion,
  subject: Subject,
): void {
  if (row.previousNo === null) {
    if (row.isDeleted) findings.report('version', subject, 'deletes what was never written')
    return
  }
  if (!previous)
    findings.report('version', subject, `names version ${row.previousNo}, which is gone`)
  else if (
    row.previousNo >= row.versionNo ||
    previous.spaceNo !== row.spaceNo ||
    !equalBytes(previous.key, row.key)
  )
    findings.report('version', subject, `does not follow version ${row.previousNo}`)
  else if (row.isDeleted && !equalBytes(row.digest, previous.digest))
    findings.report('version', subject, 'deletes another value than the one before it')
}

/** The newest version of a key counts, and it counts as what it is. */
function checkCurrent(
  { findings }: CheckContext,
  { row, currentNo: { live, deleted } }: InspectedVersion,
  subject: Subject,
): void {
  findings.count('key')
  if (live !== undefined && deleted !== undefined)
    findings.report('key', subject, 'its key is both live and deleted')
  else if (live === undefined && deleted === undefined)
    findings.report('key', subject, 'its key has no row that says which version counts')
  else if ((live ?? deleted ?? 0) < row.versionNo)
    findings.report('key', subject, `an older version of its key counts: ${live ?? deleted}`)
}

/** Also of a version that counts no more, as long as its object has a row. */
function checkObject(
  { findings, state }: CheckContext,
  { row, object }: InspectedVersion,
  objectNo: number,
  subject: Subject,
): void {
  const run = state.run(runOfRowId(objectNo))
  if (!run || counterOfRowId(objectNo) > run.objectMark)
    findings.report('run', subject, `names object ${objectNo}, above the mark of its run`)
  if (object && object.valueBytes !== row.valueBytes)
    findings.report('value', subject, `object ${objectNo} is of another length`)
}

/**
 * What the version adds to the counters of its space and packs, and what it takes from its predecessor's. Bytes and objects
 * of kept values are counted from the rows that keep them; only packs are told here, where they were just looked up.
 */
function addBytes(
  { state }: CheckContext,
  { row, previous, keepsPrevious }: InspectedVersion,
): void {
  const space = state.space(row.spaceNo)
  if (space) space.liveBytes += row.valueBytes - (previous?.valueBytes ?? 0)
  if (row.packNo !== null) state.addValue(row.packNo, row.versionNo, row.packLength ?? 0)
  if (previous && previous.packNo !== null && !keepsPrevious)
    state.tally(previous.packNo).liveBytes -= previous.packLength ?? 0
  if (row.objectNo !== null) state.liveObjects += 1
  if (previous && previous.objectNo !== null) state.liveObjects -= 1
}

/** The block of one put or delete, as its version makes it. */
export interface OperationBlock {
  readonly digest: Uint8Array
  readonly lengthBytes: number
}

/** The operation that the version is the effect of. @throws what a damaged row makes JSON.parse throw */
export function operationOf({ key, isDeleted, digest, headers }: VersionRow): OperationBlock {
  const path = toLatin1(key)
  const operation: HistoryOperation = isDeleted
    ? { key: path, version: null }
    : { key: path, value: digest, metadata: Object.fromEntries(JSON.parse(headers)) }
  const block = formatOperation(operation)
  return { digest: blake3(block), lengthBytes: block.length }
}

/** Reads the value of a version that counts or is kept. */
export async function checkValue(context: CheckContext, version: InspectedVersion): Promise<void> {
  const { findings, blocks, inspector, state } = context
  const { versionNo } = version.row
  if (version.row.isDeleted || !isNeeded(version)) return
  findings.count('value')
  const { fault, row } = await blocks.readStable(
    version,
    (current) => readValue(context, current),
    async () => {
      const next = await inspector.readVersion(versionNo)
      return next && isNeeded(next) ? next : undefined
    },
    isSamePlace,
  )
  if (fault === undefined) return
  if (row && row.row.packNo !== null)
    state.brokenSections.add(`${row.row.packNo}:${row.row.packOffset}`)
  findings.report('value', { kind: 'kv_version', rowId: versionNo }, fault)
}

const isNeeded = ({ row, currentNo, isKept }: InspectedVersion): boolean =>
  isKept || currentNo.live === row.versionNo

const isSamePlace = (a: InspectedVersion, b: InspectedVersion): boolean =>
  a.row.packNo === b.row.packNo &&
  a.row.packOffset === b.row.packOffset &&
  a.row.objectNo === b.row.objectNo

async function readValue({ blocks }: CheckContext, version: InspectedVersion): Promise<void> {
  const { digest, valueBytes } = version.row
  const place = placeOf(version)
  if (place.kind === 'object') {
    await blocks.readObject(place, digest)
    return
  }
  const data = await blocks.readSection({ place, digest, codec: RAW_CODEC })
  if (data.length !== valueBytes)
    throw new StorageFault('VALUE_CORRUPT', `has ${data.length} bytes instead of ${valueBytes}`)
}

/** @throws {StorageFault} VALUE_CORRUPT when the row names no place that there is */
function placeOf({ row, object }: InspectedVersion): ValuePlace {
  const { packNo, packOffset, packLength, objectNo, valueBytes } = row
  const isPacked = packNo !== null && packOffset !== null && packLength !== null
  if (isPacked && objectNo === null)
    return { kind: 'pack', packNo, offset: packOffset, lengthBytes: packLength }
  if (objectNo === null || packNo !== null)
    throw new StorageFault('VALUE_CORRUPT', 'names no place, or two')
  if (!object) throw new StorageFault('VALUE_MISSING', `names object ${objectNo}, which is gone`)
  if (object.deadSinceS !== null)
    throw new StorageFault('VALUE_CORRUPT', `names object ${objectNo}, which was dropped`)
  return { kind: 'object', objectNo, valueBytes, segments: object.segments }
}
