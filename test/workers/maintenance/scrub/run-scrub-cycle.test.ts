/** One cycle of the scrub over real data: what it finds, what it tells, where it goes on, and at which pace. */
import Database from 'better-sqlite3'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  formatScrubPosition,
  type MaintenanceEvent,
} from '../../../../src/workers/maintenance/request.ts'
import { runScrubCycle } from '../../../../src/workers/maintenance/scrub/run-scrub-cycle.ts'
import { createDirectory, removeDirectory } from '../../../_util/node-process.ts'
import {
  blocksOf,
  copyStoredNode,
  createStoredNode,
  databaseOf,
  type StoredNode,
} from '../../../_util/stored-node.ts'

const FAST_BYTES_PER_S = 1e12
const NOW_S = 1_800_000_000

let node: StoredNode
let directory = ''

beforeAll(async () => {
  node = await createStoredNode(await createDirectory('scrub'))
}, 60_000)
afterAll(() => removeDirectory(node.directory))
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tinycloud-scrub-'))
  copyStoredNode(node, directory)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function scrub(bytesPerS = FAST_BYTES_PER_S): Promise<MaintenanceEvent[]> {
  const events: MaintenanceEvent[] = []
  await runScrubCycle(
    {
      task: 'scrub',
      database: { type: 'sqlite', path: databaseOf(directory) },
      blocks: { type: 'local', path: blocksOf(directory) },
      bytesPerS,
    },
    { post: (event) => events.push(event), nowS: () => NOW_S, nowMs: () => performance.now() },
  )
  return events
}

const ofKind = <K extends MaintenanceEvent['kind']>(
  events: readonly MaintenanceEvent[],
  kind: K,
): Extract<MaintenanceEvent, { kind: K }>[] =>
  events.filter((event): event is Extract<MaintenanceEvent, { kind: K }> => event.kind === kind)

const readBytes = (events: readonly MaintenanceEvent[]): number =>
  ofKind(events, 'scrubbed').at(-1)?.bytes ?? 0

/** Runs a statement on the copy. */
function change(sql: string, ...values: (string | number | Uint8Array)[]): void {
  const database = new Database(databaseOf(directory))
  database.prepare(sql).run(...values)
  database.close()
}

function flipBit(text: string): void {
  const root = join(blocksOf(directory), 'packs')
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.car')) continue
    const path = join(root, name)
    const bytes = readFileSync(path)
    const offset = bytes.indexOf(text)
    if (offset === -1) continue
    bytes[offset]! ^= 1
    writeFileSync(path, bytes)
  }
}

const keepPosition = (afterNo: number): void =>
  change(
    "INSERT INTO meta VALUES ('scrub-position', ?)",
    formatScrubPosition({ afterNo, cycleStartedAtS: NOW_S - 5000 }),
  )

describe('a cycle', () => {
  it('over sound data finds nothing, and ends at its beginning', async () => {
    const events = await scrub()
    expect(ofKind(events, 'damages')).toEqual([])
    expect(events.slice(-3)).toEqual([
      { kind: 'scrubbed', bytes: expect.any(Number), problems: 0 },
      { kind: 'position', position: { afterNo: 0, cycleStartedAtS: NOW_S } },
      { kind: 'cycle', startedAtS: NOW_S },
    ])
    // Two large values, and everything in the pack twice: through the rows, and section by section.
    expect(readBytes(events)).toBeGreaterThan(5_300_000)
  })

  it('finds a changed bit of a value, of an epoch, of a row', async () => {
    flipBit('value 31')
    change("UPDATE kv_current SET seq = seq + 1 WHERE kv_key = CAST('kept' AS BLOB)")
    change('UPDATE epoch SET block = zeroblob(length(block)) WHERE seq = 3')
    const events = await scrub()
    const kinds = ofKind(events, 'damages').flatMap(({ damages }) =>
      damages.map(({ kind }) => kind),
    )
    expect(kinds.toSorted()).toEqual(['epoch', 'kv_current', 'kv_version'])
    expect(ofKind(events, 'scrubbed').at(-1)?.problems).toBe(3)
  })

  it('leaves the database and the files as they are', async () => {
    flipBit('value 31')
    const before = readFileSync(databaseOf(directory))
    await scrub()
    expect(readFileSync(databaseOf(directory)).equals(before)).toBe(true)
  })
})

describe('a cycle that was interrupted', () => {
  it('goes on behind the blocks that were read, and keeps when it began', async () => {
    const whole = readBytes(await scrub())
    const database = new Database(databaseOf(directory))
    const lastNo = database
      .prepare<[], number>('SELECT max(statement_no) FROM statement')
      .pluck()
      .get()
    database.close()
    keepPosition(lastNo ?? 0)
    const events = await scrub()
    expect(ofKind(events, 'cycle')).toEqual([{ kind: 'cycle', startedAtS: NOW_S - 5000 }])
    expect(readBytes(events)).toBeLessThan(whole - 5_000_000)
    expect(ofKind(events, 'damages')).toEqual([])
  })

  it('still finds what rows say of each other, from the first one on', async () => {
    keepPosition(Number.MAX_SAFE_INTEGER)
    change(
      'UPDATE event SET epoch_seq = epoch_seq + 1 WHERE event_no = (SELECT min(event_no) FROM event)',
    )
    expect(ofKind(await scrub(), 'damages')).not.toEqual([])
  })

  it('begins anew where what was kept makes no sense', async () => {
    change("INSERT INTO meta VALUES ('scrub-position', ?)", Buffer.from('nonsense'))
    expect(ofKind(await scrub(), 'cycle')).toEqual([{ kind: 'cycle', startedAtS: NOW_S }])
  })
})

describe('its pace', () => {
  it('is the one that was asked for', async () => {
    const startedMs = performance.now()
    const events = await scrub(4 * 1024 * 1024)
    const elapsedS = (performance.now() - startedMs) / 1000
    expect(readBytes(events) / elapsedS).toBeLessThan(4.4 * 1024 * 1024)
  })
})
