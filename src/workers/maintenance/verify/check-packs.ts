/** Packs: the file against its row, its sections, its index against the rows, and what of it is live. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { equalBytes } from '../../../protocol/bytes.ts'
import { systemCode } from '../../blocks/file-system.ts'
import { packPath } from '../../blocks/layout.ts'
import { PACK_HEADER } from '../../blocks/packs/pack-file.ts'
import { type PackEntry, parsePackIndex } from '../../blocks/packs/pack-index.ts'
import { type InspectedPack, type PackTotal } from '../../database/inspector.ts'
import { runOfRowId } from '../../database/row-id.ts'
import { sqliteCode } from '../../database/sqlite/connection.ts'
import { type CheckContext } from './context.ts'
import { type Subject } from './findings.ts'
import { PackScan } from './pack-scan.ts'

/** Entries of an index whose rows are read in one snapshot. */
const PLACES_PER_READ = 512
/** Faults that are told of one pack: a file that was overwritten would fill a report. */
const FAULTS_PER_PACK_MAX = 20

/** A pack whose rows do not add up, perhaps because they were being moved. */
interface Doubt {
  readonly packNo: number
  /** Rows that its index names and that name it; undefined: it has no index. */
  readonly indexedRows: number | undefined
}

export async function checkPacks(
  context: CheckContext,
  root: string,
  onProgress: (done: number) => void,
): Promise<void> {
  const doubts: Doubt[] = []
  for (const [done, pack] of context.state.baseline.packs.entries()) {
    onProgress(done)
    if (pack.state === 'dead') {
      // Nothing of it is read, and soon it is gone. No row may need it.
      const { liveBytes } = context.state.tally(pack.packNo)
      if (liveBytes > 0) doubts.push({ packNo: pack.packNo, indexedRows: undefined })
      continue
    }
    try {
      const doubt = await checkPack(context, root, pack)
      if (doubt) doubts.push(doubt)
    } catch (error) {
      const code = systemCode(error)
      if (code === undefined || sqliteCode(error) !== undefined) throw error
      const subject = { kind: 'pack', rowId: pack.packNo } as const
      context.findings.report('pack', subject, `its file cannot be read (${code})`)
    }
  }
  for (const packNo of context.state.unknownPacks) doubts.push({ packNo, indexedRows: undefined })
  await settleDoubts(context, doubts)
}

async function checkPack(
  context: CheckContext,
  root: string,
  pack: InspectedPack,
): Promise<Doubt | undefined> {
  const { findings, inspector, state } = context
  const subject = { kind: 'pack', rowId: pack.packNo } as const
  findings.count('pack')
  const tally = state.tally(pack.packNo)
  checkRow(context, pack, tally.firstRowId, subject)
  const descriptor = openPack(root, pack.packNo)
  if (descriptor === undefined) {
    const now = await inspector.readPack(pack.packNo)
    // A row is there before its file, and after it: then no row may name it.
    const isEmpty = tally.rows === 0 && pack.state === 'writing'
    if (now && now.state !== 'dead' && !isEmpty)
      findings.report('pack', subject, 'its file is missing')
    return undefined
  }
  try {
    const index = await scanPack(context, pack, descriptor, subject)
    const indexedRows = index && (await checkIndex(context, pack, index, subject))
    const isEven =
      tally.liveBytes === pack.liveBytes &&
      tally.historyBytes === pack.historyBytes &&
      (indexedRows === undefined || indexedRows === tally.rows)
    return isEven ? undefined : { packNo: pack.packNo, indexedRows }
  } finally {
    closeSync(descriptor)
  }
}

const STATES: ReadonlySet<string> = new Set(['writing', 'sealed', 'dead'])
const KINDS: ReadonlySet<string> = new Set(['active', 'value', 'history'])

/** What the row says of itself. `firstRowId`: the first row that names the pack. */
function checkRow(
  { findings, state }: CheckContext,
  pack: InspectedPack,
  firstRowId: number,
  subject: Subject,
): void {
  const { packNo, runNo, kind } = pack
  if (!STATES.has(pack.state) || !KINDS.has(kind) || runNo !== runOfRowId(packNo))
    findings.report('pack', subject, 'its row makes no sense')
  else if (!state.run(runNo)) findings.report('pack', subject, `its run ${runNo} is not there`)
  if (firstRowId < pack.firstRowId || (kind === 'active' && pack.firstRowId !== packNo))
    findings.report('pack', subject, 'it holds rows before the first that it should hold')
}

/** Undefined: there is no such file. */
function openPack(root: string, packNo: number): number | undefined {
  try {
    return openSync(packPath(root, packNo), 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Reads the whole pack. Gives the entries of its index; undefined: it has none yet, or it is damaged. */
async function scanPack(
  context: CheckContext,
  pack: InspectedPack,
  descriptor: number,
  subject: Subject,
): Promise<PackEntry[] | undefined> {
  const { findings, pacer, state } = context
  const isSealed = pack.state === 'sealed'
  const committedBytes = state.committedBytes(pack)
  const { size: fileBytes } = fstatSync(descriptor)
  if (fileBytes < committedBytes || (isSealed && fileBytes !== committedBytes))
    findings.report('pack', subject, `its file has ${fileBytes} bytes instead of ${committedBytes}`)
  if (committedBytes === 0) return undefined
  if (!hasHeader(descriptor)) findings.report('pack', subject, 'its file has no header of a CAR')

  const endBytes = Math.min(fileBytes, committedBytes)
  const scan = new PackScan(descriptor, PACK_HEADER.length, endBytes)
  const faults: string[] = []
  let index: PackEntry[] | undefined
  let brokenSections = 0
  for (let scanned = scan.next(); scanned; scanned = scan.next()) {
    const { bytes, offset, isSound } = scanned
    findings.count('pack')
    const name = `${pack.packNo}:${offset}`
    // Of one that a row needs the row was told.
    if (!isSound && !state.brokenSections.has(name) && ++brokenSections <= FAULTS_PER_PACK_MAX)
      findings.report('pack', { kind: 'pack', rowId: name }, 'the section fails its hash')
    if (isSealed && isSound && scan.offset === endBytes) {
      index = readIndex(bytes)
      if (index && bytes.length !== pack.indexBytes) faults.push('its index is of another length')
    }
    await pacer.spend(bytes.length)
  }
  if (scan.offset < endBytes) faults.push(`what lies at ${scan.offset} is no section`)
  else if (isSealed && !index) faults.push('it does not end with an index')
  for (const fault of faults) findings.report('pack', subject, fault)
  return index
}

function hasHeader(descriptor: number): boolean {
  const header = Buffer.alloc(PACK_HEADER.length)
  readSync(descriptor, header, 0, header.length, 0)
  return equalBytes(header, PACK_HEADER)
}

/** Undefined: the section is no index. */
function readIndex(section: Uint8Array): PackEntry[] | undefined {
  try {
    return parsePackIndex(section)
  } catch {
    return undefined
  }
}

/** How many rows name the places that the index gives them. */
async function checkIndex(
  { findings, inspector }: CheckContext,
  { packNo }: InspectedPack,
  index: readonly PackEntry[],
  subject: Subject,
): Promise<number> {
  let indexedRows = 0
  for (let first = 0; first < index.length; first += PLACES_PER_READ) {
    const entries = index.slice(first, first + PLACES_PER_READ)
    const places = await inspector.readPlaces(entries.map(({ rowId }) => rowId))
    for (const [position, { rowId, offset, lengthBytes }] of entries.entries()) {
      const place = places[position]
      if (!place) findings.report('pack', subject, `its index names row ${rowId}, which is gone`)
      // A row that names another pack was moved there.
      if (place?.packNo !== packNo) continue
      indexedRows += 1
      if (place.packOffset !== offset || place.packLength !== lengthBytes)
        findings.report('pack', subject, `its index gives row ${rowId} another place`)
    }
  }
  return indexedRows
}

/**
 * Compares once more what did not add up, now with everything from one snapshot: rows that were being moved while the
 * walk was under way add up then.
 */
async function settleDoubts(
  { findings, inspector }: CheckContext,
  doubts: readonly Doubt[],
): Promise<void> {
  if (doubts.length === 0) return
  const totals = await inspector.readPackTotals(doubts.map(({ packNo }) => packNo))
  for (const [position, { packNo, indexedRows }] of doubts.entries()) {
    const total = totals[position]
    const fault = total && faultOfTotal(total, indexedRows)
    if (fault !== undefined) findings.report('pack', { kind: 'pack', rowId: packNo }, fault)
  }
}

function faultOfTotal(
  { pack, rows, liveBytes, historyBytes }: PackTotal,
  indexedRows: number | undefined,
): string | undefined {
  if (!pack) return liveBytes > 0 ? 'it has no row, and others need it' : undefined
  if (pack.state === 'dead')
    return liveBytes > 0 ? 'it counts as dead, and rows need it' : undefined
  if (pack.liveBytes !== liveBytes || pack.historyBytes !== historyBytes)
    return `its live bytes are ${pack.liveBytes} (${pack.historyBytes} of history), and its rows make ${liveBytes} (${historyBytes})`
  if (indexedRows !== undefined && indexedRows < rows)
    return `its index names ${indexedRows} of its ${rows} rows`
  return undefined
}
