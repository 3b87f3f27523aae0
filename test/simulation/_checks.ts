/** What must hold after every start, whatever happened before it. */
import Database from 'better-sqlite3'
import { decode } from '@ipld/dag-cbor'
import { type CID } from 'multiformats/cid'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { toHex } from '../../src/protocol/bytes.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { type ReadRequest } from '../../src/workers/database/facts.ts'
import { openBlockReader } from '../../src/workers/blocks/reader.ts'
import { openDatabaseReader } from '../../src/workers/database/reader.ts'
import { type DelegateCommand, type StorageOptions } from '../../src/workers/storage/request.ts'
import { present } from '../_util/narrow.ts'
import { describeState } from './_oracle.ts'
import { type VersionItem } from '../../src/workers/database/facts.ts'
import { KEYS, SPACES } from './_workload.ts'

const NOTHING: ReadRequest = { delegations: [], statements: [], spaces: [], keys: [] }

/** Everything that a reader can see, with every value read and verified. */
export async function readState(
  options: StorageOptions,
  delegations: readonly DelegateCommand[],
): Promise<string> {
  const database = openDatabaseReader(options.database)
  const blocks = openBlockReader(options.blocks)
  try {
    const keys = SPACES.flatMap((space) => KEYS.map((key) => ({ space, key: Buffer.from(key) })))
    const digests = delegations.map(({ digest }) => digest)
    const [facts] = await database.read([
      { ...NOTHING, spaces: SPACES, keys, delegations: digests },
    ])
    const { spaces, keys: versions, delegations: stored } = present(facts)
    const lines: string[] = []
    const live: string[] = []
    for (const [index, version] of versions.entries()) {
      const { space, key } = present(keys[index])
      if (!version) continue
      lines.push(`${space} ${String(key)} ${version.isDeleted ? 'deleted' : toHex(version.digest)}`)
      if (version.isDeleted) continue
      live.push(`${space} ${String(key)}`)
      const { place } = version
      if (place?.kind === 'object') {
        const object = blocks.openObject(place)
        expect(toHex(blake3(await object.readSegments(0, 1)))).toBe(toHex(version.digest))
        await object.close()
      } else await blocks.readPacked(present(place), version.digest)
    }
    expect(await listAll(database)).toEqual(live.toSorted())
    for (const found of stored) if (found) await blocks.readPacked(found.token, found.facts.digest)
    return describeState({
      statements: countStatements(options),
      hosted: SPACES.filter((_, index) => spaces[index] !== undefined),
      keys: lines,
      delegations: stored.flatMap((found) =>
        found ? [`${toHex(found.facts.digest)} ${found.revokedLink}`] : [],
      ),
    })
  } finally {
    await database.close()
    blocks.close()
  }
}

function countStatements({ database }: StorageOptions): number {
  const connection = new Database(database.path, { readonly: true })
  try {
    return connection.prepare<[], number>('SELECT count(*) FROM statement').pluck().get() ?? -1
  } finally {
    connection.close()
  }
}

/** The kept values of every key, the newest first, each read and compared with its hash. */
export async function readKept(options: StorageOptions): Promise<Map<string, string[]>> {
  const database = openDatabaseReader(options.database)
  const blocks = openBlockReader(options.blocks)
  const found = new Map<string, string[]>()
  try {
    for (const space of SPACES)
      for (const name of KEYS) {
        const key = Buffer.from(name)
        const digests: string[] = []
        for (const { seq, epochSeq } of await listVersions(database, space, key)) {
          const keptVersion = { space, key, seq, epochSeq }
          const [facts] = await database.read([{ ...NOTHING, keptVersion }])
          // A deletion, or the version that counts.
          if (!facts?.keptVersion) continue
          const { place, digest } = facts.keptVersion
          if (place?.kind === 'object') {
            const object = blocks.openObject(place)
            expect(toHex(blake3(await object.readSegments(0, 1)))).toBe(toHex(digest))
            await object.close()
          } else await blocks.readPacked(present(place), digest)
          digests.push(toHex(digest))
        }
        if (digests.length > 0) found.set(`${space} ${name}`, digests)
      }
    return found
  } finally {
    await database.close()
    blocks.close()
  }
}

/** All of them, two at a time. */
async function listVersions(
  database: ReturnType<typeof openDatabaseReader>,
  space: string,
  key: Uint8Array,
): Promise<VersionItem[]> {
  const items: VersionItem[] = []
  for (let isMore = true; isMore;) {
    const versions = { space, key, before: items.at(-1), limit: 2 }
    const [facts] = await database.read([{ ...NOTHING, versions }])
    items.push(...(facts?.versions?.items ?? []))
    isMore = facts?.versions?.isTruncated ?? false
  }
  return items
}

async function listAll(database: ReturnType<typeof openDatabaseReader>): Promise<string[]> {
  const found: string[] = []
  for (const space of SPACES) {
    const list = { space, prefix: new Uint8Array(0), after: undefined, limit: 100 }
    const [facts] = await database.read([{ ...NOTHING, list }])
    for (const key of present(facts?.list).keys) found.push(`${space} ${key}`)
  }
  return found.toSorted()
}

interface EpochRow {
  readonly seq: number
  readonly digest: Buffer
  readonly block: Buffer
}

/** Rows agree with each other and with the files. */
export function checkRows(options: StorageOptions): void {
  const database = new Database(options.database.path, { readonly: true })
  try {
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    checkEpochs(database)
    checkAccounts(database)
    checkFiles(database, options.blocks.path)
  } finally {
    database.close()
  }
}

/** Each space has one unbroken chain that ends in its head. */
function checkEpochs(database: Database.Database): void {
  for (const space of database
    .prepare<[], { space_no: number; next_seq: number; heads: Buffer }>('SELECT * FROM space')
    .all()) {
    const epochs = database
      .prepare<[number], EpochRow>('SELECT * FROM epoch WHERE space_no = ? ORDER BY seq')
      .all(space.space_no)
    expect(epochs.map(({ seq }) => seq)).toEqual(
      Array.from({ length: space.next_seq }, (_, seq) => seq),
    )
    let head = ''
    for (const { digest, block } of epochs) {
      expect(toHex(blake3(block))).toBe(toHex(digest))
      const { parents } = decode<{ parents: CID[] }>(block)
      expect(parents.map((parent) => toHex(parent.multihash.digest)).join()).toBe(head)
      head = toHex(digest)
    }
    expect(toHex(space.heads)).toBe(head)
  }
}

/**
 * What a space is charged for is what its live keys hold and what its history takes, kept values included; packs count what
 * is needed of them, and just those objects are alive that somebody needs.
 */
function checkAccounts(database: Database.Database): void {
  const charged = database.prepare(
    `SELECT space_no, live_bytes FROM space WHERE next_seq > 0 ORDER BY 1`,
  )
  const held = database.prepare(
    `SELECT s.space_no, coalesce(sum(v.value_bytes), 0) live_bytes FROM space s
     LEFT JOIN kv_current c ON c.space_no = s.space_no AND c.is_deleted = 0
     LEFT JOIN kv_version v ON v.version_no = c.version_no
     WHERE s.next_seq > 0 GROUP BY s.space_no ORDER BY 1`,
  )
  expect(charged.all()).toEqual(held.all())
  const left = database.prepare(
    `SELECT space_no, history_bytes FROM space WHERE next_seq > 0 ORDER BY 1`,
  )
  const counts = database.prepare(
    `SELECT space_no,
       (SELECT coalesce(sum(t.pack_length), 0) FROM event e JOIN statement t USING (statement_no)
        WHERE e.space_no = s.space_no) +
       (SELECT coalesce(sum(length(block)), 0) FROM epoch p WHERE p.space_no = s.space_no) +
       (SELECT coalesce(sum(v.value_bytes), 0) FROM kv_kept k JOIN kv_version v USING (version_no)
        WHERE k.space_no = s.space_no) history_bytes
     FROM space s WHERE next_seq > 0 ORDER BY 1`,
  )
  expect(left.all()).toEqual(counts.all())
  const alive = database.prepare('SELECT object_no FROM object WHERE dead_since IS NULL ORDER BY 1')
  const needed = database.prepare(
    `SELECT v.object_no FROM kv_current c JOIN kv_version v USING (version_no) WHERE v.object_no IS NOT NULL
     UNION ALL SELECT object_no FROM kv_kept WHERE object_no IS NOT NULL ORDER BY 1`,
  )
  expect(alive.all()).toEqual(needed.all())
  const counted = database.prepare(
    'SELECT pack_no, live_bytes FROM pack WHERE live_bytes <> 0 ORDER BY 1',
  )
  const named = database.prepare(
    `SELECT pack_no, sum(pack_length) live_bytes FROM (
       SELECT pack_no, pack_length FROM statement
       UNION ALL
       SELECT v.pack_no, v.pack_length FROM kv_current c JOIN kv_version v ON v.version_no = c.version_no
       WHERE v.pack_no IS NOT NULL
       UNION ALL
       SELECT v.pack_no, v.pack_length FROM kv_kept k JOIN kv_version v ON v.version_no = k.version_no
       WHERE v.pack_no IS NOT NULL)
     GROUP BY pack_no ORDER BY 1`,
  )
  expect(counted.all()).toEqual(named.all())
}

/** Every statement is where its row says, packs are no shorter than they should be, and nothing else lies about. */
function checkFiles(database: Database.Database, root: string): void {
  for (const row of database
    .prepare<
      [],
      {
        pack_no: number
        pack_offset: number
        pack_length: number
        token_length: number
        digest: Buffer
      }
    >('SELECT * FROM statement')
    .all()) {
    const pack = readFileSync(packPath(root, row.pack_no))
    expect(pack.length).toBeGreaterThanOrEqual(row.pack_offset + row.pack_length)
    const token = pack.subarray(row.pack_offset, row.pack_offset + row.token_length).subarray(-400)
    expect(toHex(blake3(token))).toBe(toHex(row.digest))
  }
  const packs = database
    .prepare<[], StoredFile>("SELECT pack_no AS no, state = 'dead' AS isDead FROM pack")
    .all()
  expectFiles(filesBelow(root, 'packs'), packs, packName)
  for (const sealed of database
    .prepare<[], { pack_no: number; file_bytes: number }>(
      "SELECT * FROM pack WHERE state = 'sealed'",
    )
    .all())
    expect(statSync(packPath(root, sealed.pack_no)).size).toBe(sealed.file_bytes)
  const objects = database
    .prepare<[], StoredFile>('SELECT object_no AS no, dead_since IS NOT NULL AS isDead FROM object')
    .all()
  expectFiles(filesBelow(root, 'objects'), objects, objectName)
  expect(filesBelow(root, 'staging')).toEqual([])
}

const packName = (no: number): string => packPath('', no).slice('packs/'.length)
const objectName = (no: number): string => `${Math.floor(no / 2 ** 32)}/0/${no % 2 ** 32}`

interface StoredFile {
  readonly no: number
  readonly isDead: 0 | 1
}

/** Each file has a row, and each row its file; the file of a dead one may be gone already. */
function expectFiles(
  found: readonly string[],
  rows: readonly StoredFile[],
  nameOf: (no: number) => string,
): void {
  const known = rows.filter(({ no, isDead }) => isDead === 0 || found.includes(nameOf(no)))
  expect(found).toEqual(known.map(({ no }) => nameOf(no)).toSorted())
}

const packPath = (root: string, packNo: number): string =>
  join(root, 'packs', String(Math.floor(packNo / 2 ** 32)), `${packNo % 2 ** 32}.car`)

function filesBelow(root: string, name: string): string[] {
  const directory = join(root, name)
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted()
}
