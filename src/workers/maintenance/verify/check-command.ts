/**
 * Checks one command as it is stored: the statement with its token and record, its events, versions and delegation.
 * A row that fails by itself is reported once; what only follows from it is not compared.
 */
import { equalBytes, toLatin1 } from '../../../protocol/bytes.ts'
import { type SignedToken } from '../../../protocol/authority.ts'
import { formatBase64url } from '../../../protocol/base64url.ts'
import { parseToken, statementId } from '../../../protocol/token.ts'
import { type InspectedVersion } from '../../database/inspector.ts'
import { type EventRow, type StatementRow } from '../../database/rows.ts'
import { type CheckContext } from './context.ts'
import { checkDelegation } from './check-delegation.ts'
import { checkInvocation } from './check-invocation.ts'
import { checkRecord } from './check-record.ts'
import { checkRevocation } from './check-revocation.ts'
import {
  checkValue,
  checkVersion,
  checkVersionRow,
  type OperationBlock,
  operationOf,
} from './check-version.ts'
import { type StoredCommand } from './command-window.ts'
import { type OpenEpochs } from './open-epochs.ts'

/** A command whose rows are sound one by one. */
export interface SoundCommand extends StoredCommand {
  readonly statement: StatementRow
  readonly token: SignedToken
}

/** First bytes of a CBOR map: a CACAO. A JWT is ASCII. */
const MAP_FIRST = 0xa0
const MAP_LAST = 0xbf

export async function checkCommand(
  context: CheckContext,
  epochs: OpenEpochs,
  command: StoredCommand,
): Promise<void> {
  const { findings, state } = context
  const { statement } = command
  if (statement) state.statements += 1
  epochs.settle(state.statements)
  for (const epoch of command.epochs)
    epochs.open(epoch, state.space(epoch.spaceNo), state.statements)
  if (!statement) {
    reportStrays(context, command)
    return
  }
  findings.count('statement')
  const operations = checkVersions(context, epochs, command)
  checkEvents(context, epochs, command, operations)
  state.addRecord(statement.packNo, statement.statementNo, statement.packLength)
  if (statement.statementNo <= context.blocksAfterNo) {
    // What its token names is not looked at, so it cannot be counted either.
    state.isCountSuspect = true
    return
  }
  if (await checkBlocks(context, command, operations)) return
  for (const { epochNo } of command.events) epochs.suspect(epochNo)
}

/** Rows that were written with a statement that is not there. */
function reportStrays({ findings }: CheckContext, command: StoredCommand): void {
  for (const { eventNo } of command.events)
    findings.report('event', { kind: 'event', rowId: eventNo }, 'its statement is gone')
  for (const { row } of command.versions)
    findings.report(
      'version',
      { kind: 'kv_version', rowId: row.versionNo },
      'its statement is gone',
    )
  for (const { row } of command.delegations)
    findings.report(
      'delegation',
      { kind: 'delegation', rowId: row.delegationNo },
      'its statement is gone',
    )
}

/** The operation blocks in the order of their statement; undefined: a version is damaged. */
function checkVersions(
  context: CheckContext,
  epochs: OpenEpochs,
  { versions, events }: StoredCommand,
): readonly OperationBlock[] | undefined {
  const operations: OperationBlock[] = []
  let isWhole = true
  for (const version of versions) {
    const { row } = version
    if (!checkVersionRow(context, version)) {
      isWhole = false
      continue
    }
    const event = events.find(({ eventNo }) => eventNo === row.eventNo)
    const epoch = event && epochs.find(event.epochNo)
    checkVersion(context, version, event, epoch?.row.seq)
    operations[row.operationIndex] = operationOf(row)
  }
  // An index without a version leaves a hole; one that two versions claim leaves fewer blocks than versions.
  if (isWhole && Object.keys(operations).length === versions.length) {
    if (operations.length === versions.length) return operations
  }
  if (isWhole)
    for (const { row } of versions)
      context.findings.report(
        'version',
        { kind: 'kv_version', rowId: row.versionNo },
        'the operations of its statement are not numbered from 0',
      )
  for (const { epochNo, spaceNo } of events) {
    epochs.suspect(epochNo)
    const space = context.state.space(spaceNo)
    if (space) space.isSuspect = true
  }
  context.state.isCountSuspect = true
  return undefined
}

function checkEvents(
  { findings, state }: CheckContext,
  epochs: OpenEpochs,
  { statement, events, versions }: StoredCommand,
  operations: readonly OperationBlock[] | undefined,
): void {
  if (!statement) return
  for (const event of events) {
    const subject = { kind: 'event', rowId: event.eventNo } as const
    findings.count('event')
    const space = state.space(event.spaceNo)
    const epoch = epochs.find(event.epochNo)
    const fault = faultOfEvent(event, statement, {
      space: space?.row.spaceNo,
      lastEventNo: space?.lastEventNo,
      epochSpace: epoch?.row.spaceNo,
      epochSeq: epoch?.events.length,
    })
    if (fault !== undefined) {
      findings.report('event', subject, fault)
      epochs.suspect(event.epochNo)
    }
    epoch?.events.push({
      digest: statement.digest,
      operations: operations ? digestsOf(event, versions, operations) : [],
    })
    if (!space) continue
    space.lastEventNo = event.eventNo
    space.historyBytes += statement.packLength
  }
}

function faultOfEvent(
  event: EventRow,
  statement: StatementRow,
  met: {
    readonly space: number | undefined
    readonly lastEventNo: number | null | undefined
    readonly epochSpace: number | undefined
    readonly epochSeq: number | undefined
  },
): string | undefined {
  if (event.statementNo !== statement.statementNo)
    return `names statement ${event.statementNo} and was written with ${statement.statementNo}`
  if (met.space === undefined) return `names space ${event.spaceNo}, which is not there`
  if (met.epochSpace === undefined) return `names epoch ${event.epochNo}, which is not there`
  if (met.epochSpace !== event.spaceNo) return 'is in an epoch of another space'
  if (met.epochSeq !== event.epochSeq) return 'is not at its place in its epoch'
  if (met.lastEventNo !== event.previousNo) return 'does not follow the last event of its space'
  return undefined
}

/** Digests of the operations of one event, in the order of the statement. */
function digestsOf(
  { eventNo }: EventRow,
  versions: readonly InspectedVersion[],
  operations: readonly OperationBlock[],
): Uint8Array[] {
  return versions
    .filter(({ row }) => row.eventNo === eventNo)
    .toSorted((a, b) => a.row.operationIndex - b.row.operationIndex)
    .map(({ row }) => operations[row.operationIndex])
    .filter((operation) => operation !== undefined)
    .map(({ digest }) => digest)
}

/** Everything that needs the bytes in the packs. False: what the statement says cannot be trusted. */
async function checkBlocks(
  context: CheckContext,
  command: StoredCommand,
  operations: readonly OperationBlock[] | undefined,
): Promise<boolean> {
  const { findings } = context
  const { statement } = command
  if (!statement) return true
  for (const version of command.versions) await checkValue(context, version)
  const bytes = await checkRecord(context, statement, operations)
  if (!bytes) {
    context.state.isCountSuspect = true
    return false
  }
  const token = tokenOf(bytes)
  const subject = { kind: 'statement', rowId: statement.statementNo } as const
  findings.count('token')
  if (!token || !equalBytes(statementId(token), statement.statementId)) {
    findings.report('token', subject, token ? 'its statement id is another' : 'it is no token')
    return true
  }
  context.signatures?.check(token, subject)
  const checkMeaning = MEANINGS.get(statement.kind)
  if (!checkMeaning) findings.report('statement', subject, 'it is of no kind that there is')
  // What damaged versions do not say cannot be compared with the token.
  else if (operations) await checkMeaning(context, { ...command, statement, token })
  return true
}

/** What the token says against the rows that it led to. By kind, which in a damaged row may be any text. */
const MEANINGS: ReadonlyMap<
  string,
  (context: CheckContext, command: SoundCommand) => Promise<void>
> = new Map([
  ['invocation', checkInvocation],
  ['delegation', checkDelegation],
  ['revocation', checkRevocation],
])

function tokenOf(bytes: Uint8Array): SignedToken | undefined {
  const [first = 0] = bytes
  const isCacao = first >= MAP_FIRST && first <= MAP_LAST
  try {
    const text = isCacao ? formatBase64url(bytes, { padding: 'required' }) : toLatin1(bytes)
    // Whether a contract may sign was decided when it came.
    return parseToken(text, () => true)
  } catch {
    return undefined
  }
}
