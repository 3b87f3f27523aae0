/** Directories of runs that ended go with their last file; those of the run under way stay. */
import Database from 'better-sqlite3'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openStaging } from '../../../src/workers/blocks/staging.ts'
import { createRandom } from '../../_util/random.ts'
import { del, hosting, mutation, put, putOf } from '../../_util/storage-commands.ts'
import { createFaultyFiles, systemError } from '../../_util/storage-faults.ts'
import { toldByAll } from '../../_util/storage-replies.ts'
import {
  NOW_S,
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../_util/storage-under-test.ts'
import { tendToEnd, verifyStored } from '../../_util/tended-storage.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const LARGE = createRandom(1).bytes(300_000)
const SMALL = createRandom(2).bytes(30_000)
const COMPACTION = {
  deadShareMax: 0.2,
  deadBytesMin: 10_000,
  smallPackBytes: 1,
  smallPacksMax: 100,
}

const blocksPath = (...names: string[]): string => join(directory(), 'blocks', ...names)
const runsOf = (kind: 'packs' | 'objects'): string[] =>
  existsSync(blocksPath(kind)) ? readdirSync(blocksPath(kind)).toSorted() : []

const clock = { nowS: NOW_S }
const open = (
  surroundings: Parameters<typeof openStorage>[1] = {},
): ReturnType<typeof openStorage> =>
  openStorage(directory(), { nowS: () => clock.nowS, compaction: COMPACTION, ...surroundings })

async function putLarge(storage: StorageUnderTest, key: string, stagingNo: number): Promise<void> {
  const upload = openStaging(
    storageOptions(directory()).blocks,
    storage.storage.run,
    'memory',
  ).open(stagingNo)
  await upload.append(LARGE)
  const staged = await upload.finish()
  if (staged.kind !== 'file') throw new Error('not staged')
  const value = { kind: 'staged', stagingNo, segments: staged.segments } as const
  const operation = putOf(key, LARGE)
  if (operation.kind !== 'put') throw new Error('no put')
  const command = mutation([{ ...operation, value }])
  expect(toldByAll(await storage.send(command))[0]).toMatch(/^200/)
}

/** A run that has left two large values and a pack. */
async function leaveFiles(): Promise<void> {
  const storage = await open()
  await storage.send(hosting(), put('small', SMALL))
  await putLarge(storage, 'one', 1)
  await putLarge(storage, 'two', 2)
  await storage.close()
}

/** Until everything that may go has gone. */
async function collect(storage: StorageUnderTest): Promise<void> {
  // What is dead is looked for every 10 s, and goes after 60.
  for (const passedS of [20, 20, 100]) {
    clock.nowS += passedS
    await tendToEnd(storage)
  }
}

describe('the directory of a run', () => {
  it('that has ended goes with its last large value, and with its last pack', async () => {
    await leaveFiles()
    const storage = await open()
    await storage.send(del('one'))
    await collect(storage)
    expect(runsOf('objects')).toEqual(['1'])
    expect(runsOf('packs')).toEqual(['1', '2'])
    await storage.send(del('two'), del('small'))
    await collect(storage)
    expect(runsOf('objects')).toEqual([])
    expect(runsOf('packs')).toEqual(['2'])
    await storage.close()
    expect(await verifyStored(directory())).toEqual([])
  })

  it('that is under way stays, empty as it is, and takes the next value', async () => {
    const storage = await open()
    await storage.send(hosting())
    await putLarge(storage, 'one', 1)
    await storage.send(del('one'))
    await collect(storage)
    expect(readdirSync(blocksPath('objects/1/0'))).toEqual([])
    await putLarge(storage, 'two', 2)
    expect(readdirSync(blocksPath('objects/1/0'))).toEqual(['2'])
    await storage.close()
    expect(await verifyStored(directory())).toEqual([])
  })

  it('goes when the run ends, where it is empty by then', async () => {
    const storage = await open()
    await storage.send(hosting())
    await putLarge(storage, 'one', 1)
    await storage.send(del('one'))
    await collect(storage)
    await storage.close()
    expect(runsOf('objects')).toEqual([])
    expect(runsOf('packs')).toEqual(['1'])
  })

  it('goes at a start, where an earlier one left it: but not that of a run which is ended only now', async () => {
    await leaveFiles()
    // As crashes leave it: the last run has not ended, and one before it had no time to remove what it emptied.
    const database = new Database(storageOptions(directory()).database.path)
    database.exec('UPDATE run SET ended_at = NULL, cleaned_at = NULL')
    database.close()
    for (const path of ['objects/1/9', 'objects/7/0', 'packs/7'])
      mkdirSync(blocksPath(path), { recursive: true })
    const second = await open()
    expect([runsOf('objects'), runsOf('packs')]).toEqual([['1'], ['1', '2']])
    expect(readdirSync(blocksPath('objects/1'))).toEqual(['0', '9'])
    await second.close()
    const third = await open()
    expect(readdirSync(blocksPath('objects/1'))).toEqual(['0'])
    await third.close()
  })

  it('stays with a file that somebody put there, and so does a file in place of a directory', async () => {
    await leaveFiles()
    writeFileSync(blocksPath('objects/1/note.txt'), 'by somebody')
    writeFileSync(blocksPath('objects/5'), 'by somebody')
    const storage = await open()
    await storage.send(del('one'), del('two'))
    await collect(storage)
    expect(readdirSync(blocksPath('objects/1'))).toEqual(['note.txt'])
    expect(runsOf('objects')).toEqual(['1', '5'])
    expect(toldByAll(await storage.send(put('after', 'x')))[0]).toMatch(/^200/)
    await storage.close()
  })

  it('that cannot be synced away ends all writing, and goes at the next start', async () => {
    await leaveFiles()
    const faults = createFaultyFiles()
    const storage = await open({ files: faults.files })
    await storage.send(del('one'), del('two'))
    await tendToEnd(storage)
    clock.nowS += 100
    faults.fail('rmdirSync', systemError('EIO'))
    await tendToEnd(storage)
    expect(storage.events).toContainEqual(expect.objectContaining({ kind: 'unwritable' }))
    expect(runsOf('objects')).toEqual(['1'])
    await storage.close()
    const again = await open()
    expect(runsOf('objects')).toEqual([])
    await again.close()
    expect(await verifyStored(directory())).toEqual([])
  })
})
