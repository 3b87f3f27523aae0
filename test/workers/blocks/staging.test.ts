/** Uploads in chunks: what ends in memory, what ends as a file, and its hashes. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { concatBytes, toHex } from '../../../src/protocol/bytes.ts'
import { blake3 } from '../../../src/protocol/crypto/blake3.ts'
import { PACKED_VALUE_BYTES_MAX, SEGMENT_BYTES } from '../../../src/protocol/limits.ts'
import { openStaging, type StagedUpload } from '../../../src/workers/blocks/staging.ts'
import { createRandom } from '../../_util/random.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const RUN = { runNo: 3, runId: 'test' }

beforeEach(() => {
  mkdirSync(join(directory(), 'staging/3'), { recursive: true })
})

const staged = (): string[] => readdirSync(join(directory(), 'staging/3'))

function open(mode: 'memory' | 'file', stagingNo = 5): StagedUpload {
  return openStaging({ type: 'local', path: directory() }, RUN, mode).open(stagingNo)
}

async function upload(target: StagedUpload, value: Uint8Array, chunkBytes: number): Promise<void> {
  for (let offset = 0; offset < value.length; offset += chunkBytes)
    await target.append(value.subarray(offset, offset + chunkBytes))
}

const valueOf = (lengthBytes: number): Uint8Array => createRandom(lengthBytes).bytes(lengthBytes)

const segmentsOf = (value: Uint8Array): string => {
  const digests: Uint8Array[] = []
  for (let offset = 0; offset < value.length; offset += SEGMENT_BYTES)
    digests.push(blake3(value.subarray(offset, offset + SEGMENT_BYTES)))
  return toHex(concatBytes(digests))
}

describe.each(['memory', 'file'] as const)('an upload, staging in %s', (mode) => {
  it.each([
    [0, 1],
    [1, 1],
    [1000, 7],
    [PACKED_VALUE_BYTES_MAX, 65_536],
    [PACKED_VALUE_BYTES_MAX, 99_999],
  ])('of %i bytes in chunks of %i ends in memory', async (lengthBytes, chunkBytes) => {
    const value = valueOf(lengthBytes)
    const target = open(mode)
    await upload(target, value, chunkBytes)
    const result = await target.finish()
    if (result.kind !== 'inline') throw new Error('it ended as a file')
    expect(toHex(result.digest)).toBe(toHex(blake3(value)))
    expect(toHex(result.bytes)).toBe(toHex(value))
    expect(staged()).toEqual([])
  })

  it.each([
    [PACKED_VALUE_BYTES_MAX + 1, 65_536],
    [SEGMENT_BYTES, 65_536],
    [SEGMENT_BYTES + 1, 262_144],
    [3 * SEGMENT_BYTES - 1, 100_003],
    [20 * SEGMENT_BYTES + 5, SEGMENT_BYTES * 3],
  ])('of %i bytes in chunks of %i ends as a file', async (lengthBytes, chunkBytes) => {
    const value = valueOf(lengthBytes)
    const target = open(mode)
    await upload(target, value, chunkBytes)
    const result = await target.finish()
    if (result.kind !== 'file') throw new Error('it ended in memory')
    expect(result.stagingNo).toBe(5)
    expect(result.valueBytes).toBe(lengthBytes)
    expect(toHex(result.digest)).toBe(toHex(blake3(value)))
    expect(toHex(result.segments)).toBe(segmentsOf(value))
    expect(readFileSync(join(directory(), 'staging/3/5')).equals(value)).toBe(true)
  })

  it('that is discarded leaves nothing, however far it was', async () => {
    for (const lengthBytes of [0, 1000, SEGMENT_BYTES, 9 * SEGMENT_BYTES]) {
      const target = open(mode)
      await upload(target, valueOf(lengthBytes), 65_536)
      await target.discard()
      await target.discard()
      expect(staged()).toEqual([])
    }
  })

  it('never takes the file of another one', async () => {
    writeFileSync(join(directory(), 'staging/3/5'), 'taken')
    const target = open(mode)
    await expect(upload(target, valueOf(SEGMENT_BYTES), SEGMENT_BYTES)).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    })
    await target.discard()
    expect(readFileSync(join(directory(), 'staging/3/5'), 'utf8')).toBe('taken')
  })
})

it('a chunk may be changed by its owner once it was appended', async () => {
  const target = open('memory')
  const chunk = Buffer.from('first')
  await target.append(chunk)
  chunk.fill(0)
  const result = await target.finish()
  expect(result.kind === 'inline' && Buffer.from(result.bytes).toString()).toBe('first')
})

it('more than a value may have is refused, and takes no more memory', async () => {
  const target = open('memory')
  const huge = new Uint8Array(new ArrayBuffer(1_000_000_001))
  await expect(target.append(huge)).rejects.toMatchObject({
    code: 'VALUE_TOO_LARGE',
    detail: '1000000000',
  })
  await target.discard()
  expect(existsSync(join(directory(), 'staging/3/5'))).toBe(false)
})

it('holds no more than a chunk in memory where files are wanted', async () => {
  const target = open('file')
  await target.append(valueOf(100))
  expect(readFileSync(join(directory(), 'staging/3/5'))).toHaveLength(100)
  await target.discard()
})
