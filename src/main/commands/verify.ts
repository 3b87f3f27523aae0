/**
 * `tinycloud verify [--json] [--quarantine]`: checks everything that is stored, beside a running node or on a stopped
 * one, with the configuration that the node has.
 *
 * Exit code 0: everything is as it was written. 1: something is damaged; the report says what. 2: it could not be done.
 */
import { parseArgs } from 'node:util'

import { MAINTENANCE_WORKER_URL } from '../../workers/worker-urls.ts'
import { parseConfig } from '../config/config.ts'
import { type StoragePlan } from '../config/storage-plan.ts'
import { faultOf, formatFault } from '../fault.ts'
import { StartFault } from '../../workers/storage/request.ts'
import { runVerification } from '../maintenance-client.ts'
import { type Command, type CommandContext, UsageError } from './command.ts'
import { ProgressDisplay } from './verify-progress.ts'
import { formatReport } from './verify-report.ts'

const VERIFY_EXIT = { sound: 0, damaged: 1, undone: 2 } as const

interface Arguments {
  readonly json: boolean
  readonly quarantine: boolean
}

export const verify: Command = async (args, context) => {
  const given = parseArguments(args)
  try {
    return await verifyConfigured(given, context)
  } catch (error) {
    context.writeError(formatFault(faultOf(error)))
    return VERIFY_EXIT.undone
  }
}

async function verifyConfigured(
  { json, quarantine }: Arguments,
  context: CommandContext,
): Promise<number> {
  const { storage } = parseConfig(context)
  const { databasePath, blocksPath } = keptPlaces(storage)
  const display = new ProgressDisplay({
    isTerminal: context.isTerminal ?? false,
    write: context.writeError,
    nowMs: () => performance.now(),
  })
  const verification = runVerification(
    MAINTENANCE_WORKER_URL,
    {
      task: 'verify',
      database: { type: 'sqlite', path: databasePath },
      blocks: { type: 'local', path: blocksPath },
      quarantine,
    },
    (progress) => display.show(progress),
  )
  const report = await verification.finally(() => display.close())
  const places = { database: databasePath, blocks: blocksPath }
  if (json) context.writeLine(JSON.stringify({ ...places, ...report }, undefined, 2))
  else for (const line of formatReport(places, report)) context.writeLine(line)
  if (quarantine && !report.isQuarantined)
    throw new StartFault({
      what: 'The quarantine was not written',
      why: 'a node is running here, and only it may write to its database',
      remedy: 'Leave it to the scrub of the node, or stop the node and verify again.',
    })
  return report.problems === 0 ? VERIFY_EXIT.sound : VERIFY_EXIT.damaged
}

function parseArguments(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        quarantine: { type: 'boolean', default: false },
      },
    })
    return values
  } catch (error) {
    if (error instanceof TypeError)
      throw new UsageError(`tinycloud verify: ${error.message}`, { cause: error })
    throw error
  }
}

/** @throws {StartFault} when the node is configured to keep nothing */
function keptPlaces(plan: StoragePlan): Extract<StoragePlan, { kind: 'kept' }> {
  if (plan.kind === 'kept') return plan
  throw new StartFault({
    what: 'There is nothing to verify',
    why: 'the database is sqlite::memory:, which keeps nothing',
    remedy: 'Set storage.datadir as for the node (TINYCLOUD_STORAGE_DATADIR=./data).',
  })
}
