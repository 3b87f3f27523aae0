/** Dead bytes go, live ones move whole, and nothing that is stored changes its meaning by it. */
import Database from 'better-sqlite3'
import { closeSync, existsSync, openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packPath } from '../../../../src/workers/blocks/layout.ts'
import { PackReader } from '../../../../src/workers/blocks/packs/pack-reader.ts'
import { type CompactionLimits } from '../../../../src/workers/storage/compaction/limits.ts'
import { blake3 } from '../../../../src/protocol/crypto/blake3.ts'
import { present } from '../../../_util/narrow.ts'
import { createRandom } from '../../../_util/random.ts'
import { del, hosting, put, SPACE } from '../../../_util/storage-commands.ts'
import { createFaultyFiles, systemError } from '../../../_util/storage-faults.ts'
import { toldByAll } from '../../../_util/storage-replies.ts'
import {
  NOW_S,
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../../_util/storage-under-test.ts'
import { tendToEnd, verifyStored } from '../../../_util/tended-storage.ts'
import { useTemporaryDirectory } from '../../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const random = createRandom(5)

const LIMITS = { packBytesTarget: 40_000, rowIdsMax: 1_000_000 }
const COMPACTION: CompactionLimits = {
  deadShareMax: 0.2,
  deadBytesMin: 10_000,
  smallPackBytes: 5000,
  smallPacksMax: 4,
}

class Clock {
  nowS = NOW_S
}

function open(
  clock: Clock,
  surroundings: Parameters<typeof openStorage>[1] = {},
): Promise<StorageUnderTest> {
  return openStorage(directory(), {
    nowS: () => clock.nowS,
    limits: LIMITS,
    compaction: COMPACTION,
    ...surroundings,
  })
}

interface PackColumns {
  readonly pack_no: number
  readonly kind: string
  readonly state: string
  readonly live_bytes: number
  readonly file_bytes: number
}

function packRows(): PackColumns[] {
  const database = new Database(storageOptions(directory()).database.path, { readonly: true })
  try {
    return database.prepare<[], PackColumns>('SELECT * FROM pack ORDER BY pack_no').all()
  } finally {
    database.close()
  }
}

const root = (): string => storageOptions(directory()).blocks.path

const packFiles = (): string[] =>
  readdirSync(join(root(), 'packs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

const values = new Map<string, Uint8Array>()

/** So many values of 3 KB for each of 30 keys, in random order: most are written over, here and there. */
async function fill(storage: StorageUnderTest, rounds: number, keys = 30): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (let count = 0; count < keys; count++) {
      const name = `key ${round === 0 ? count : random.below(keys)}`
      const value = random.bytes(3000)
      values.set(name, value)
      await storage.send(put(name, value))
    }
}

async function expectValues(storage: StorageUnderTest): Promise<void> {
  const readers = storage.openReaders()
  const { blocks } = readers
  try {
    const keys = [...values.keys()].map((key) => ({ space: SPACE, key: Buffer.from(key) }))
    const [facts] = await readers.database.read([
      { delegations: [], statements: [], spaces: [], keys },
    ])
    for (const [index, value] of [...values.values()].entries()) {
      const version = present(facts?.keys[index])
      const place = present(version.place)
      if (place.kind !== 'pack') throw new Error('not in a pack')
      expect(await blocks.readPacked(place, blake3(value))).toEqual(Buffer.from(value))
    }
  } finally {
    readers.close()
  }
}

/** Steps until the copies are sealed: the next one moves rows. */
async function tendToSeal({ storage }: StorageUnderTest): Promise<void> {
  for (;;) {
    expect(await storage.actor.tend()).toBe(true)
    if (packRows().some(({ kind, state }) => kind === 'value' && state === 'sealed')) return
  }
}

describe('compaction', () => {
  it('writes what is live to a value pack and a history pack, and removes the rest after the grace', async () => {
    const clock = new Clock()
    const storage = await open(clock)
    await storage.send(hosting())
    await fill(storage, 4)
    const before = storage.storage.actor.counters
    await tendToEnd(storage)
    const kinds = packRows().map(({ kind, state }) => `${kind} ${state}`)
    expect(kinds).toContain('value sealed')
    expect(kinds).toContain('history sealed')
    expect(kinds).toContain('active dead')
    await expectValues(storage)

    clock.nowS += 61
    await tendToEnd(storage)
    expect(packRows().filter(({ state }) => state === 'dead')).toEqual([])
    expect(packFiles()).toHaveLength(packRows().length)
    await expectValues(storage)
    const { counters } = storage.storage.actor
    const valueBytes = 30 * (3000 + 38)
    expect(counters.liveBytes).toBe(valueBytes)
    expect(counters.deadBytes).toBeLessThan(COMPACTION.deadBytesMin + 0.25 * valueBytes)
    expect(counters.reclaimedBytes).toBeGreaterThan(2 * valueBytes)
    expect(counters.historyBytes).toBeGreaterThan(120 * 400)
    expect(before.reclaimedBytes).toBe(0)
    await storage.close()
    expect(await verifyStored(directory())).toEqual([])
  })

  it('leaves alone what is mostly live', async () => {
    const storage = await open(new Clock())
    await storage.send(hosting())
    await fill(storage, 1, 60)
    await storage.send(del('key 1'))
    values.delete('key 1')
    const before = packRows().length
    await tendToEnd(storage)
    expect(packRows().map(({ kind }) => kind)).toEqual(Array(before).fill('active'))
    values.clear()
    await storage.close()
  })

  it('never writes history twice', async () => {
    const clock = new Clock()
    const storage = await open(clock)
    await storage.send(hosting())
    for (let round = 0; round < 3; round++) {
      await fill(storage, 2)
      clock.nowS += 70
      await tendToEnd(storage)
    }
    const history = packRows().filter(({ kind }) => kind === 'history')
    expect(history.length).toBeGreaterThan(1)
    expect(history.every(({ state }) => state === 'sealed')).toBe(true)
    await expectValues(storage)
    await storage.close()
    expect(await verifyStored(directory())).toEqual([])
  })

  it('moves a row only while it needs its old place', async () => {
    const clock = new Clock()
    const storage = await open(clock)
    await storage.send(hosting())
    await fill(storage, 4)
    // What was copied changes before it is moved.
    await tendToSeal(storage)
    await fill(storage, 1, 10)
    await storage.send(del('key 11'))
    values.delete('key 11')
    await tendToEnd(storage)
    clock.nowS += 70
    await tendToEnd(storage)
    await expectValues(storage)
    await storage.close()
    expect(await verifyStored(directory())).toEqual([])
  })

  it('merges packs that are many and small', async () => {
    const clock = new Clock()
    for (let start = 0; start < 5; start++) {
      const storage = await open(clock)
      await storage.send(hosting(), put(`small ${start}`, `value ${start}`))
      await storage.close()
    }
    const storage = await open(clock)
    expect(packRows().filter(({ state }) => state === 'sealed')).toHaveLength(5)
    await tendToEnd(storage)
    clock.nowS += 70
    await tendToEnd(storage)
    const sealed = packRows().filter(({ state }) => state === 'sealed')
    expect(sealed.map(({ kind }) => kind).toSorted()).toEqual(['history', 'value'])
    await storage.close()
    expect(await verifyStored(directory())).toEqual([])
  })
})

describe('a pack with damage', () => {
  it('keeps what is damaged, reports it, and gives the rest', async () => {
    const clock = new Clock()
    const storage = await open(clock)
    await storage.send(hosting())
    await fill(storage, 4)
    const readers = storage.openReaders()
    const [facts] = await readers.database.read([
      {
        delegations: [],
        statements: [],
        spaces: [],
        keys: [{ space: SPACE, key: Buffer.from('key 3') }],
      },
    ])
    const place = present(facts?.keys[0]?.place)
    readers.close()
    if (place.kind !== 'pack') throw new Error('not in a pack')
    // Until the pack that holds it is sealed.
    await fill(storage, 2, 3)
    const path = packPath(root(), place.packNo)
    const descriptor = openSync(path, 'r+')
    writeSync(descriptor, Buffer.from('damage'), 0, 6, place.offset + 100)
    closeSync(descriptor)
    await tendToEnd(storage)
    clock.nowS += 70
    await tendToEnd(storage)
    expect(existsSync(path)).toBe(true)
    expect(storage.events).toContainEqual(
      expect.objectContaining({ kind: 'log', event: 'quarantined' }),
    )
    expect(storage.storage.actor.counters.quarantined).toBe(1)
    values.delete('key 3')
    await expectValues(storage)
    await storage.close()
    values.clear()
    const problems = await verifyStored(directory())
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.every(({ reason }) => !reason.includes('missing'))).toBe(true)
  })
})

describe('a compaction that fails', () => {
  it('for want of space leaves no file behind, and is tried again later', async () => {
    const clock = new Clock()
    const faults = createFaultyFiles()
    const storage = await open(clock, { files: faults.files })
    await storage.send(hosting())
    await fill(storage, 4)
    expect(await storage.storage.actor.tend()).toBe(true)
    faults.fail('writevSync', systemError('ENOSPC'))
    await tendToEnd(storage)
    expect(packRows().filter(({ kind }) => kind !== 'active')).toEqual([])
    expect(packFiles()).toHaveLength(packRows().length)
    expect(await storage.storage.actor.tend()).toBe(false)
    expect(toldByAll(await storage.send(put('after', 'x')))[0]).toMatch(/^200/)

    clock.nowS += 61
    await tendToEnd(storage)
    expect(packRows().some(({ kind }) => kind === 'value')).toBe(true)
    await expectValues(storage)
    await storage.close()
  })

  it('by an error of a sync ends all writing', async () => {
    const faults = createFaultyFiles()
    const storage = await open(new Clock(), { files: faults.files })
    await storage.send(hosting())
    await fill(storage, 4)
    expect(await storage.storage.actor.tend()).toBe(true)
    faults.fail('fdatasyncSync', systemError('EIO'))
    await tendToEnd(storage)
    expect(storage.events).toContainEqual(expect.objectContaining({ kind: 'unwritable' }))
    await storage.close()
    const again = await open(new Clock())
    await expectValues(again)
    await again.close()
    expect(await verifyStored(directory())).toEqual([])
  })

  it('with the run that was declared dead moves nothing', async () => {
    const storage = await open(new Clock())
    await storage.send(hosting())
    await fill(storage, 4)
    await tendToSeal(storage)
    const other = new Database(storageOptions(directory()).database.path)
    other.prepare('UPDATE run SET ended_at = 1').run()
    other.close()
    void storage.storage.actor.tend()
    await expect.poll(() => storage.deaths).toHaveLength(1)
    expect(
      packRows().filter(({ kind, live_bytes }) => kind !== 'active' && live_bytes > 0),
    ).toEqual([])
  })
})

it('a reader lets go of packs that were removed', async () => {
  const clock = new Clock()
  const storage = await open(clock)
  await storage.send(hosting())
  await fill(storage, 4)
  const readers = storage.openReaders()
  const keys = [{ space: SPACE, key: Buffer.from('key 0') }]
  const [facts] = await readers.database.read([
    { delegations: [], statements: [], spaces: [], keys },
  ])
  readers.close()
  const { place, digest } = present(facts?.keys[0])
  if (place?.kind !== 'pack') throw new Error('not in a pack')
  const reader = new PackReader(root())
  expect(reader.read(place, digest)).toHaveLength(3000)

  await fill(storage, 3)
  await tendToEnd(storage)
  clock.nowS += 70
  await tendToEnd(storage)
  expect(existsSync(packPath(root(), place.packNo))).toBe(false)
  // It holds the file open until it looks.
  expect(reader.read(place, digest)).toHaveLength(3000)
  reader.closeRemoved()
  expect(() => reader.read(place, digest)).toThrow('missing')
  reader.close()
  await storage.close()
})
