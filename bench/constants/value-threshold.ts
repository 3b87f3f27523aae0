/** PACKED_VALUE_BYTES_MAX: the same values in packs and in files of their own, hashing and staging included. */
import { randomBytes } from 'node:crypto'
import { PACKED_VALUE_BYTES_MAX } from '../../src/protocol/limits.ts'
import { openStaging } from '../../src/workers/blocks/staging.ts'
import { type VersionFacts } from '../../src/workers/database/facts.ts'
import { type MutateCommand } from '../../src/workers/storage/request.ts'
import { mutation, put, putOf, SPACE } from '../../test/_util/storage-commands.ts'
import { storageOptions } from '../../test/_util/storage-under-test.ts'
import { keyNumbered } from '../load/plan.ts'
import { median } from '../machine.ts'
import {
  type Scale,
  sendAll,
  type Trial,
  type TrialResult,
  type TrialStorage,
  withStorage,
} from './trial.ts'

const KIB = 1024
const SIZES_TRIED = [16, 64, 128, 256, 512, 1024].map((kibibytes) => kibibytes * KIB)
/** Puts that arrive together. */
const AT_ONCE = 16
const ROUNDS = 12
type Form = 'pack' | 'file'
const MICROSECONDS_PER_MS = 1000

let stagingNo = 0

/** What compute does before the actor gets the command. */
async function createPut(
  storage: TrialStorage,
  form: Form,
  key: string,
  bytes: Buffer,
): Promise<MutateCommand> {
  if (form === 'pack') return put(key, bytes)
  const { blocks } = storageOptions(storage.directory)
  const upload = openStaging(blocks, storage.storage.run, 'memory').open(++stagingNo, 0)
  await upload.append(bytes)
  const value = await upload.finish()
  if (value.kind !== 'file') throw new Error('a value was not staged')
  const { digest, valueBytes, segments } = value
  const staged = { kind: 'staged', stagingNo: value.stagingNo, segments } as const
  return mutation([
    { ...putOf(key, ''), kind: 'put', digest, valueBytes, headers: '[]', value: staged },
  ])
}

async function measureForm(
  storage: TrialStorage,
  form: Form,
  valueBytes: number,
  rounds: number,
): Promise<TrialResult> {
  const putsMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const values = Array.from({ length: AT_ONCE }, () => randomBytes(valueBytes))
    const startedMs = performance.now()
    const commands = await Promise.all(
      values.map((value, index) =>
        createPut(storage, form, keyNumbered(round * AT_ONCE + index, true), value),
      ),
    )
    await sendAll(storage, commands)
    putsMs.push((performance.now() - startedMs) / AT_ONCE)
  }
  const readMs = await measureReads(storage, rounds * AT_ONCE)
  return {
    value: median(putsMs) * MICROSECONDS_PER_MS,
    remarks: [`read and verified in ${(readMs * MICROSECONDS_PER_MS).toFixed(0)} µs`],
  }
}

async function measureReads(storage: TrialStorage, keys: number): Promise<number> {
  const readers = storage.openReaders()
  const samplesMs: number[] = []
  try {
    for (let no = 0; no < keys; no++) {
      const key = Buffer.from(keyNumbered(no, true))
      const question = {
        delegations: [],
        statements: [],
        spaces: [],
        keys: [{ space: SPACE, key }],
      }
      const [facts] = await readers.database.read([question])
      const version = facts?.keys[0]
      if (!version) throw new Error('a value is missing')
      const startedMs = performance.now()
      await readValue(readers, version)
      samplesMs.push(performance.now() - startedMs)
    }
  } finally {
    readers.close()
  }
  return median(samplesMs)
}

async function readValue(
  { blocks }: ReturnType<TrialStorage['openReaders']>,
  { place, digest }: VersionFacts,
): Promise<void> {
  if (place?.kind === 'pack') await blocks.readPacked(place, digest)
  if (place?.kind !== 'object') return
  const object = blocks.openObject(place)
  await object.readSegments(0, object.segmentCount)
  await object.close()
}

export function thresholdTrials(scale: Scale): Trial[] {
  return SIZES_TRIED.flatMap((valueBytes) =>
    (['pack', 'file'] as const).map((form) => ({
      label: `${valueBytes / KIB} KiB in a ${form}`,
      unit: 'µs per put',
      isInUse: (form === 'pack') === valueBytes <= PACKED_VALUE_BYTES_MAX,
      run: () =>
        withStorage({}, (storage) =>
          measureForm(storage, form, valueBytes, Math.max(2, Math.ceil(ROUNDS * scale))),
        ),
    })),
  )
}
