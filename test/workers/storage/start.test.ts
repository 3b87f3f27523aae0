/** Starting: what is refused and how it is explained, and what a start does with the leftovers of a crash. */
import Database from 'better-sqlite3'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startStorage } from '../../../src/workers/storage/start-storage.ts'
import { type Fault, StartFault } from '../../../src/workers/storage/request.ts'
import { hosting, put } from '../../_util/storage-commands.ts'
import { toldByAll } from '../../_util/storage-replies.ts'
import { NOW_S, openStorage, storageOptions } from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const surroundings = { post: () => undefined, die: () => undefined, nowS: () => NOW_S }

async function faultOf(options = storageOptions(directory())): Promise<Fault> {
  try {
    const storage = await startStorage(options, surroundings)
    await storage.close()
  } catch (error) {
    if (error instanceof StartFault) return error.fault
    throw error
  }
  throw new Error('it started')
}

async function makeDatabase(): Promise<string> {
  const storage = await openStorage(directory())
  await storage.send(hosting(), put('a', 'one'))
  await storage.close()
  return storageOptions(directory()).database.path
}

describe('a start is refused, with what, why and what to do', () => {
  it('when another process serves the directory', async () => {
    const storage = await openStorage(directory())
    const fault = await faultOf()
    expect(fault.why).toBe('another tinycloud process serves it')
    expect(fault.what).toContain(directory())
    await storage.close()
    const again = await openStorage(directory())
    await again.close()
  })

  it('when only the blocks directory is shared', async () => {
    const storage = await openStorage(directory())
    const elsewhere = join(directory(), 'elsewhere')
    mkdirSync(elsewhere)
    const options = storageOptions(directory())
    const database = { type: 'sqlite', path: join(elsewhere, 'caps.db') } as const
    expect((await faultOf({ ...options, database })).why).toContain('another tinycloud process')
    await storage.close()
  })

  it('with the secret of another node', async () => {
    await makeDatabase()
    const options = { ...storageOptions(directory()), secretFingerprint: new Uint8Array(32) }
    const fault = await faultOf(options)
    expect(fault.what).toContain('secret')
    expect(fault.remedy).toContain('keys.secret')
  })

  it('with a database that is newer than the program', async () => {
    const path = await makeDatabase()
    const database = new Database(path)
    database.pragma('user_version = 1000')
    database.close()
    expect((await faultOf()).what).toContain('newer than this program')
  })

  it("with another program's database, which stays as it is", async () => {
    mkdirSync(join(directory(), 'blocks'))
    const { path } = storageOptions(directory()).database
    const database = new Database(path)
    database.exec('CREATE TABLE notes (text TEXT)')
    database.close()
    expect((await faultOf()).what).toContain('is not a database of tinycloud')
    const after = new Database(path)
    expect(after.pragma('journal_mode', { simple: true })).toBe('delete')
    expect(after.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['notes'])
    after.close()
  })

  it('with a file that is no database', async () => {
    mkdirSync(join(directory(), 'blocks'))
    writeFileSync(storageOptions(directory()).database.path, 'a letter to somebody '.repeat(100))
    const fault = await faultOf()
    expect(fault.why).toContain('not a database')
    expect(fault.remedy).toContain('storage.database')
  })

  it('without a blocks directory', async () => {
    const fault = await faultOf()
    expect(fault.what).toContain(join(directory(), 'blocks'))
    expect(fault.why).toContain('ENOENT')
  })

  it.skipIf(process.getuid?.() === 0)('where nothing can be written', async () => {
    await makeDatabase()
    chmodSync(join(directory(), 'blocks'), 0o500)
    expect((await faultOf()).remedy).toContain('may write')
    chmodSync(join(directory(), 'blocks'), 0o700)
  })
})

describe('a start', () => {
  it('takes an empty file for a new database', async () => {
    mkdirSync(join(directory(), 'blocks'))
    writeFileSync(storageOptions(directory()).database.path, '')
    const storage = await openStorage(directory())
    expect(toldByAll(await storage.send(hosting()))[0]).toMatch(/^200/)
    await storage.close()
  })

  it('begins a run of its own and keeps nothing of an idle one', async () => {
    for (let start = 1; start <= 3; start++) {
      const storage = await openStorage(directory())
      expect(storage.storage.run.runNo).toBe(start)
      await storage.close()
      expect(storage.events).toEqual([])
    }
    expect(readdirSync(join(directory(), 'blocks/packs'), { recursive: true })).toEqual([])
  })

  it('empties staging, removes unknown objects, and leaves known files alone', async () => {
    await makeDatabase()
    const blocks = join(directory(), 'blocks')
    const [pack = ''] = readdirSync(join(blocks, 'packs/1'))
    const packBytes = statSync(join(blocks, 'packs/1', pack)).size
    mkdirSync(join(blocks, 'staging/1'), { recursive: true })
    writeFileSync(join(blocks, 'staging/1/7'), 'half an upload')
    const storage = await openStorage(directory())
    expect(existsSync(join(blocks, 'staging/1'))).toBe(false)
    expect(readdirSync(join(blocks, 'staging'))).toEqual(['2'])
    expect(statSync(join(blocks, 'packs/1', pack)).size).toBe(packBytes)
    await storage.close()
  })

  it('cuts the tail of a pack that no row names, and does so only once', async () => {
    const path = await makeDatabase()
    // As a crash leaves it: the run not ended, the pack without index, bytes after the committed ones.
    const database = new Database(path)
    const committed = Number(database.prepare('SELECT pack_bytes FROM run').pluck().get())
    database.exec(`UPDATE run SET ended_at = NULL, cleaned_at = NULL;
      UPDATE pack SET state = 'writing', file_bytes = 0`)
    database.close()
    const pack = join(directory(), 'blocks/packs/1/0.car')
    const sealedBytes = statSync(pack).size
    appendFileSync(pack, 'torn')
    const storage = await openStorage(directory())
    expect(storage.events).toMatchObject([{ kind: 'log', event: 'run.crashed' }])
    expect(statSync(pack).size).toBe(sealedBytes)
    expect(committed).toBeLessThan(sealedBytes)
    await storage.close()
    expect((await openAndClose()).events).toEqual([])
  })

  it('never cuts bytes that a row names, whatever the row of the run says', async () => {
    const path = await makeDatabase()
    const database = new Database(path)
    database.exec(`UPDATE run SET ended_at = NULL, cleaned_at = NULL, pack_bytes = 18;
      UPDATE pack SET state = 'writing', file_bytes = 0`)
    database.close()
    const pack = join(directory(), 'blocks/packs/1/0.car')
    const sealedBytes = statSync(pack).size
    await openAndClose()
    expect(statSync(pack).size).toBe(sealedBytes)
  })

  it('says so when a pack lost committed bytes, and does not write over what is left', async () => {
    const path = await makeDatabase()
    const database = new Database(path)
    database.exec(`UPDATE run SET ended_at = NULL, cleaned_at = NULL;
      UPDATE pack SET state = 'writing', file_bytes = 0`)
    database.close()
    const pack = join(directory(), 'blocks/packs/1/0.car')
    writeFileSync(pack, 'short')
    const { events } = await openAndClose()
    expect(events).toContainEqual(expect.objectContaining({ level: 'error', event: 'pack.short' }))
    expect(statSync(pack).size).toBe(5)
  })
})

async function openAndClose(): Promise<Awaited<ReturnType<typeof openStorage>>> {
  const storage = await openStorage(directory())
  await storage.close()
  return storage
}
