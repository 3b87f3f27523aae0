/** How many tickets of signed URLs a space may have, and that they are counted to the last one (SIGNED-8). */
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { SIGNED_URLS_PER_SPACE_MAX } from '../../../src/protocol/limits.ts'
import { MIGRATION_003 } from '../../../src/workers/database/migrations/003-ticket-counts.ts'
import { hosting, signing, SPACE, spaceNamed } from '../../_util/storage-commands.ts'
import { createFaultyDatabase, sqliteError } from '../../_util/storage-faults.ts'
import { toldBy, toldByAll } from '../../_util/storage-replies.ts'
import {
  NOW_S,
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../_util/storage-under-test.ts'
import { verifyStored } from '../../_util/tended-storage.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const OTHER = spaceNamed('other')
const FULL = 'SIGNED_URLS_FULL'
/** The end of a ticket, and how long it is kept afterwards. */
const GONE_S = 300 + 600

interface Clock {
  nowS: number
}

async function open(
  clock: Clock,
  surroundings: Parameters<typeof openStorage>[1] = {},
): Promise<StorageUnderTest> {
  const storage = await openStorage(directory(), { nowS: () => clock.nowS, ...surroundings })
  await storage.send(hosting(), hosting(OTHER))
  return storage
}

const sign = (space: string, { nowS }: Clock): ReturnType<typeof signing> =>
  signing('a', 'x', { spaces: [space], expiresAtS: nowS + 300 })

function withDatabase<T>(use: (database: Database.Database) => T): T {
  const database = new Database(storageOptions(directory()).database.path)
  try {
    return use(database)
  } finally {
    database.close()
  }
}

const counts = (): unknown[] =>
  withDatabase((database) =>
    database.prepare('SELECT tickets FROM signed_kv_ticket_count ORDER BY space_no').pluck().all(),
  )

/** As if so many more URLs of the first space had been signed. */
const pretend = (tickets: number): void =>
  withDatabase((database) => {
    database
      .prepare(
        'UPDATE signed_kv_ticket_count SET tickets = tickets + ? WHERE space_no = (SELECT space_no FROM space WHERE space_id = ?)',
      )
      .run(tickets, SPACE)
  })

describe('signed URLs of a space', () => {
  it('are counted in the transaction that writes them, and again when they are purged', async () => {
    const clock = { nowS: NOW_S }
    const storage = await open(clock)
    await storage.send(sign(SPACE, clock), sign(SPACE, clock), sign(OTHER, clock))
    expect(counts()).toEqual([2, 1])
    clock.nowS += 200
    await storage.send(sign(SPACE, clock))
    expect(counts()).toEqual([3, 1])
    clock.nowS += GONE_S - 100
    await storage.send(sign(SPACE, clock))
    expect(counts()).toEqual([2])
    await storage.close()
    expect(await verifyStored(directory())).toEqual([])
  })

  it('end at the limit, also within a group, and others have their own', async () => {
    const clock = { nowS: NOW_S }
    const storage = await open(clock)
    await storage.send(sign(SPACE, clock))
    pretend(SIGNED_URLS_PER_SPACE_MAX - 3)
    const told = await storage.send(
      ...Array.from({ length: 4 }, () => sign(SPACE, clock)),
      sign(OTHER, clock),
    )
    expect(toldByAll(told).map((text) => text.split(' ')[0])).toEqual([
      '200',
      '200',
      FULL,
      FULL,
      '200',
    ])
    expect(toldBy((await storage.send(sign(SPACE, clock)))[0])).toBe(FULL)
    expect(counts()).toEqual([SIGNED_URLS_PER_SPACE_MAX, 1])
    pretend(3 - SIGNED_URLS_PER_SPACE_MAX)
    clock.nowS += GONE_S + 1
    expect(toldBy((await storage.send(sign(SPACE, clock)))[0])).toMatch(/^200/)
    await storage.close()
    expect(await verifyStored(directory())).toEqual([])
  })

  it('of a group that fails are not counted', async () => {
    const clock = { nowS: NOW_S }
    const faults = createFaultyDatabase()
    const storage = await open(clock, { openDatabase: faults.open })
    faults.fail('commit', sqliteError('SQLITE_FULL'))
    expect(toldBy((await storage.send(sign(SPACE, clock)))[0])).toBe('STORAGE_FULL')
    expect(counts()).toEqual([])
    await storage.send(sign(SPACE, clock))
    expect(counts()).toEqual([1])
    await storage.close()
  })

  it('that are counted wrongly are told by a verification', async () => {
    const clock = { nowS: NOW_S }
    const storage = await open(clock)
    await storage.send(sign(SPACE, clock))
    await storage.close()
    pretend(1)
    const damages = await verifyStored(directory())
    expect(damages.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual([
      'space space: 2 signed URLs are counted for it, and there are 1',
    ])
  })

  it('of before the limit are counted by the migration', async () => {
    const clock = { nowS: NOW_S }
    const storage = await open(clock)
    await storage.send(sign(SPACE, clock), sign(OTHER, clock), sign(OTHER, clock))
    await storage.close()
    withDatabase((database) => {
      database.exec('DROP TABLE signed_kv_ticket_count')
      for (const statement of MIGRATION_003.statements) database.exec(statement)
    })
    expect(counts()).toEqual([1, 2])
  })
})
