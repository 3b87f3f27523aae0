/** PACK_BYTES_TARGET: what replacing costs, and how much room its garbage takes, while compaction keeps up. */
import { PACK_BYTES_TARGET } from '../../src/workers/blocks/packs/pack-file.ts'
import { RUN_LIMITS } from '../../src/workers/storage/active-run.ts'
import { summariseLatencies } from '../load/latency.ts'
import {
  blockFiles,
  createPuts,
  type Scale,
  sendAll,
  type Trial,
  type TrialResult,
  type TrialStorage,
  withStorage,
} from './trial.ts'

const MIB = 1024 * 1024
const LENGTHS_TRIED = [4, 16, 64, 256].map((mebibytes) => mebibytes * MIB)
const VALUE_BYTES = 16 * 1024
const KEYS = 8192
/** Every key is replaced so often. */
const REPLACEMENTS = 2
const GROUP_COMMANDS = 64
/** As often as tending gets its turn beside groups of this size. */
const STEPS_PER_GROUP = 3
/** For the graces to end. */
const REST_S = 61
const RESTS = 3

async function measureLength(storage: TrialStorage, keys: number): Promise<TrialResult> {
  const groupsMs: number[] = []
  const putKeys = async (first: number): Promise<void> => {
    const puts = createPuts({ first, count: GROUP_COMMANDS }, VALUE_BYTES, storage.nowS())
    const startedMs = performance.now()
    await sendAll(storage, puts)
    for (let step = 0; step < STEPS_PER_GROUP && (await tend(storage)); step++);
    groupsMs.push(performance.now() - startedMs)
    storage.passS(1)
  }
  for (let round = 0; round <= REPLACEMENTS; round++)
    for (let group = 0; group < keys / GROUP_COMMANDS; group++)
      // Another order each time, so that every pack loses something and keeps something.
      await putKeys(((group * (2 * round + 1)) % (keys / GROUP_COMMANDS)) * GROUP_COMMANDS)
  for (let rest = 0; rest < RESTS; rest++) {
    storage.passS(REST_S)
    while (await tend(storage));
  }
  const { bytes, files } = await blockFiles(storage)
  const { packBytes, reclaimedBytes, liveBytes, historyBytes } = storage.storage.actor.counters
  const copiedBytes = Math.max(0, bytes + reclaimedBytes - packBytes)
  const { p99, max } = summariseLatencies(groupsMs)
  return {
    value: (groupsMs.length * GROUP_COMMANDS) / (groupsMs.reduce((sum, ms) => sum + ms, 0) / 1000),
    remarks: [
      `${(copiedBytes / packBytes).toFixed(2)} bytes copied per byte put`,
      `${(bytes / (liveBytes + historyBytes)).toFixed(2)} × live on disk in ${files} files`,
      `a group with its share of compaction p99 ${p99.toFixed(0)}, max ${max.toFixed(0)} ms`,
    ],
  }
}

const tend = ({ storage }: TrialStorage): Promise<boolean> => storage.actor.tend()

export function packLengthTrials(scale: Scale): Trial[] {
  const keys = Math.ceil((KEYS * scale) / GROUP_COMMANDS) * GROUP_COMMANDS
  return LENGTHS_TRIED.map((packBytesTarget) => ({
    label: `replacing 16 KiB among ${(keys * VALUE_BYTES) / MIB} MiB, packs of ${packBytesTarget / MIB} MiB`,
    unit: 'put/s',
    isInUse: packBytesTarget === PACK_BYTES_TARGET,
    run: () =>
      withStorage({ limits: { ...RUN_LIMITS, packBytesTarget } }, (storage) =>
        measureLength(storage, keys),
      ),
  }))
}
