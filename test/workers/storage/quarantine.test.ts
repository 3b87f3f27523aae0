/** The quarantine: written between groups, once for each row, told in the log, and asked by every reader. */
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { QUARANTINE_ROWS_MAX } from '../../../src/workers/database/quarantine.ts'
import { type Damage, type StorageEvent } from '../../../src/workers/storage/request.ts'
import { del, hosting, put, SPACE } from '../../_util/storage-commands.ts'
import {
  NOW_S,
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const damageOf = (rowId: number, reason = 'fails its hash'): Damage => ({
  kind: 'kv_version',
  rowId: String(rowId),
  reason,
})

/** Waits until what was submitted before is done. */
const settle = (under: StorageUnderTest): Promise<StorageEvent> => under.probe(false)

function query<T>(sql: string): T[] {
  const database = new Database(storageOptions(directory()).database.path)
  try {
    return database.prepare<[], T>(sql).all()
  } finally {
    database.close()
  }
}

const told = (under: StorageUnderTest): StorageEvent[] =>
  under.events.filter((event) => event.kind === 'log' && event.event === 'quarantined')

const readKey = (under: StorageUnderTest, key: string): unknown => {
  const readers = under.openReaders()
  try {
    const keys = [{ space: SPACE, key: Buffer.from(key) }]
    const request = { delegations: [], statements: [], spaces: [], keys }
    return readers.database.read([request])
  } finally {
    readers.close()
  }
}

describe('the quarantine', () => {
  it('keeps each row once, with the first reason, and counts', async () => {
    const under = await openStorage(directory())
    under.storage.actor.quarantine([damageOf(1), damageOf(2)])
    under.storage.actor.quarantine([damageOf(2, 'again'), damageOf(3)])
    await settle(under)
    expect(query('SELECT kind, row_id, reason, found_at FROM quarantine ORDER BY row_id')).toEqual(
      ['1', '2', '3'].map((rowId) => ({
        kind: 'kv_version',
        row_id: rowId,
        reason: 'fails its hash',
        found_at: NOW_S,
      })),
    )
    expect(under.storage.actor.counters.quarantined).toBe(3)
    expect(told(under)).toMatchObject([
      { level: 'error', fields: { kind: 'kv_version', rowId: '1', reason: 'fails its hash' } },
      { fields: { rowId: '2' } },
      { fields: { rowId: '3' } },
    ])
    await under.close()
  })

  it('is there after a restart, and is counted from the start', async () => {
    const first = await openStorage(directory())
    first.storage.actor.quarantine([damageOf(7)])
    await first.close()
    const second = await openStorage(directory())
    expect(second.storage.actor.counters.quarantined).toBe(1)
    await second.close()
  })

  it('is bounded', async () => {
    const under = await openStorage(directory())
    const many = Array.from({ length: QUARANTINE_ROWS_MAX + 10 }, (_, index) => damageOf(index))
    under.storage.actor.quarantine(many)
    await settle(under)
    expect(under.storage.actor.counters.quarantined).toBe(QUARANTINE_ROWS_MAX)
    await under.close()
  })

  it('keeps a version from every reader, and no other', async () => {
    const under = await openStorage(directory())
    await under.send(hosting(), put('broken', 'value'), put('whole', 'value'))
    const [version] = query<{ version_no: number }>(
      "SELECT version_no FROM kv_version WHERE kv_key = CAST('broken' AS BLOB)",
    )
    expect(() => readKey(under, 'broken')).not.toThrow()
    under.storage.actor.quarantine([damageOf(version?.version_no ?? 0)])
    await settle(under)
    expect(() => readKey(under, 'broken')).toThrow(/is in quarantine/)
    expect(() => readKey(under, 'whole')).not.toThrow()
    // The next version of the key is another row.
    await under.send(put('broken', 'anew'))
    expect(() => readKey(under, 'broken')).not.toThrow()
    await under.close()
  })

  it('gets the row that a command met and that fails its checksum', async () => {
    const under = await openStorage(directory())
    await under.send(hosting(), put('broken', 'value'))
    query("UPDATE kv_version SET crc = crc + 1 WHERE kv_key = CAST('broken' AS BLOB) RETURNING crc")
    const [reply] = await under.send(del('broken'))
    expect(reply).toMatchObject({ kind: 'failure', failure: { code: 'VALUE_CORRUPT' } })
    expect(told(under)).toMatchObject([{ fields: { kind: 'kv_version' } }])
    await under.close()
  })
})

describe('the position of the scrub', () => {
  it('is kept, the last one', async () => {
    const under = await openStorage(directory())
    under.storage.actor.keepScrubPosition(new Uint8Array([1]))
    under.storage.actor.keepScrubPosition(new Uint8Array([2]))
    await settle(under)
    expect(query("SELECT content FROM meta WHERE name = 'scrub-position'")).toEqual([
      { content: Buffer.of(2) },
    ])
    await under.close()
  })
})
