/** What is written down for ever: packs that any CAR reader opens, epochs that chain, places that hold what they say. */
import { CarReader } from '@ipld/car'
import { decode } from '@ipld/dag-cbor'
import Database from 'better-sqlite3'
import { type CID } from 'multiformats/cid'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/protocol/bytes.ts'
import { parseCarSection } from '../../../src/protocol/car.ts'
import { blake3 } from '../../../src/protocol/crypto/blake3.ts'
import { parsePackIndex } from '../../../src/workers/blocks/packs/pack-index.ts'
import { type StorageCommand } from '../../../src/workers/storage/request.ts'
import { present } from '../../_util/narrow.ts'
import {
  again,
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
import { openStorage, storageOptions } from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

/** Sends groups, closes, and gives the database to look into. */
async function afterGroups(
  groups: readonly (readonly StorageCommand[])[],
  look: (database: Database.Database) => void | Promise<void>,
): Promise<void> {
  const storage = await openStorage(directory())
  for (const group of groups) await storage.send(...group)
  await storage.close()
  const database = new Database(storageOptions(directory()).database.path, { readonly: true })
  await look(database)
  database.close()
}

const packFile = (): Buffer => {
  const root = join(directory(), 'blocks/packs/1')
  return readFileSync(join(root, present(readdirSync(root)[0])))
}

interface EpochBlock {
  readonly events: readonly (CID | readonly CID[])[]
  readonly parents: readonly CID[]
}

const digestsOf = (event: CID | readonly CID[]): string[] =>
  (Array.isArray(event) ? event : [event]).map((cid: CID) => toHex(cid.multihash.digest))

describe('a pack', () => {
  it('is a CAR whose blocks are values, tokens, operations and at last its index', async () => {
    const session = delegation()
    const first = put('a', 'one')
    await afterGroups(
      [
        [hosting(), session, first],
        [put('b', 'two'), revocation(session)],
      ],
      async () => {
        const car = await CarReader.fromBytes(packFile())
        expect(await car.getRoots()).toEqual([])
        const codes: number[] = []
        for await (const { cid, bytes } of car.blocks()) {
          expect(toHex(cid.multihash.digest)).toBe(toHex(blake3(bytes)))
          codes.push(cid.code)
        }
        // Two tokens; value, token, operation, twice; a token; the index.
        expect(codes).toEqual([0x55, 0x55, 0x55, 0x55, 0x71, 0x55, 0x55, 0x71, 0x55, 0x71])
      },
    )
  })

  it('has an index of every row that names it, in order, and a rebuilt one is the same', async () => {
    const session = delegation()
    const storage = await openStorage(directory())
    await storage.send(hosting(), session, put('a', 'one'), put('a', 'two'))
    await storage.send(mutation([putOf('b', 'x'), putOf('c', 'y')]), del('a'))
    await storage.close()
    const sealed = packFile()
    const writer = new Database(storageOptions(directory()).database.path)
    const rows = writer
      .prepare<[], [number, number, number]>(
        `SELECT statement_no, pack_offset, pack_length FROM statement
         UNION ALL SELECT version_no, pack_offset, pack_length FROM kv_version WHERE pack_no IS NOT NULL
         ORDER BY 2`,
      )
      .raw()
      .all()
    const { file_bytes: fileBytes, live_bytes: liveBytes } = present(
      writer.prepare<[], { file_bytes: number; live_bytes: number }>('SELECT * FROM pack').get(),
    )
    expect(fileBytes).toBe(sealed.length)
    const { offset, section } = lastSection(sealed)
    const entries = parsePackIndex(section)
    const inOrder = entries.map(({ rowId, offset: at, lengthBytes }) => [rowId, at, lengthBytes])
    expect(inOrder.toSorted((left, right) => Number(left[1]) - Number(right[1]))).toEqual(rows)
    expect(rows.length).toBe(6 + 4)
    const deadBytes = rows
      .filter(([rowId]) => isDeadVersion(writer, rowId))
      .reduce((sum, row) => sum + row[2], 0)
    const namedBytes = rows.reduce((sum, row) => sum + row[2], 0)
    expect(liveBytes).toBe(namedBytes - deadBytes)
    expect(deadBytes).toBeGreaterThan(0)

    // As after a crash: no index, and a run that did not end.
    writer.exec(`UPDATE run SET ended_at = NULL, cleaned_at = NULL, pack_bytes = ${offset};
      UPDATE pack SET state = 'writing', file_bytes = 0`)
    writer.close()
    const recovered = await openStorage(directory())
    await recovered.close()
    expect(parsePackIndex(lastSection(packFile()).section)).toHaveLength(entries.length)
  })
})

/** The last section of a CAR, and where it begins. */
function lastSection(car: Buffer): { offset: number; section: Uint8Array } {
  let offset = 18
  for (;;) {
    const { sectionBytes } = present(parseCarSection(car, offset))
    if (offset + sectionBytes === car.length) return { offset, section: car.subarray(offset) }
    offset += sectionBytes
  }
}

function isDeadVersion(database: Database.Database, rowId: number): boolean {
  const isVersion = database.prepare('SELECT 1 FROM kv_version WHERE version_no = ?').get(rowId)
  const isCurrent = database.prepare('SELECT 1 FROM kv_current WHERE version_no = ?').get(rowId)
  return isVersion !== undefined && isCurrent === undefined
}

describe('epochs', () => {
  it('hold the events of one space in one group, and name the head before them', async () => {
    const host = hosting()
    const [one, two] = [put('a', '1'), put('b', '2')]
    const three = mutation([putOf('c', '3'), putOf('d', '4')])
    await afterGroups([[host], [one, again(one), del('never'), two], [three]], (database) => {
      const rows = database
        .prepare<[], { seq: number; digest: Buffer; block: Buffer }>(
          'SELECT * FROM epoch ORDER BY epoch_no',
        )
        .all()
      expect(rows.map(({ seq }) => seq)).toEqual([0, 1, 2])
      const blocks = rows.map(({ block }) => decode<EpochBlock>(block))
      for (const { digest, block } of rows) expect(toHex(digest)).toBe(toHex(blake3(block)))
      expect(blocks.map(({ events }) => events.map((event) => digestsOf(event)))).toEqual([
        [[toHex(host.digest)]],
        [one, two].map(({ digest, operations }) =>
          [digest, present(operations[0]).operationDigest].map(toHex),
        ),
        [
          [three.digest, ...three.operations.map(({ operationDigest }) => operationDigest)].map(
            toHex,
          ),
        ],
      ])
      expect(
        blocks.map(({ parents }) => parents.map((cid) => toHex(cid.multihash.digest))),
      ).toEqual([[], [toHex(present(rows[0]).digest)], [toHex(present(rows[1]).digest)]])
      const space = database
        .prepare<[], { heads: Buffer; next_seq: number }>('SELECT * FROM space')
        .get()
      expect(space?.next_seq).toBe(3)
      expect(toHex(present(space).heads)).toBe(toHex(present(rows[2]).digest))
    })
  })

  it('of two spaces hold each what concerns them', async () => {
    const other = spaceNamed('other')
    const both = mutation([putOf('a', '1'), { ...putOf('b', '2'), spaceIndex: 1 }], {
      spaces: [SPACE, other],
    })
    await afterGroups([[hosting(), hosting(other), both]], (database) => {
      const events = database
        .prepare<[], { space_id: string; block: Buffer }>(
          'SELECT space_id, block FROM epoch JOIN space USING (space_no) ORDER BY space_id',
        )
        .all()
        .map(({ block }) =>
          decode<EpochBlock>(block)
            .events.map((event) => digestsOf(event))
            .at(-1),
        )
      const [first, second] = both.operations
      expect(events).toEqual([
        [toHex(both.digest), toHex(present(first).operationDigest)],
        [toHex(both.digest), toHex(present(second).operationDigest)],
      ])
    })
  })

  it('get a delegation where it names a hosted space, and a revocation wherever its target does', async () => {
    const other = spaceNamed('other')
    const session = delegation({ spaces: [SPACE, other] })
    const revoke = revocation(session)
    await afterGroups(
      [[hosting(), session], [hosting(other)], [revoke], [revocation(session)]],
      (database) => {
        const events = database
          .prepare<[], { space_id: string; digest: Buffer }>(
            `SELECT space_id, digest FROM event JOIN space USING (space_no)
           JOIN statement USING (statement_no) ORDER BY event_no`,
          )
          .all()
          .map(({ space_id: space, digest }) => [space, toHex(digest)])
        expect(events.filter(([, digest]) => digest === toHex(session.digest))).toEqual([
          [SPACE, toHex(session.digest)],
        ])
        expect(events.slice(-2)).toEqual([
          [SPACE, toHex(revoke.digest)],
          [other, toHex(revoke.digest)],
        ])
        const unhosted = database
          .prepare('SELECT count(*) FROM delegation_space WHERE event_no IS NULL')
          .pluck()
          .get()
        expect(unhosted).toBe(1)
      },
    )
  })

  it('count what a space holds: live values, and history in full', async () => {
    const groups = [
      [hosting()],
      [put('a', 'x'.repeat(100)), put('b', 'y'.repeat(50))],
      [del('a'), put('b', 'z')],
    ]
    await afterGroups(groups, (database) => {
      const space = database
        .prepare<[], { live_bytes: number; history_bytes: number }>('SELECT * FROM space')
        .get()
      const epochs = database.prepare('SELECT sum(length(block)) FROM epoch').pluck().get()
      const records = database.prepare('SELECT sum(pack_length) FROM statement').pluck().get()
      expect(space?.live_bytes).toBe(1)
      expect(space?.history_bytes).toBe(Number(epochs) + Number(records))
    })
  })
})
