/** Walks over everything that was ever accepted, in the order in which it was committed. */
import { sqliteCode } from '../../database/sqlite/connection.ts'
import { checkCommand } from './check-command.ts'
import { commandsOf, type StoredCommand } from './command-window.ts'
import { type CheckContext } from './context.ts'
import { OpenEpochs } from './open-epochs.ts'

/** What the rows of a command take beside its blocks, roughly: for the pace. */
const ROWS_BYTES = 1024

/** `onProgress` gets the id up to which everything was looked at. */
export async function checkHistory(
  context: CheckContext,
  onProgress: (afterNo: number) => void,
): Promise<void> {
  const { inspector, state, pacer } = context
  const { lastRowId } = state.baseline
  const epochs = new OpenEpochs(context.findings)
  let afterNo = 0
  while (afterNo < lastRowId) {
    const window = await inspector.readWindow(afterNo, lastRowId)
    for (const command of commandsOf(window)) {
      await checkOne(context, epochs, command)
      await pacer.spend(ROWS_BYTES)
    }
    afterNo = window.endNo
    onProgress(afterNo)
  }
  epochs.finish()
}

/** Rows that were damaged in an odd way must not end the walk. */
async function checkOne(
  context: CheckContext,
  epochs: OpenEpochs,
  command: StoredCommand,
): Promise<void> {
  try {
    await checkCommand(context, epochs, command)
  } catch (error) {
    // Pages that cannot be read are no matter of one command.
    if (sqliteCode(error) !== undefined) throw error
    const rowId = command.statement?.statementNo ?? 0
    context.findings.report(
      'statement',
      { kind: 'statement', rowId },
      `its rows cannot be understood: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
