/** What is counted beside the rows that it follows from, and lists that repeat what a delegation says: both directions. */
import Database from 'better-sqlite3'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDirectory, removeDirectory } from '../../../_util/node-process.ts'
import {
  blocksOf,
  createStoredNode,
  databaseOf,
  type StoredNode,
} from '../../../_util/stored-node.ts'
import { verifyDirectory } from '../../../_util/verify-directory.ts'

let node: StoredNode

beforeAll(async () => {
  node = await createStoredNode(await createDirectory('verify-counts'))
}, 60_000)
afterAll(() => removeDirectory(node.directory))

/** What is told of a copy of the data after these statements, numbers left out. */
async function toldAfter(...statements: readonly string[]): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tinycloud-verify-'))
  try {
    mkdirSync(join(directory, 'data'))
    copyFileSync(databaseOf(node.directory), databaseOf(directory))
    symlinkSync(blocksOf(node.directory), blocksOf(directory))
    const database = new Database(databaseOf(directory))
    for (const sql of statements) expect(database.prepare(sql).run().changes).toBeGreaterThan(0)
    database.close()
    const { damages } = await verifyDirectory(directory, { withSignatures: false })
    return damages.map(({ kind, reason }) => `${kind} ${reason.replaceAll(/\d+/g, 'n')}`)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const PACK_COUNTS = 'pack pack: its live bytes are n (n of history), and its rows make n (n)'

describe('the bytes that a pack counts', () => {
  it.each([
    ['of history, one too many', 'history_bytes = history_bytes + 1'],
    ['of history, one too few', 'history_bytes = history_bytes - 1'],
    ['that are needed, one too many', 'live_bytes = live_bytes + 1'],
    [
      'of both, as if a record were gone',
      'live_bytes = live_bytes - 400, history_bytes = history_bytes - 400',
    ],
  ])('%s, are told', async (_, change) => {
    const told = await toldAfter(`UPDATE pack SET ${change} WHERE live_bytes > 0`)
    expect(told).toEqual([PACK_COUNTS])
  })
})

const FIRST = `(account, direction, position) =
  (SELECT account, direction, position FROM account_delegation WHERE direction = 'granted' LIMIT 1)`
const MISSING = 'delegation delegation: is not in the lists of its accounts'
const COUNTED = 'database delegation: it has n rows that count, and n are named'

describe('the list of an account', () => {
  it('without a delegation that it should have is told', async () => {
    const told = await toldAfter(`DELETE FROM account_delegation WHERE ${FIRST}`)
    expect(told).toEqual([MISSING, COUNTED])
  })

  it('with one that it should not have is told', async () => {
    const told = await toldAfter(
      `INSERT INTO account_delegation
         SELECT 'did:pkh:eip155:1:0x0', direction, position, delegation_no FROM account_delegation LIMIT 1`,
    )
    expect(told).toEqual([COUNTED])
  })

  it.each([
    ['at another place', 'position = zeroblob(40)'],
    ['in the other direction', "direction = 'received'"],
    ['of another delegation', 'delegation_no = delegation_no + 1'],
  ])('with one %s is told', async (_, change) => {
    const told = await toldAfter(`UPDATE account_delegation SET ${change} WHERE ${FIRST}`)
    expect(told).toEqual([MISSING])
  })

  it('that a delegation names wrongly is told', async () => {
    const told = await toldAfter(`UPDATE delegation SET accounts = '[]' WHERE accounts <> '[]'`)
    expect(told.length).toBeGreaterThan(0)
  })
})
