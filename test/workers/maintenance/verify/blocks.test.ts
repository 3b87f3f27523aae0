/** Bits of files: each changed one is found and named, and files that are missing, cut, too long or nobody's. */
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDirectory, removeDirectory } from '../../../_util/node-process.ts'
import { StartFault } from '../../../../src/workers/storage/request.ts'
import { chooseSeed, createRandom } from '../../../_util/random.ts'
import {
  blocksOf,
  copyStoredNode,
  createStoredNode,
  databaseOf,
  type StoredNode,
} from '../../../_util/stored-node.ts'
import { type Verification, verifyDirectory } from '../../../_util/verify-directory.ts'

/** Bits of one file that a test changes, one at a time. */
const BITS_TRIED = 150

let node: StoredNode
let directory = ''

beforeAll(async () => {
  node = await createStoredNode(await createDirectory('verify-blocks'), {
    environment: { TINYCLOUD_STORAGE_HISTORY: 'none' },
  })
}, 60_000)
afterAll(() => removeDirectory(node.directory))
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tinycloud-verify-'))
  copyStoredNode(node, directory)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Paths of the files below `blocks/‹kind›`, the largest first. */
function filesOf(kind: 'packs' | 'objects'): string[] {
  const root = join(blocksOf(directory), kind)
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted((a, b) => readFileSync(b).length - readFileSync(a).length)
}

function only(kind: 'packs' | 'objects'): string {
  const [path] = filesOf(kind)
  if (path === undefined) throw new Error(`there is no file of ${kind}`)
  return path
}

/** Changes one bit of a file, verifies, and changes it back. */
async function verifyWithBit(path: string, bit: number): Promise<Verification> {
  const bytes = readFileSync(path)
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  writeFileSync(path, bytes)
  const verification = await verifyDirectory(directory, { withSignatures: false })
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  writeFileSync(path, bytes)
  return verification
}

describe('a changed bit', () => {
  it('of a pack is found, wherever it is: header, values, tokens, dead bytes, index', async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    const path = only('packs')
    const bits = readFileSync(path).length * 8
    const missed: number[] = []
    for (let count = 0; count < BITS_TRIED; count++) {
      // The first bits are the header, the last ones the index.
      const edge = 64 * 8
      const bit = [random.below(bits), random.below(edge), bits - 1 - random.below(edge)][count % 3]
      if (bit === undefined) continue
      const { problems } = await verifyWithBit(path, bit)
      if (problems === 0) missed.push(bit)
    }
    expect(missed, `seed ${seed}`).toEqual([])
  }, 120_000)

  it('of a large value is found and names the version', async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    // The one that was replaced is read by nobody any more.
    const found: string[] = []
    for (const path of filesOf('objects')) {
      const bits = readFileSync(path).length * 8
      const { damages } = await verifyWithBit(path, random.below(bits))
      found.push(...damages.map(({ kind, reason }) => `${kind} ${reason.replace(/\d+/g, 'n')}`))
    }
    expect(found, `seed ${seed}`).toEqual(
      Array.from({ length: 2 }, () => 'kv_version value: object n segment n fails its hash'),
    )
  })

  it('of a value is told once, and names its version', async () => {
    const path = only('packs')
    const offset = readFileSync(path).indexOf('value 31')
    const { damages } = await verifyWithBit(path, offset * 8)
    expect(damages).toEqual([
      {
        kind: 'kv_version',
        rowId: expect.stringMatching(/^\d+$/),
        reason: expect.stringMatching(/^value: the section at \d+ of pack \d+ fails its hash$/),
      },
    ])
  })

  it('of a value that was overwritten is told of its pack', async () => {
    const path = only('packs')
    const offset = readFileSync(path).indexOf('first')
    const { damages } = await verifyWithBit(path, offset * 8)
    expect(damages).toEqual([
      {
        kind: 'pack',
        rowId: expect.stringMatching(/^\d+:\d+$/),
        reason: 'pack: the section fails its hash',
      },
    ])
  })

  it('anywhere in the database is told, or is nobody’s, and never ends the verification', async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    const sound = readFileSync(databaseOf(directory))
    let found = 0
    for (let count = 0; count < 100; count++) {
      const bytes = Buffer.from(sound)
      // Behind the first page, which says that it is our database at all.
      const bit = 4096 * 8 + random.below((bytes.length - 4096) * 8)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      writeFileSync(databaseOf(directory), bytes)
      try {
        const { problems } = await verifyDirectory(directory, {
          withSignatures: false,
          withStructure: true,
        })
        if (problems > 0) found += 1
      } catch (error) {
        // The description of a table is damaged: there is no reading it at all, and that is what is said.
        if (!(error instanceof StartFault)) throw error
        found += 1
      }
    }
    // Much of a page of SQLite is free, or an index that repeats what a table says.
    expect(found, `seed ${seed}`).toBeGreaterThan(20)
  }, 120_000)
})

describe('a file', () => {
  it('that is missing is found: a pack, a large value', async () => {
    const pack = only('packs')
    renameSync(pack, `${pack}.away`)
    const withoutPack = await verifyDirectory(directory)
    expect(withoutPack.damages.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['pack', 'statement', 'kv_version']),
    )
    renameSync(`${pack}.away`, pack)
    for (const path of filesOf('objects')) unlinkSync(path)
    const { damages } = await verifyDirectory(directory)
    expect(damages.map(({ reason }) => reason.replace(/\d+/, 'n'))).toEqual(
      Array.from({ length: 2 }, () => 'value: object n is missing (ENOENT)'),
    )
  })

  it('that is cut is found', async () => {
    const pack = only('packs')
    truncateSync(pack, readFileSync(pack).length - 1)
    expect((await verifyDirectory(directory)).problems).toBeGreaterThan(0)
    for (const path of filesOf('objects')) truncateSync(path, 2_000_000)
    const { damages } = await verifyDirectory(directory)
    expect(damages.filter(({ reason }) => reason.includes('ends too early'))).toHaveLength(2)
  })

  it('that is too long is found', async () => {
    appendFileSync(only('packs'), 'more')
    for (const path of filesOf('objects')) appendFileSync(path, 'more')
    const { damages } = await verifyDirectory(directory)
    expect(damages.filter(({ kind }) => kind === 'pack')).not.toEqual([])
    expect(damages.filter(({ reason }) => reason.endsWith('has 2500004 bytes'))).toHaveLength(2)
  })

  it('that was swapped with another is found', async () => {
    const [first, second] = filesOf('objects')
    if (first === undefined || second === undefined) throw new Error('too few large values')
    copyFileSync(first, `${first}.copy`)
    renameSync(second, first)
    renameSync(`${first}.copy`, second)
    const { damages } = await verifyDirectory(directory)
    expect(new Set(damages.map(({ kind }) => kind))).toEqual(new Set(['kv_version']))
  })

  it('that no row names is told as reclaimable, and is no damage', async () => {
    const pack = only('packs')
    copyFileSync(pack, join(dirname(pack), '999.car'))
    mkdirSync(join(blocksOf(directory), 'staging/1'), { recursive: true })
    writeFileSync(join(blocksOf(directory), 'staging/1/5'), 'an upload')
    writeFileSync(join(blocksOf(directory), 'packs/note.txt'), 'by somebody')
    const { problems, reclaimable } = await verifyDirectory(directory)
    expect(problems).toBe(0)
    expect(reclaimable.files).toBe(3)
    expect(reclaimable.bytes).toBe(
      readFileSync(pack).length + 'an upload'.length + 'by somebody'.length,
    )
  })

  it('above the mark of a run that was put in order is damage', async () => {
    const object = only('objects')
    cpSync(object, join(dirname(object), '77'))
    const { damages, reclaimable } = await verifyDirectory(directory)
    expect(damages).toMatchObject([{ kind: 'run', rowId: '1' }])
    expect(reclaimable.files).toBe(1)
  })
})
