/**
 * Goal: what lies on the disk is bounded by what is stored, however much was written and removed.
 * `TINYCLOUD_TEST_LONG=1` runs a whole simulated day with the limits of the product, and prints its figures.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { RUN_LIMITS } from '../../../../src/workers/storage/active-run.ts'
import { COMPACTION_LIMITS } from '../../../../src/workers/storage/compaction/limits.ts'
import { type StorageCommand } from '../../../../src/workers/storage/request.ts'
import { createRandom } from '../../../_util/random.ts'
import { del, hosting, put } from '../../../_util/storage-commands.ts'
import {
  NOW_S,
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../../_util/storage-under-test.ts'
import { tendToEnd, verifyStored } from '../../../_util/tended-storage.ts'
import { useTemporaryDirectory } from '../../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const IS_LONG = process.env['TINYCLOUD_TEST_LONG'] === '1'
const KIB = 1024
/** A hundredth of the limits of the product, for a day of a quarter of an hour. */
const SMALL = {
  limits: { packBytesTarget: 640 * KIB, rowIdsMax: RUN_LIMITS.rowIdsMax },
  compaction: {
    ...COMPACTION_LIMITS,
    deadBytesMin: 160 * KIB,
    smallPackBytes: 80 * KIB,
  },
}
const SCALE = IS_LONG
  ? { seconds: 86_400, surroundings: { limits: RUN_LIMITS, compaction: COMPACTION_LIMITS } }
  : { seconds: 900, surroundings: SMALL }
const { limits, compaction } = SCALE.surroundings

class Clock {
  nowS = NOW_S
}

const open = (clock: Clock): Promise<StorageUnderTest> =>
  openStorage(directory(), { nowS: () => clock.nowS, ...SCALE.surroundings })

interface DiskUse {
  readonly files: number
  readonly bytes: number
}

function blocksOnDisk(): DiskUse {
  const { path } = storageOptions(directory()).blocks
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const sizes = files.map((entry) => statSync(join(entry.parentPath, entry.name)).size)
  return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

function report(what: string, storage: StorageUnderTest, before: DiskUse): void {
  if (!IS_LONG) return
  const { counters } = storage.storage.actor
  process.stdout.write(`${what}: ${JSON.stringify({ before, after: blocksOnDisk(), counters })}\n`)
}

/** Some minutes without a change: the graces end. */
async function rest(storage: StorageUnderTest, clock: Clock): Promise<void> {
  for (let minute = 0; minute < 3; minute++) {
    clock.nowS += 61
    await tendToEnd(storage)
  }
}

it('a put and a delete each second leave history, and hardly anything else', async () => {
  const clock = new Clock()
  const storage = await open(clock)
  await storage.send(hosting())
  const value = createRandom(3).bytes(KIB)
  let most: DiskUse = { files: 0, bytes: 0 }
  for (let second = 0; second < SCALE.seconds; second++) {
    clock.nowS += 1
    const key = `key ${second % 1000}`
    await storage.send(put(key, value), del(key))
    await storage.storage.actor.tend()
    if (second % 100 > 0) continue
    const now = blocksOnDisk()
    if (now.bytes > most.bytes) most = now
  }
  await rest(storage, clock)
  const { historyBytes, liveBytes } = storage.storage.actor.counters
  const { files, bytes } = blocksOnDisk()
  report('a put and a delete each second', storage, most)
  expect(liveBytes).toBe(0)
  // The active pack, and what is not worth its copying. An index takes 20 bytes for a record of 500.
  const slack = 2 * limits.packBytesTarget + compaction.deadBytesMin
  expect(bytes).toBeLessThan(1.1 * historyBytes + slack)
  expect(files).toBeLessThan(Math.ceil(historyBytes / (limits.packBytesTarget / 2)) + 4)
  await storage.close()
  expect(await verifyStored(directory())).toEqual([])
}, 3_600_000)

it('a load of deletions leaves value bytes within 1.3 times the live ones', async () => {
  const clock = new Clock()
  const storage = await open(clock)
  await storage.send(hosting())
  const random = createRandom(4)
  const keys = Math.floor((4 * limits.packBytesTarget) / (4 * KIB))
  const send = (commands: StorageCommand[]): Promise<unknown> => storage.send(...commands)
  for (let first = 0; first < keys; first += 20)
    await send(
      Array.from({ length: 20 }, (_, index) => put(`key ${first + index}`, random.bytes(4 * KIB))),
    )
  const before = blocksOnDisk()
  // Two thirds go, here and there, so that every pack keeps something.
  for (let first = 0; first < keys; first += 20)
    await send(
      Array.from({ length: 20 }, (_, index) => first + index)
        .filter(() => random.below(3) > 0)
        .map((key) => del(`key ${key}`)),
    )
  await rest(storage, clock)
  const { liveBytes, historyBytes, deadBytes } = storage.storage.actor.counters
  const { bytes } = blocksOnDisk()
  const share = ((bytes - 1.1 * historyBytes) / liveBytes).toFixed(2)
  report(`a load of deletions, ${share} × the live bytes in the end`, storage, before)
  expect(liveBytes).toBeGreaterThan(keys * KIB)
  // What is on the disk, without history and the indexes of its records.
  expect(bytes - 1.1 * historyBytes).toBeLessThan(1.3 * liveBytes)
  expect(deadBytes).toBeLessThan(Math.max(compaction.deadBytesMin, 0.3 * liveBytes))
  await storage.close()
  expect(await verifyStored(directory())).toEqual([])
}, 3_600_000)
