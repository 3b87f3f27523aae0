/** What the walk has counted against what the rows of spaces, runs and objects say. */
import { equalBytes } from '../../../protocol/bytes.ts'
import { parseSpaceId } from '../../../protocol/resource.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { type CheckName } from './checks.ts'
import { type CheckContext } from './context.ts'
import { type SpaceWalk } from './walk-state.ts'

/** Runs that may be under way: one, and the one that follows it when its row ids are spent. */
const OPEN_RUNS_MAX = 2

/** When the walk has come to the end of the baseline. */
export async function checkTotals(context: CheckContext): Promise<void> {
  const { state } = context
  for (const space of state.spaces) await checkSpace(context, space)
  checkRuns(context)
  if (state.isCountSuspect) return
  const { liveObjects, keptObjects, delegationSpaces, accountDelegations } = state.baseline
  expectRows(context, 'object', 'object', liveObjects, state.liveObjects + keptObjects)
  expectRows(context, 'delegation', 'delegation_space', delegationSpaces, state.delegationSpaces)
  expectRows(
    context,
    'delegation',
    'account_delegation',
    accountDelegations,
    state.accountDelegations,
  )
}

/** As many rows as others name: together with each that is named being there, there are no others. */
function expectRows(
  { findings }: CheckContext,
  check: CheckName,
  table: string,
  stored: number,
  named: number,
): void {
  findings.expect(
    stored === named,
    check,
    { kind: 'database', rowId: table },
    `it has ${stored} rows that count, and ${named} are named`,
  )
}

async function checkSpace(
  { findings, inspector, state }: CheckContext,
  space: SpaceWalk,
): Promise<void> {
  const { row } = space
  const subject = { kind: 'space', rowId: row.spaceNo } as const
  findings.count('space')
  const keptBytes = state.baseline.keptBytes.get(row.spaceNo) ?? 0
  const heads = space.head ?? new Uint8Array(0)
  if (!equalBytes(row.heads, heads)) findings.report('space', subject, 'its heads are others')
  const faults = [
    ['next seq', row.nextSeq, space.nextSeq],
    ['last epoch', row.lastEpochNo, space.lastEpochNo],
    ['last event', row.lastEventNo, space.lastEventNo],
    ...(space.isSuspect
      ? []
      : ([
          ['live bytes', row.liveBytes, space.liveBytes],
          ['history bytes', row.historyBytes, space.historyBytes + keptBytes],
        ] as const)),
  ] as const
  for (const [name, stored, counted] of faults)
    if (stored !== counted)
      findings.report('space', subject, `its ${name} is ${stored}, and its rows make ${counted}`)
  if (row.hostedAtS === null && space.nextSeq > 0)
    findings.report('space', subject, 'it has a history and is not hosted')
  if (row.hostedAtS !== null && space.nextSeq === 0)
    findings.report('space', subject, 'it is hosted and nothing hosts it')
  const isFound = (await inspector.findSpace(row.spaceId)) === row.spaceNo
  if (!isFound || ownerOf(row.spaceId) !== row.owner)
    findings.report('space', subject, 'its name and its owner do not agree')
}

function ownerOf(spaceId: string): string | undefined {
  try {
    return parseSpaceId(spaceId).owner
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function checkRuns({ findings, state }: CheckContext): void {
  const { runs } = state.baseline
  for (const [index, { runNo, endedAtS, cleanedAtS }] of runs.entries()) {
    const subject = { kind: 'run', rowId: runNo } as const
    findings.count('run')
    if (endedAtS === null && index < runs.length - OPEN_RUNS_MAX)
      findings.report('run', subject, 'it never ended, and others came after it')
    if (endedAtS === null && cleanedAtS !== null)
      findings.report('run', subject, 'its files were put in order and it never ended')
  }
}
