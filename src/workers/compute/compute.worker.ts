/**
 * Entry of a compute worker: one exported function per task, no logic. Called by main through the pool.
 * Guarantees: tasks change no rows and no committed blocks; a refusal is returned, a thrown error is a bug.
 * Lost with the worker: the streams that it holds, which main fails.
 */
import { createSecretKey, randomBytes } from 'node:crypto'
import { move, transferableSymbol, valueSymbol, workerData } from 'piscina'
import { ProtocolError } from '../../protocol/error.ts'
import { deriveSeed } from '../../protocol/host-key.ts'
import { releaseBytes } from '../../protocol/release-bytes.ts'
import { openBlockReader } from '../blocks/reader.ts'
import { openStaging } from '../blocks/staging.ts'
import { openDatabaseReader } from '../database/reader.ts'
import { StorageFault } from '../storage-fault.ts'
import { runBatch } from './batch.ts'
import { type ComputeContext } from './context.ts'
import { packStagedPuts } from './form/staged-puts.ts'
import { listWindow as readListWindow } from './invoke/list.ts'
import { unpackForm } from './prepared.ts'
import {
  type BatchResult,
  type ComputeOptions,
  type StreamTasks,
  type TaskOutcome,
} from './request.ts'
import { Streams } from './streams.ts'

const context = openContext(workerData as ComputeOptions)

function openContext(options: ComputeOptions): ComputeContext {
  const staging = openStaging(options.blocks, options.run, options.staging)
  return {
    database: openDatabaseReader(options.database),
    blocks: openBlockReader(options.blocks),
    staging,
    streams: new Streams(staging),
    secret: options.secret,
    cursorKey: createSecretKey(deriveSeed(options.secret, 'tinycloud/kv/list-cursor')),
    ticketKey: createSecretKey(deriveSeed(options.secret, 'tinycloud/kv/signed-urls')),
    invocationLifetimeS: options.invocationLifetimeS,
    clockSkewS: options.clockSkewS,
    implicitText: options.implicitText,
    spaceLimits: options.spaceLimits,
    keepRule: options.keepRule,
    askable: options.askable,
    nowS: () => Date.now() / 1000,
    randomBytes,
  }
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<TaskOutcome<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (error instanceof ProtocolError)
      return { ok: false, failure: { code: error.code, detail: error.detail } }
    if (error instanceof StorageFault)
      return { ok: false, failure: { code: error.code, detail: '' }, damage: error.damage }
    throw error
  }
}

/** Marks a task's result so that these buffers move to main instead of being copied. */
function transferring<T extends object>(value: T, buffers: readonly ArrayBuffer[]): T {
  const movable = {
    get [transferableSymbol](): object {
      return buffers
    },
    get [valueSymbol](): object {
      return value
    },
  }
  return move(movable) as unknown as T
}

type Task<Name extends keyof StreamTasks> = (
  args: StreamTasks[Name]['args'],
) => Promise<StreamTasks[Name]['result']>

/** Taken: the batch. Both buffers of the result are transferred. */
export async function batch(entries: ArrayBuffer): Promise<BatchResult> {
  const result = await runBatch(context, entries)
  const { results, commands } = result
  return transferring(result, commands ? [results, commands] : [results])
}

export const open: Task<'open'> = ({ streamId, prepared }) =>
  outcomeOf(async () => {
    context.streams.openUpload(streamId, unpackForm(prepared))
    return null
  })

export const append: Task<'append'> = ({ streamId, chunk }) =>
  outcomeOf(async () => {
    await context.streams.append(streamId, chunk)
    releaseBytes(chunk)
    return null
  })

export const finish: Task<'finish'> = async ({ streamId }) => {
  const outcome = await outcomeOf(async () =>
    packStagedPuts(await context.streams.finish(streamId)),
  )
  return transferring(outcome, outcome.ok ? [outcome.value.buffer] : [])
}

export const discard: Task<'discard'> = ({ streamId }) =>
  outcomeOf(async () => {
    await context.streams.discard(streamId)
    return null
  })

export const window: Task<'window'> = async ({ streamId }) => {
  const outcome = await outcomeOf(() => context.streams.window(streamId))
  return transferring(outcome, outcome.ok ? [outcome.value.bytes.buffer as ArrayBuffer] : [])
}

export const listWindow: Task<'listWindow'> = ({ continuation }) =>
  outcomeOf(() => readListWindow(context, continuation))
