/** The last part of a disk is kept free: who is refused then, who is not, and how it ends. Rule: DISK-1. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type FileSystem, NODE_FILE_SYSTEM } from '../../../src/workers/blocks/file-system.ts'
import { openStaging } from '../../../src/workers/blocks/staging.ts'
import { type RoomLevel, type StorageCommand } from '../../../src/workers/storage/request.ts'
import { SpaceGuard } from '../../../src/workers/storage/space-guard.ts'
import {
  alias,
  again,
  del,
  delegation,
  deleteOf,
  hosting,
  mutation,
  put,
  putOf,
  revocation,
  signing,
} from '../../_util/storage-commands.ts'
import { systemError } from '../../_util/storage-faults.ts'
import { toldBy } from '../../_util/storage-replies.ts'
import { NOW_S, openStorage, storageOptions } from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const BLOCK_BYTES = 4096
const GIB = 1024 ** 3

/** A real file system on a disk that says how full it is. */
class ToldDisk {
  freeBytes = GIB
  sizeBytes = 100 * GIB
  error: Error | undefined
  asked = 0
  readonly files: FileSystem = new Proxy(NODE_FILE_SYSTEM, {
    get: (files, name): unknown =>
      name === 'statfsSync' ? () => this.#ask() : Reflect.get(files, name),
  })

  #ask(): { bsize: number; bavail: number; blocks: number } {
    this.asked += 1
    if (this.error) throw this.error
    const bavail = this.freeBytes / BLOCK_BYTES
    return { bsize: BLOCK_BYTES, bavail, blocks: this.sizeBytes / BLOCK_BYTES }
  }
}

function openGuard(disk: ToldDisk, reserveBytes: number) {
  const changes: [level: RoomLevel, freeBytes: number][] = []
  const guard = new SpaceGuard({
    files: disk.files,
    paths: [directory()],
    reserveBytes,
    onChange: (...change) => changes.push(change),
  })
  return { guard, changes }
}

describe('the guard', () => {
  it('opens again a little above where it closed', () => {
    const disk = new ToldDisk()
    const { guard, changes } = openGuard(disk, 800 * BLOCK_BYTES)
    const steps: [freeBlocks: number, level: RoomLevel][] = [
      [801, 'enough'],
      [800, 'enough'],
      [799, 'low'],
      [800, 'low'],
      [899, 'low'],
      [400, 'low'],
      [399, 'spent'],
      [449, 'spent'],
      [450, 'low'],
      [899, 'low'],
      [900, 'enough'],
      [800, 'enough'],
      [0, 'spent'],
      [900, 'enough'],
    ]
    for (const [second, [freeBlocks, level]] of steps.entries()) {
      disk.freeBytes = freeBlocks * BLOCK_BYTES
      guard.check(second)
      expect(guard.level).toBe(level)
      expect(guard.freeBytes).toBe(freeBlocks * BLOCK_BYTES)
    }
    expect(changes.map(([level, freeBytes]) => [level, freeBytes / BLOCK_BYTES])).toEqual([
      ['low', 799],
      ['spent', 399],
      ['low', 450],
      ['enough', 900],
      ['spent', 0],
      ['enough', 900],
    ])
  })

  it('asks once a second, also when the clock steps back', () => {
    const disk = new ToldDisk()
    const { guard } = openGuard(disk, 0)
    for (const nowS of [10, 10.5, 10.99, 11, 5, 5.5]) guard.check(nowS)
    expect(disk.asked).toBe(3)
  })

  it('keeps no more than a tenth of a small disk free', () => {
    const disk = new ToldDisk()
    disk.sizeBytes = 1000 * BLOCK_BYTES
    disk.freeBytes = 100 * BLOCK_BYTES
    const { guard } = openGuard(disk, GIB)
    guard.check(1)
    expect(guard.level).toBe('enough')
    disk.freeBytes = 99 * BLOCK_BYTES
    guard.check(2)
    expect(guard.level).toBe('low')
  })

  it('keeps nothing free where it is told so, and what it knew where the disk does not answer', () => {
    const disk = new ToldDisk()
    disk.freeBytes = 0
    const careless = openGuard(disk, 0)
    careless.guard.check(1)
    expect(careless.guard.level).toBe('enough')

    const { guard, changes } = openGuard(disk, GIB)
    guard.check(1)
    disk.error = systemError('EIO')
    guard.check(2)
    expect(guard.level).toBe('spent')
    expect(changes).toEqual([['spent', 0]])
  })
})

describe('a node whose disk is nearly full', () => {
  const parent = delegation()
  const session = delegation()

  const FULL = 'STORAGE_FULL'

  /** What each is told while there is less than the reserve, and less than half of it. */
  const CASES: [what: string, command: () => StorageCommand, low: string, spent: string][] = [
    ['a put', () => put('b', 'x'), FULL, FULL],
    ['a put that replaces', () => put('a', ''), FULL, FULL],
    ['a put beside a delete', () => mutation([deleteOf('a'), putOf('b', '')]), FULL, FULL],
    ['a delegation', () => delegation(), '200', FULL],
    ['a delete', () => del('a'), '200', '200'],
    ['a revocation', () => revocation(parent), '200', '200'],
    ['another spelling of a delegation', () => alias(session), '200', '200'],
    ['a signed URL', () => signing('a', 'one'), '200', '200'],
  ]

  it.each(
    CASES.flatMap(([what, command, low, spent]) => [
      { what, command, level: 'low', freeBytes: (3 * GIB) / 8, told: low },
      { what, command, level: 'spent', freeBytes: GIB / 8, told: spent },
    ]),
  )('$what, level $level: $told', async ({ command, level, freeBytes, told }) => {
    const disk = new ToldDisk()
    let nowS = NOW_S
    const storage = await openStorage(
      directory(),
      { files: disk.files, nowS: () => nowS },
      { reserveBytes: GIB / 2 },
    )
    const [host] = await storage.send(hosting(), again(parent), again(session), put('a', 'one'))
    expect(toldBy(host).slice(0, 3)).toBe('200')
    disk.freeBytes = freeBytes
    nowS += 1
    const first = command()
    const [low] = await storage.send(first)
    expect(toldBy(low).split(' ')[0]).toBe(told)
    expect(await storage.probe(false)).toMatchObject({ failure: undefined })
    expect(await storage.probe(true)).toMatchObject({ failure: { code: 'STORAGE_FULL' } })
    disk.freeBytes = GIB
    nowS += 1
    const [high] = await storage.send(told === '200' ? command() : again(first))
    expect(toldBy(high).split(' ')[0]).toBe('200')
    expect(await storage.probe(true)).toMatchObject({ failure: undefined })
    expect(storage.events.filter(({ kind }) => kind === 'room')).toEqual([
      { kind: 'room', level, freeBytes },
      { kind: 'room', level: 'enough', freeBytes: GIB },
    ])
    await storage.close()
    expect(storage.deaths).toEqual([])
  })

  it('says so as soon as it has started', async () => {
    const disk = new ToldDisk()
    disk.freeBytes = 0
    const storage = await openStorage(directory(), { files: disk.files }, { reserveBytes: 1 })
    expect(storage.events).toContainEqual({ kind: 'room', level: 'spent', freeBytes: 0 })
    await storage.close()
  })

  it('leaves nothing of a large value that it refuses', async () => {
    const disk = new ToldDisk()
    disk.freeBytes = 0
    const { blocks } = storageOptions(directory())
    const storage = await openStorage(directory(), { files: disk.files }, { reserveBytes: 1 })
    const upload = openStaging(blocks, storage.storage.run, 'memory').open(1, 100)
    await upload.append(Buffer.alloc(1000))
    const value = await upload.finish()
    if (value.kind !== 'file') throw new Error('not staged')
    const { digest, valueBytes, segments } = value
    const staged = { kind: 'staged', stagingNo: 1, segments } as const
    const operation = { ...putOf('a', ''), kind: 'put', digest, valueBytes, value: staged } as const
    const names = (): string[] =>
      readdirSync(join(blocks.path, 'staging'), { recursive: true })
        .map(String)
        .filter((name) => name.endsWith('/1'))
    expect(names()).toHaveLength(1)
    const [reply] = await storage.send(mutation([{ ...operation, headers: '[]' }]))
    expect(toldBy(reply)).toBe('STORAGE_FULL')
    expect(names()).toEqual([])
    await storage.close()
  })
})
