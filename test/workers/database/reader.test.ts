/** What compute reads: keys, lists, delegations; in one snapshot, and never from a row that fails its checksum. */
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { compareBytes } from '../../../src/protocol/bytes.ts'
import { openDatabaseReader } from '../../../src/workers/database/reader.ts'
import {
  type KeyList,
  type ReadFacts,
  type ReadRequest,
} from '../../../src/workers/database/facts.ts'
import { present } from '../../_util/narrow.ts'
import { createRandom } from '../../_util/random.ts'
import {
  del,
  delegation,
  hosting,
  mutation,
  put,
  putOf,
  revocation,
  SPACE,
  spaceNamed,
} from '../../_util/storage-commands.ts'
import {
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const NOTHING: ReadRequest = { delegations: [], statements: [], spaces: [], keys: [] }

async function withStorage(
  test: (
    storage: StorageUnderTest,
    read: (...wants: Partial<ReadRequest>[]) => Promise<ReadFacts[]>,
  ) => Promise<void>,
): Promise<void> {
  const storage = await openStorage(directory())
  const readers = storage.openReaders()
  try {
    await storage.send(hosting())
    await test(storage, async (...wants) =>
      readers.database.read(wants.map((want) => ({ ...NOTHING, ...want }))),
    )
  } finally {
    readers.close()
    await storage.close()
  }
}

const listOf = (prefix: string | Uint8Array, after: string | undefined, limit: number) => ({
  list: {
    space: SPACE,
    prefix: Buffer.from(prefix),
    after: after === undefined ? undefined : Buffer.from(after),
    limit,
  },
})

const textsOf = (list: KeyList | undefined): string[] => [...present(list).keys]

describe('keys', () => {
  it('are live with place and headers, deleted, or never written', async () => {
    await withStorage(async (storage, read) => {
      const headers: [string, string][] = [
        ['content-type', 'text/plain'],
        ['x-tinycloud-meta-a', 'ü'],
      ]
      await storage.send(mutation([putOf('a', 'value', headers)]), put('gone', 'old'), del('gone'))
      const wanted = ['a', 'gone', 'never'].map((key) => ({ space: SPACE, key: Buffer.from(key) }))
      const elsewhere = { space: spaceNamed('absent'), key: Buffer.from('a') }
      const [facts] = await read({ keys: [...wanted, elsewhere] })
      expect(facts?.keys).toMatchObject([
        { isDeleted: false, valueBytes: 5, headers, place: { kind: 'pack' } },
        { isDeleted: true, valueBytes: 0, place: undefined },
        undefined,
        undefined,
      ])
    })
  })

  it('of a space that is named but not hosted are not there', async () => {
    await withStorage(async (storage, read) => {
      const absent = spaceNamed('absent')
      await storage.send(delegation({ spaces: [absent] }))
      const [facts] = await read({
        spaces: [absent, SPACE, spaceNamed('unknown')],
        list: { ...listOf('', undefined, 10).list, space: absent },
      })
      expect(facts?.spaces).toMatchObject([undefined, { spaceNo: expect.any(Number) }, undefined])
      expect(facts?.list).toEqual({ keys: [], isTruncated: false })
    })
  })

  it('are compared as bytes: case, slashes, escapes and length all matter', async () => {
    await withStorage(async (storage, read) => {
      const keys = ['a/b', 'a%2Fb', 'a//b', 'a/', '/a', 'A', 'a', '', '%00', '~'.repeat(2048)]
      await storage.send(...keys.map((key) => put(key, `value of ${key}`)))
      const [facts] = await read({
        keys: keys.map((key) => ({ space: SPACE, key: Buffer.from(key) })),
      })
      expect(new Set(facts?.keys.map((found) => found?.versionNo)).size).toBe(keys.length)
      const [page] = await read(listOf('', undefined, 100))
      expect(textsOf(page?.list)).toEqual(
        keys.toSorted((left, right) => compareBytes(Buffer.from(left), Buffer.from(right))),
      )
    })
  })
})

describe('a list', () => {
  it('has the keys that begin with the prefix, in order, in pages without gap or repetition', async () => {
    await withStorage(async (storage, read) => {
      const random = createRandom(7)
      const keys = [
        ...new Set(
          Array.from(
            { length: 300 },
            () => `${random.pick(['a', 'b', 'b/', 'bb', 'c'])}${random.below(1000)}`,
          ),
        ),
      ]
      await storage.send(...keys.map((key) => put(key, 'x')))
      for (const [prefix, limit] of [
        ['', 1000],
        ['b', 7],
        ['b/', 1],
        ['bb', 50],
        ['', 13],
        ['zz', 5],
      ] as const) {
        const found: string[] = []
        let after: string | undefined
        for (;;) {
          const [facts] = await read(listOf(prefix, after, limit))
          const page = textsOf(facts?.list)
          expect(page.length).toBeLessThanOrEqual(limit)
          found.push(...page)
          after = page.at(-1)
          if (!present(facts?.list).isTruncated) break
          expect(page.length).toBe(limit)
        }
        const expected = keys.filter((key) => key.startsWith(prefix)).toSorted()
        expect(found).toEqual(expected)
      }
    })
  })

  it('starts at the prefix when the cursor lies before it, and ends when it lies behind', async () => {
    await withStorage(async (storage, read) => {
      await storage.send(...['a', 'b1', 'b2', 'c'].map((key) => put(key, 'x')))
      const [before, behind] = await read(listOf('b', 'a', 10), listOf('b', 'bz', 10))
      expect(textsOf(before?.list)).toEqual(['b1', 'b2'])
      expect(textsOf(behind?.list)).toEqual([])
    })
  })

  it('of a prefix that ends in the highest character of ASCII is right, and so is that of all', async () => {
    await withStorage(async (storage, read) => {
      const keys = ['a', '\x7e\x7f', '\x7f', '\x7f\x7f', '\x7f\x7fa']
      await storage.send(...keys.map((key) => put(key, 'x')))
      const [all, high, highest] = await read(
        listOf('', undefined, 10),
        listOf('\x7f', undefined, 10),
        listOf('\x7f\x7f', undefined, 10),
      )
      expect(textsOf(all?.list)).toEqual(keys)
      expect(textsOf(high?.list)).toEqual(keys.slice(2))
      expect(textsOf(highest?.list)).toEqual(keys.slice(3))
    })
  })

  it('costs what it returns, however many deleted keys lie between', async () => {
    await withStorage(async (storage, read) => {
      const gone = Array.from({ length: 4000 }, (_, index) => `k/${String(index).padStart(5, '0')}`)
      for (let at = 0; at < gone.length; at += 500) {
        const keys = gone.slice(at, at + 500)
        await storage.send(mutation(keys.map((key) => putOf(key, 'x'))))
        await storage.send(...keys.map((key) => del(key)))
      }
      await storage.send(put('k/99999', 'last'))
      const [facts] = await read(listOf('k/', undefined, 1))
      expect(textsOf(facts?.list)).toEqual(['k/99999'])
      const database = new Database(storageOptions(directory()).database.path, { readonly: true })
      const plan = database
        .prepare<[], { detail: string }>(
          `EXPLAIN QUERY PLAN SELECT kv_key FROM kv_current
           WHERE space_no = 1 AND is_deleted = 0 AND kv_key >= x'6b' AND kv_key < x'6c' ORDER BY kv_key LIMIT 2`,
        )
        .all()
      database.close()
      expect(plan.map(({ detail }) => detail)).toEqual([
        'SEARCH kv_current USING PRIMARY KEY (space_no=? AND is_deleted=? AND kv_key>? AND kv_key<?)',
      ])
    })
  })
})

describe('rows that fail their checksum', () => {
  const SPOILED = [
    ['a current row', 'UPDATE kv_current SET seq = seq + 1', { keys: true }],
    [
      'a current row whose key was exchanged',
      "UPDATE kv_current SET kv_key = CAST('b' AS BLOB)",
      { list: true },
    ],
    [
      'a tombstone made live',
      'UPDATE kv_current SET is_deleted = 0 WHERE is_deleted = 1',
      { list: true },
    ],
    [
      'a version with another digest',
      'UPDATE kv_version SET digest = zeroblob(32)',
      { keys: true },
    ],
    [
      'a version with other headers',
      `UPDATE kv_version SET headers = '[["a","b"]]'`,
      { keys: true },
    ],
    [
      'a delegation with another delegatee',
      "UPDATE delegation SET delegatee = 'did:key:zThief'",
      { delegation: true },
    ],
    [
      'a delegation of longer life',
      'UPDATE delegation SET effective_expires_at = 9e9',
      { delegation: true },
    ],
    ['a revocation of another time', 'UPDATE revocation SET revoked_at = 0', { delegation: true }],
  ] as const

  it.each(SPOILED)('%s', async (_, statement, wants) => {
    const storage = await openStorage(directory())
    const session = delegation()
    await storage.send(
      hosting(),
      session,
      put('a', 'one'),
      put('gone', 'x'),
      del('gone'),
      revocation(session),
    )
    const request: ReadRequest = {
      ...NOTHING,
      keys: 'keys' in wants ? [{ space: SPACE, key: Buffer.from('a') }] : [],
      delegations: 'delegation' in wants ? [session.digest] : [],
      ...('list' in wants ? listOf('', undefined, 10) : {}),
    }
    const untouched = openDatabaseReader(storageOptions(directory()).database)
    expect(await untouched.read([request])).toHaveLength(1)
    await untouched.close()
    const writer = new Database(storageOptions(directory()).database.path)
    writer.exec(statement)
    writer.close()
    const reader = openDatabaseReader(storageOptions(directory()).database)
    const reading = async (): Promise<unknown> => reader.read([request])
    await expect(reading()).rejects.toMatchObject({ name: 'StorageFault', code: 'VALUE_CORRUPT' })
    await reader.close()
    await storage.close()
  })
})

describe('a batch', () => {
  it('is one snapshot, opened after the call', async () => {
    await withStorage(async (storage, read) => {
      await storage.send(put('a', 'one'))
      const key = { keys: [{ space: SPACE, key: Buffer.from('a') }] }
      const [first, second] = await read(key, key)
      await storage.send(put('a', 'two'))
      const [third] = await read(key)
      expect(first?.keys[0]?.versionNo).toBe(second?.keys[0]?.versionNo)
      expect(third?.keys[0]?.versionNo).toBeGreaterThan(present(first?.keys[0]).versionNo)
    })
  })

  it('after one that failed is answered', async () => {
    await withStorage(async (storage, read) => {
      await storage.send(put('a', 'one'), put('b', 'two'))
      const writer = new Database(storageOptions(directory()).database.path)
      writer.exec("UPDATE kv_current SET crc = 0 WHERE kv_key = CAST('a' AS BLOB)")
      writer.close()
      const [a, b] = ['a', 'b'].map((name) => ({
        keys: [{ space: SPACE, key: Buffer.from(name) }],
      }))
      await expect(read(present(a))).rejects.toMatchObject({ code: 'VALUE_CORRUPT' })
      const [facts] = await read(present(b))
      expect(facts?.keys[0]?.valueBytes).toBe(3)
    })
  })
})

it('a database that is not there is a fault of ours', () => {
  expect(() => openDatabaseReader({ type: 'sqlite', path: `${directory()}/none.db` })).toThrow(
    expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }),
  )
})
