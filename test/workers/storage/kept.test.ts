/** How long replaced values are kept, what they count against, and when they go. Rules: HIST-5, HIST-6. */
import Database from 'better-sqlite3'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatVersionId } from '../../../src/protocol/version-id.ts'
import { NO_SPACE_LIMITS } from '../../../src/workers/space-limits.ts'
import { type KeepRule, type SpaceLimits } from '../../../src/workers/storage/request.ts'
import { present } from '../../_util/narrow.ts'
import {
  del,
  deleteOf,
  hosting,
  mutation,
  put,
  putOf,
  SPACE,
} from '../../_util/storage-commands.ts'
import { toldBy, toldByAll } from '../../_util/storage-replies.ts'
import {
  NOW_S,
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../_util/storage-under-test.ts'
import { tendToEnd, verifyStored } from '../../_util/tended-storage.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const NONE: KeepRule = { kind: 'none' }
const versions = (count: number): KeepRule => ({ kind: 'versions', versions: count })
const time = (seconds: number): KeepRule => ({ kind: 'time', seconds })

const LIMITS = { packBytesTarget: 20_000, rowIdsMax: 1_000_000 }
const COMPACTION = { deadShareMax: 0.2, deadBytesMin: 1000, smallPackBytes: 5000, smallPacksMax: 4 }

/** One life of a node after the other, on the same data, each with a rule of its own. */
class Lives {
  nowS = NOW_S
  readonly path = join(directory(), randomUUID())
  #storage: StorageUnderTest | undefined

  async start(keepRule: KeepRule, limits: Partial<SpaceLimits> = {}): Promise<StorageUnderTest> {
    await this.end()
    const spaceLimits = { ...NO_SPACE_LIMITS, ...limits }
    const surroundings = { nowS: () => this.nowS, limits: LIMITS, compaction: COMPACTION }
    this.#storage = await openStorage(this.path, surroundings, { keepRule, spaceLimits })
    await this.#storage.send(hosting())
    return this.#storage
  }

  async end(): Promise<void> {
    if (!this.#storage) return
    assert.deepEqual(this.#storage.deaths, [])
    await this.#storage.close()
    this.#storage = undefined
    assert.deepEqual(await verifyStored(this.path), [])
  }

  /** What can be read of the key beside its current value, the newest first: each value, verified. */
  async kept(key: string): Promise<string[]> {
    const readers = present(this.#storage).openReaders()
    const { database, blocks } = readers
    const name = { space: SPACE, key: Buffer.from(key) }
    const nothing = { delegations: [], statements: [], spaces: [], keys: [] }
    const [facts] = await database.read([
      { ...nothing, versions: { ...name, before: undefined, limit: 2000 } },
    ])
    const found: string[] = []
    for (const { seq, epochSeq } of facts?.versions?.items ?? []) {
      const keptVersion = { ...name, seq, epochSeq }
      const [version] = await database.read([{ ...nothing, keptVersion }])
      const { place, digest } = version?.keptVersion ?? {}
      if (place?.kind === 'pack' && digest)
        found.push(Buffer.from(await blocks.readPacked(place, digest)).toString())
    }
    readers.close()
    return found
  }

  query<Row>(sql: string): Row[] {
    const database = new Database(storageOptions(this.path).database.path, { readonly: true })
    try {
      return database.prepare<[], Row>(sql).all()
    } finally {
      database.close()
    }
  }

  get keptRows(): number {
    return this.query<{ count: number }>('SELECT count(*) count FROM kv_kept')[0]?.count ?? -1
  }
}

const name = (count: number): string => `value ${String(count).padStart(4, '0')}`
const names = (from: number, to: number): string[] =>
  Array.from({ length: from - to + 1 }, (_, index) => name(from - index))

async function putMany(storage: StorageUnderTest, from: number, to: number): Promise<void> {
  for (let count = from; count <= to; count++)
    expect(toldBy(present((await storage.send(put('key', name(count))))[0]))).toMatch(/^200/)
}

describe('a node that keeps nothing', () => {
  it('writes nothing for it and tells no versions', async () => {
    const lives = new Lives()
    const storage = await lives.start(NONE)
    const [reply] = await storage.send(put('key', 'a'))
    await storage.send(put('key', 'b'), del('key'))
    expect(lives.keptRows).toBe(0)
    expect(JSON.stringify(reply)).not.toContain('x-tinycloud-version')
    expect(lives.query("SELECT * FROM meta WHERE name LIKE 'settled%'")).toEqual([])
    expect(await lives.kept('key')).toEqual([])
    await lives.end()
  })
})

describe('a number of versions', () => {
  it.each([1, 2, 10])(
    'keeps the last %i, whether they come one by one or in one group',
    async (count) => {
      const lives = new Lives()
      const storage = await lives.start(versions(count))
      await putMany(storage, 1, 15)
      expect(await lives.kept('key')).toEqual(names(14, 15 - count))
      await storage.send(...Array.from({ length: 30 }, (_, index) => put('key', name(16 + index))))
      expect(await lives.kept('key')).toEqual(names(44, 45 - count))
      expect(lives.keptRows).toBe(count)
      await tendToEnd(storage)
      expect(await lives.kept('key')).toEqual(names(44, 45 - count))
      await lives.end()
    },
  )

  it('counts each key of each space alone', async () => {
    const lives = new Lives()
    const storage = await lives.start(versions(2))
    for (let count = 0; count < 5; count++)
      await storage.send(put('key', name(count)), put('other', `other ${count}`), put('once', 'x'))
    expect(await lives.kept('key')).toEqual(names(3, 2))
    expect(await lives.kept('other')).toEqual(['other 3', 'other 2'])
    await lives.end()
  })

  it('keeps what is deleted, and deleting what is deleted pushes nothing out', async () => {
    const lives = new Lives()
    const storage = await lives.start(versions(2))
    await putMany(storage, 1, 3)
    for (let count = 0; count < 10; count++) await storage.send(del('key'))
    expect(await lives.kept('key')).toEqual(names(3, 2))
    await storage.send(put('key', name(4)))
    expect(await lives.kept('key')).toEqual(names(3, 2))
    await storage.send(put('key', name(5)))
    expect(await lives.kept('key')).toEqual(names(4, 3))
    await lives.end()
  })

  it('does not keep what its own command replaces', async () => {
    const lives = new Lives()
    const storage = await lives.start(versions(5))
    await storage.send(mutation([putOf('key', 'a'), putOf('key', 'b'), deleteOf('key')]))
    expect(lives.keptRows).toBe(0)
    await storage.send(put('key', 'c'))
    await storage.send(put('key', 'd'))
    expect(await lives.kept('key')).toEqual(['c'])
    await lives.end()
  })

  it('names each version that is written', async () => {
    const lives = new Lives()
    const storage = await lives.start(versions(2))
    const replies = await storage.send(put('key', 'a'), put('other', 'b'), del('key'))
    const told = replies.map((reply) =>
      reply.kind === 'answer' ? Object.fromEntries(reply.answer.headers) : reply,
    )
    expect(told.map((headers) => Reflect.get(headers, 'x-tinycloud-version'))).toEqual(
      [0, 1, 2].map((epochSeq) => formatVersionId({ seq: 1, epochSeq })),
    )
    await lives.end()
  })
})

describe('a time', () => {
  it('keeps each value so long after it was replaced, and then lets go of it', async () => {
    const lives = new Lives()
    const storage = await lives.start(time(100))
    for (let count = 0; count < 5; count++) {
      await putMany(storage, count, count)
      lives.nowS += 30
    }
    // Replaced 120, 90, 60 and 30 s ago.
    await tendToEnd(storage)
    expect(await lives.kept('key')).toEqual(names(3, 1))
    lives.nowS += 39
    await tendToEnd(storage)
    expect(await lives.kept('key')).toEqual(names(3, 2))
    lives.nowS += 1000
    await tendToEnd(storage)
    expect(await lives.kept('key')).toEqual([])
    await lives.end()
  })

  it('does not wait for what was replaced while the clock ran ahead', async () => {
    const lives = new Lives()
    const storage = await lives.start(time(100))
    await putMany(storage, 1, 1)
    lives.nowS += 1_000_000
    await putMany(storage, 2, 2)
    lives.nowS = NOW_S
    await putMany(storage, 3, 4)
    lives.nowS += 200
    await tendToEnd(storage)
    expect(await lives.kept('key')).toEqual([name(1)])
    await lives.end()
  })
})

describe('another setting', () => {
  const LATER: readonly [string, KeepRule, KeepRule, string[]][] = [
    ['time to none', time(1e6), NONE, []],
    ['time to a number', time(1e6), versions(3), names(998, 996)],
    ['a number to a lower one', versions(800), versions(2), names(998, 997)],
    ['a number to a higher one', versions(2), versions(900), names(998, 997)],
    ['a number to a time', versions(800), time(1e6), names(998, 199)],
    ['none to a number', NONE, versions(5), []],
  ]
  it.each(LATER)('%s: what exceeds it goes in bounded steps', async (_, before, after, left) => {
    const lives = new Lives()
    const first = await lives.start(before)
    await first.send(...Array.from({ length: 1000 }, (_each, index) => put('key', name(index))))
    await first.send(put('other', 'a'), put('other', 'b'))
    const many = lives.keptRows
    const storage = await lives.start(after)
    let last = many
    let isMore = true
    while (isMore) {
      isMore = await storage.storage.actor.tend()
      const now = lives.keptRows
      expect(last - now).toBeLessThanOrEqual(256)
      last = now
    }
    await tendToEnd(storage)
    expect(await lives.kept('key')).toEqual(left)
    expect(await lives.kept('other')).toEqual(before === NONE || after === NONE ? [] : ['a'])
    await lives.end()
  })

  it('is settled once, and again when it was another one in between', async () => {
    const lives = new Lives()
    await putMany(await lives.start(versions(2)), 1, 5)
    await tendToEnd(await lives.start(versions(2)))
    const settled = "SELECT CAST(content AS TEXT) rule FROM meta WHERE name = 'settled-history'"
    expect(lives.query(settled)).toEqual([{ rule: '2 versions' }])
    // This life ends before it settles anything.
    await putMany(await lives.start(versions(9)), 6, 12)
    expect(lives.query(settled)).toEqual([])
    const storage = await lives.start(versions(2))
    await tendToEnd(storage)
    expect(await lives.kept('key')).toEqual(names(11, 10))
    await lives.end()
  })

  it('to a lower number is also kept to by puts, before anything is swept', async () => {
    const lives = new Lives()
    await putMany(await lives.start(versions(10)), 1, 11)
    const storage = await lives.start(versions(2))
    await putMany(storage, 12, 12)
    expect(await lives.kept('key')).toEqual(names(11, 5))
    await putMany(storage, 13, 14)
    expect(await lives.kept('key')).toEqual(names(13, 12))
    await lives.end()
  })
})

const big = (count: number): Uint8Array => Buffer.alloc(3000, count)
const textOf = (key: number, round: number): string => `${key}:${round} `.repeat(400)

describe('the room of kept values', () => {
  it('is history of the space, and comes back as they go', async () => {
    const lives = new Lives()
    const bytesOf = (): { liveBytes: number; historyBytes: number } =>
      present(
        lives.query<{ liveBytes: number; historyBytes: number }>(
          'SELECT live_bytes liveBytes, history_bytes historyBytes FROM space',
        )[0],
      )
    let storage = await lives.start(NONE)
    await storage.send(put('key', big(0)))
    const before = bytesOf().historyBytes
    await storage.send(put('key', big(1)))
    const each = bytesOf().historyBytes - before
    storage = await lives.start(versions(2))
    const start = bytesOf().historyBytes
    await storage.send(put('key', big(2)))
    expect(bytesOf()).toEqual({ liveBytes: 3000, historyBytes: start + each + 3000 })
    for (let count = 3; count < 6; count++) await storage.send(put('key', big(count)))
    expect(bytesOf()).toEqual({ liveBytes: 3000, historyBytes: start + 4 * each + 6000 })
    storage = await lives.start(NONE)
    await tendToEnd(storage)
    expect(bytesOf().historyBytes).toBeLessThan(start + 5 * each)
    await lives.end()
  })

  it('is refused where history is full, and deleting goes on', async () => {
    const lives = new Lives()
    const storage = await lives.start(versions(5), { historyBytes: 8000 })
    const replies = []
    for (let count = 0; count < 6; count++)
      replies.push(...(await storage.send(put('key', big(count)))))
    const refused = toldByAll(replies).filter((told) => told.startsWith('HISTORY_LIMIT'))
    expect(refused.length).toBeGreaterThan(2)
    expect(toldByAll(await storage.send(del('key')))[0]).toMatch(/^200/)
    await lives.end()
  })

  it('is moved by compaction and reclaimed once they are gone', async () => {
    const lives = new Lives()
    const storage = await lives.start(versions(3))
    for (let round = 0; round < 12; round++) {
      // A third of them is never written again, among others that are.
      const rest = round < 3 ? 0 : 2
      const keys = Array.from({ length: 6 - rest }, (_, index) => index + rest)
      await storage.send(...keys.map((key) => put(`key ${key}`, textOf(key, round))))
    }
    const packsOf = (): Set<number> =>
      new Set(
        lives
          .query<{ pack: number }>(
            'SELECT DISTINCT v.pack_no pack FROM kv_kept k JOIN kv_version v USING (version_no)',
          )
          .map(({ pack }) => pack),
      )
    const before = packsOf()
    for (let turn = 0; turn < 8; turn++) {
      lives.nowS += 61
      await tendToEnd(storage)
    }
    expect([...packsOf()].filter((pack) => before.has(pack)).length).toBeLessThan(before.size)
    for (let key = 0; key < 6; key++) {
      const rounds = key < 2 ? [1, 0] : [10, 9, 8]
      expect(await lives.kept(`key ${key}`)).toEqual(rounds.map((round) => textOf(key, round)))
    }
    const after = await lives.start(NONE)
    for (let turn = 0; turn < 8; turn++) {
      lives.nowS += 61
      await tendToEnd(after)
    }
    const { live } = present(
      lives.query<{ live: number }>('SELECT sum(live_bytes - history_bytes) live FROM pack')[0],
    )
    expect(live).toBeLessThan(6 * 2600)
    await lives.end()
  })
})

describe('a damaged row of what is kept', () => {
  it('stops no put', async () => {
    const lives = new Lives()
    await putMany(await lives.start(versions(2)), 1, 5)
    await lives.end()
    const database = new Database(storageOptions(lives.path).database.path)
    database.exec('UPDATE kv_kept SET position = position + 1000')
    database.close()
    expect((await verifyStored(lives.path)).map(({ kind, reason }) => `${kind} ${reason}`)).toEqual(
      ['kv_kept row: fails its checksum', 'kv_kept row: fails its checksum'],
    )
    const storage = await openStorage(lives.path, {}, { keepRule: versions(2) })
    await putMany(storage, 6, 9)
    await tendToEnd(storage)
    const readers = storage.openReaders()
    const key = Buffer.from('key')
    const wish = { space: SPACE, key, before: undefined, limit: 10 }
    expect(() =>
      readers.database.read([
        { delegations: [], statements: [], spaces: [], keys: [], versions: wish },
      ]),
    ).toThrow(/fails its checksum/)
    readers.close()
    await storage.close()
  })
})
