/** GROUP_LIMITS and CHECKPOINT_LIMITS: throughput, and how long one group keeps the next one waiting. */
import { ENTRIES_PER_BATCH_MAX } from '../../src/workers/compute/request.ts'
import { type CheckpointLimits, CHECKPOINT_LIMITS } from '../../src/workers/storage/checkpointer.ts'
import { GROUP_LIMITS, type GroupLimits } from '../../src/workers/storage/mailbox.ts'
import { type MutateCommand } from '../../src/workers/storage/request.ts'
import { type StorageSurroundings } from '../../src/workers/storage/start-storage.ts'
import { summariseLatencies } from '../load/latency.ts'
import { median } from '../machine.ts'
import {
  createPuts,
  type Scale,
  sendAll,
  type Trial,
  type TrialResult,
  type TrialStorage,
  withStorage,
} from './trial.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** What reaches the mailbox at once. */
const COMMANDS_PER_MESSAGE = ENTRIES_PER_BATCH_MAX
/** Replies of one group leave together, and come within a moment. */
const SAME_GROUP_MS = 0.2

const COMMANDS_TRIED = [16, 64, 256, 1024]
const SMALL_VALUE_BYTES = KIB
const SMALL_PUTS = 12_000
const BYTES_TRIED = [1, 8, 32].map((mebibytes) => mebibytes * MIB)
const MIDDLE_VALUE_BYTES = 128 * KIB
const MIDDLE_PUTS = 1024
const PAGES_TRIED = [250, 1000, 4000, 16_000]

interface Load {
  readonly valueBytes: number
  readonly puts: number
  /** Of these, so many wait at any time. */
  readonly waiting: number
}

/** Keeps the mailbox full and notes when replies come. */
async function measureGroups(storage: TrialStorage, load: Load): Promise<TrialResult> {
  const { valueBytes, waiting } = load
  const groupsMs: number[] = []
  const rates: number[] = []
  for (let first = 0; first < load.puts; first += waiting) {
    const puts = createPuts({ first, count: waiting }, valueBytes)
    const startedMs = performance.now()
    let lastMs = startedMs
    const send = async (commands: readonly MutateCommand[]): Promise<void> => {
      await sendAll(storage, commands)
      const nowMs = performance.now()
      if (nowMs - lastMs > SAME_GROUP_MS) groupsMs.push(nowMs - lastMs)
      lastMs = nowMs
    }
    const sent: Promise<void>[] = []
    for (let start = 0; start < puts.length; start += COMMANDS_PER_MESSAGE)
      sent.push(send(puts.slice(start, start + COMMANDS_PER_MESSAGE)))
    await Promise.all(sent)
    rates.push(puts.length / ((performance.now() - startedMs) / 1000))
  }
  const { p50, p99, max } = summariseLatencies(groupsMs)
  return {
    value: median(rates),
    remarks: [
      `a group takes p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms`,
    ],
  }
}

const tried = (
  label: string,
  isInUse: boolean,
  surroundings: Partial<StorageSurroundings>,
  load: Load,
): Trial => ({
  label,
  unit: 'put/s',
  isInUse,
  run: () => withStorage(surroundings, (storage) => measureGroups(storage, load)),
})

export function groupTrials(scale: Scale): Trial[] {
  const ofCommands = COMMANDS_TRIED.map((commandsMax) => {
    const groups: GroupLimits = { ...GROUP_LIMITS, commandsMax }
    const load = {
      valueBytes: SMALL_VALUE_BYTES,
      puts: Math.ceil(SMALL_PUTS * scale),
      waiting: 2048,
    }
    const isInUse = commandsMax === GROUP_LIMITS.commandsMax
    return tried(`puts of 1 KiB, groups of ≤ ${commandsMax}`, isInUse, { groups }, load)
  })
  const ofBytes = BYTES_TRIED.map((bytesMax) => {
    const groups: GroupLimits = { ...GROUP_LIMITS, bytesMax }
    const load = {
      valueBytes: MIDDLE_VALUE_BYTES,
      puts: Math.ceil(MIDDLE_PUTS * scale),
      waiting: 256,
    }
    const isInUse = bytesMax === GROUP_LIMITS.bytesMax
    return tried(`puts of 128 KiB, groups of ≤ ${bytesMax / MIB} MiB`, isInUse, { groups }, load)
  })
  return [...ofCommands, ...ofBytes]
}

/** Groups as 64 connections fill them, so that what a checkpoint adds to one of them shows. */
export function checkpointTrials(scale: Scale): Trial[] {
  return PAGES_TRIED.map((pendingPagesMax) => {
    const checkpoints: CheckpointLimits = {
      pendingPagesMax,
      logPagesMax: Math.max(CHECKPOINT_LIMITS.logPagesMax, 2 * pendingPagesMax),
    }
    const load = { valueBytes: SMALL_VALUE_BYTES, puts: Math.ceil(SMALL_PUTS * scale), waiting: 64 }
    const isInUse = pendingPagesMax === CHECKPOINT_LIMITS.pendingPagesMax
    return tried(
      `puts of 1 KiB, checkpoint at ${pendingPagesMax} pages`,
      isInUse,
      { checkpoints },
      load,
    )
  })
}
