/** Large values: from staging to an object, read back by segments, and gone when nothing names them. */
import Database from 'better-sqlite3'
import { existsSync, openSync, readdirSync, closeSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blake3 } from '../../../src/protocol/crypto/blake3.ts'
import { SEGMENT_BYTES } from '../../../src/protocol/limits.ts'
import { type VersionFacts } from '../../../src/workers/database/facts.ts'
import { openStaging } from '../../../src/workers/blocks/staging.ts'
import { type MutateCommand } from '../../../src/workers/storage/request.ts'
import { present } from '../../_util/narrow.ts'
import { createRandom } from '../../_util/random.ts'
import { again, del, hosting, mutation, put, putOf, SPACE } from '../../_util/storage-commands.ts'
import {
  createFaultyDatabase,
  createFaultyFiles,
  sqliteError,
  systemError,
} from '../../_util/storage-faults.ts'
import { toldBy, toldByAll } from '../../_util/storage-replies.ts'
import {
  NOW_S,
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../_util/storage-under-test.ts'
import { tendToEnd } from '../../_util/tended-storage.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const VALUE = createRandom(1).bytes(2 * SEGMENT_BYTES + 12_345)

/** Stages a value as a compute worker does, and gives the command that puts it. */
async function stagedPut(
  storage: StorageUnderTest,
  key: string,
  stagingNo: number,
  given: Partial<MutateCommand> = {},
): Promise<MutateCommand> {
  const staging = openStaging(storageOptions(directory()).blocks, storage.storage.run, 'memory')
  const upload = staging.open(stagingNo)
  await upload.append(VALUE)
  const value = await upload.finish()
  if (value.kind !== 'file') throw new Error('not staged')
  const { digest, valueBytes, segments } = value
  const staged = { kind: 'staged', stagingNo, segments } as const
  return mutation(
    [{ ...putOf(key, ''), kind: 'put', digest, valueBytes, headers: '[]', value: staged }],
    given,
  )
}

const objects = (): string[] => filesBelow('objects')
const stagedFiles = (): string[] => filesBelow('staging')

function filesBelow(name: string): string[] {
  const root = join(directory(), 'blocks', name)
  if (!existsSync(root)) return []
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted()
}

async function readVersion(storage: StorageUnderTest, key: string): Promise<VersionFacts> {
  const readers = storage.openReaders()
  const keys = [{ space: SPACE, key: Buffer.from(key) }]
  const [facts] = await readers.database.read([
    { delegations: [], statements: [], spaces: [], keys },
  ])
  readers.close()
  return present(facts?.keys[0])
}

async function readObject(storage: StorageUnderTest, key: string): Promise<Uint8Array> {
  const version = await readVersion(storage, key)
  if (version.place?.kind !== 'object') throw new Error('no object')
  const readers = storage.openReaders()
  const object = readers.blocks.openObject(version.place)
  try {
    expect(object.segmentCount).toBe(3)
    const parts = [await object.readSegments(0, 2), await object.readSegments(2, 2)]
    return Buffer.concat(parts)
  } finally {
    await object.close()
    readers.close()
  }
}

describe('a large value', () => {
  it('becomes an object of its run and is read back whole', async () => {
    const storage = await openStorage(directory())
    const command = await stagedPut(storage, 'big', 1)
    const replies = await storage.send(hosting(), command, await stagedPut(storage, 'too', 2))
    expect(toldBy(replies[1])).toMatch(/^200 "blake3-/)
    expect(Buffer.compare(await readObject(storage, 'big'), VALUE)).toBe(0)
    expect(objects()).toEqual(['1/0/1', '1/0/2'])
    expect(stagedFiles()).toEqual([])
    await storage.close()
    const reopened = await openStorage(directory())
    expect(Buffer.compare(await readObject(reopened, 'too'), VALUE)).toBe(0)
    await reopened.close()
  })

  it('that is refused leaves no file and uses no number that counts', async () => {
    const storage = await openStorage(directory())
    await storage.send(hosting())
    const refused = await stagedPut(storage, 'big', 1, {
      precondition: { kind: 'matches', digest: blake3(VALUE) },
    })
    expect(toldByAll(await storage.send(refused))).toEqual(['PRECONDITION_FAILED'])
    expect([objects(), stagedFiles()]).toEqual([[], []])
    await storage.send(await stagedPut(storage, 'big', 2))
    expect(objects()).toEqual(['1/0/1'])
    await storage.close()
  })

  it('that is not there whole is our fault, and fails nobody else', async () => {
    const storage = await openStorage(directory())
    await storage.send(hosting())
    const command = await stagedPut(storage, 'big', 1)
    const [operation] = command.operations
    if (operation?.kind !== 'put') throw new Error('no put')
    const lost = mutation([
      { ...operation, value: { kind: 'staged', stagingNo: 77, segments: new Uint8Array(96) } },
    ])
    const short = mutation([{ ...operation, valueBytes: operation.valueBytes + 1 }])
    expect(
      toldByAll(await storage.send(lost, put('a', 'x'), short)).map((told) => told.slice(0, 8)),
    ).toEqual(['INTERNAL', expect.stringMatching(/^200/), 'INTERNAL'])
    await storage.close()
  })

  it('with one bad segment gives the good ones and never the bad one', async () => {
    const storage = await openStorage(directory())
    await storage.send(hosting(), await stagedPut(storage, 'big', 1))
    const descriptor = openSync(join(directory(), 'blocks/objects/1/0/1'), 'r+')
    writeSync(descriptor, Buffer.from([present(VALUE[SEGMENT_BYTES]) ^ 1]), 0, 1, SEGMENT_BYTES)
    closeSync(descriptor)
    const { place } = await readVersion(storage, 'big')
    if (place?.kind !== 'object') throw new Error('no object')
    const readers = storage.openReaders()
    const { blocks } = readers
    const object = blocks.openObject(place)
    expect(await object.readSegments(0, 1)).toHaveLength(SEGMENT_BYTES)
    await expect(object.readSegments(1, 1)).rejects.toMatchObject({ code: 'VALUE_CORRUPT' })
    await expect(object.readSegments(0, 3)).rejects.toMatchObject({ code: 'VALUE_CORRUPT' })
    expect(await object.readSegments(2, 1)).toHaveLength(12_345)
    await object.close()
    const missing = { ...place, objectNo: place.objectNo + 1 }
    expect(() => blocks.openObject(missing)).toThrow(
      expect.objectContaining({ code: 'VALUE_MISSING' }),
    )
    readers.close()
    await storage.close()
  })
})

describe('an object that nothing names any more', () => {
  it.each(['an overwrite', 'a deletion'])('is removed a grace after %s', async (what) => {
    let nowS = NOW_S
    const storage = await openStorage(directory(), { nowS: () => nowS })
    await storage.send(
      hosting(),
      await stagedPut(storage, 'big', 1),
      await stagedPut(storage, 'kept', 2),
    )
    await storage.send(what === 'a deletion' ? del('big') : put('big', 'small'))
    nowS += 59
    await tendToEnd(storage)
    expect(objects()).toEqual(['1/0/1', '1/0/2'])
    nowS += 20
    await tendToEnd(storage)
    await storage.close()
    expect(objects()).toEqual(['1/0/2'])
    const database = new Database(storageOptions(directory()).database.path, { readonly: true })
    expect(database.prepare('SELECT count(*) FROM object').pluck().get()).toBe(1)
    database.close()
  })

  it('is dead at birth when the same group overwrites it', async () => {
    let nowS = NOW_S
    const storage = await openStorage(directory(), { nowS: () => nowS })
    await storage.send(hosting(), await stagedPut(storage, 'big', 1), put('big', 'small'))
    nowS += 100
    await tendToEnd(storage)
    await storage.close()
    expect(objects()).toEqual([])
  })
})

describe('a group with large values that fails', () => {
  it.each(['before the rename', 'after the rename'])(
    '%s for want of space leaves no file',
    async (when) => {
      const disk = createFaultyFiles()
      const database = createFaultyDatabase()
      const storage = await openStorage(directory(), {
        files: disk.files,
        openDatabase: database.open,
      })
      await storage.send(hosting())
      const command = await stagedPut(storage, 'big', 1)
      if (when === 'before the rename') disk.fail('renameSync', systemError('ENOSPC'))
      else database.fail('apply', sqliteError('SQLITE_FULL'))
      expect(toldByAll(await storage.send(command))).toEqual(['STORAGE_FULL'])
      expect([objects(), stagedFiles()]).toEqual([[], []])
      expect(toldBy((await storage.send(await stagedPut(storage, 'big', 2)))[0])).toMatch(/^200/)
      expect(Buffer.compare(await readObject(storage, 'big'), VALUE)).toBe(0)
      await storage.close()
    },
  )

  it('and is tried again keeps the file that was renamed', async () => {
    const database = createFaultyDatabase()
    const storage = await openStorage(directory(), { openDatabase: database.open })
    await storage.send(hosting())
    const commands = [await stagedPut(storage, 'one', 1), await stagedPut(storage, 'two', 2)]
    database.fail('apply', sqliteError('SQLITE_CONSTRAINT_UNIQUE'))
    expect((await storage.send(...commands)).map(({ kind }) => kind)).toEqual(['answer', 'answer'])
    database.fail('apply', sqliteError('SQLITE_ERROR'))
    const more = [await stagedPut(storage, 'three', 3), put('four', 'x')]
    expect((await storage.send(...more)).map(({ kind }) => kind)).toEqual(['answer', 'answer'])
    for (const key of ['one', 'two', 'three'])
      expect(Buffer.compare(await readObject(storage, key), VALUE)).toBe(0)
    expect(objects()).toHaveLength(3)
    await storage.close()
  })

  it('with an unknown outcome keeps the file; a start removes what is above the mark', async () => {
    const database = createFaultyDatabase()
    const storage = await openStorage(directory(), { openDatabase: database.open })
    await storage.send(hosting(), await stagedPut(storage, 'kept', 1))
    database.fail('commit', sqliteError('SQLITE_IOERR_FSYNC'))
    expect(toldByAll(await storage.send(await stagedPut(storage, 'lost', 2)))).toEqual([
      'STORAGE_UNAVAILABLE',
    ])
    expect(objects()).toEqual(['1/0/1', '1/0/2'])
    await storage.close()
    const reopened = await openStorage(directory())
    expect(objects()).toEqual(['1/0/1'])
    expect(Buffer.compare(await readObject(reopened, 'kept'), VALUE)).toBe(0)
    await reopened.close()
  })
})

it('a repeated put of a large value keeps the first and drops the file of the second', async () => {
  const storage = await openStorage(directory())
  await storage.send(hosting())
  const first = await stagedPut(storage, 'big', 1)
  const second = { ...again(first), operations: (await stagedPut(storage, 'big', 2)).operations }
  const replies = await storage.send(first, second)
  expect(toldBy(replies[1])).toBe('DUPLICATE_INVOCATION')
  expect([objects(), stagedFiles()]).toEqual([['1/0/1'], []])
  await storage.close()
})
