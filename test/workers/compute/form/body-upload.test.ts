/** Bodies on their way to staging: what ends in memory, what ends in files, and what is left behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../../src/protocol/bytes.ts'
import { blake3 } from '../../../../src/protocol/crypto/blake3.ts'
import { BATCH_HELD_BYTES_MAX, PACKED_VALUE_BYTES_MAX } from '../../../../src/protocol/limits.ts'
import { openStaging, type Staging } from '../../../../src/workers/blocks/staging.ts'
import { type BodyForm, type StagedPut } from '../../../../src/workers/compute/form/body-form.ts'
import {
  heldBytesOf,
  openBodyUpload,
  UPLOAD_NUMBERS,
} from '../../../../src/workers/compute/form/body-upload.ts'
import {
  packStagedPuts,
  unpackStagedPuts,
} from '../../../../src/workers/compute/form/staged-puts.ts'
import { readWholeBody } from '../../../../src/workers/compute/form/whole-body.ts'
import { BOUNDARY, type FormPart, formatForm, partOf } from '../../../_util/multipart.ts'
import { present } from '../../../_util/narrow.ts'
import { createRandom } from '../../../_util/random.ts'
import { useTemporaryDirectory } from '../../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const stagingDirectory = (): string => join(directory(), 'staging/1')
const staged = (): string[] => readdirSync(stagingDirectory())

beforeEach(() => {
  mkdirSync(stagingDirectory(), { recursive: true })
})

const openStagingIn = (mode: 'memory' | 'file'): Staging =>
  openStaging({ type: 'local', path: directory() }, { runNo: 1, runId: 'run' }, mode)

const bytesOf = (count: number, seed = count): Uint8Array => createRandom(seed).bytes(count)
const batchOf = (...keys: readonly string[]): BodyForm => ({
  kind: 'parts',
  boundary: BOUNDARY,
  keys,
})

/** All of the puts as their bytes, wherever they are. */
const valuesOf = (puts: readonly StagedPut[]): string[] =>
  puts.map(({ value }) =>
    toHex(
      value.kind === 'inline'
        ? value.bytes
        : readFileSync(join(stagingDirectory(), String(value.stagingNo))),
    ),
  )

const plain = (puts: readonly StagedPut[]): unknown =>
  puts.map(({ headers, value }) => [headers, value.kind, toHex(value.digest)])

async function upload(
  mode: 'memory' | 'file',
  form: BodyForm,
  body: Uint8Array,
): Promise<readonly StagedPut[]> {
  const target = openBodyUpload(openStagingIn(mode), 7, form)
  for (let offset = 0; offset < body.length; offset += 65_536)
    await target.append(body.subarray(offset, offset + 65_536))
  return target.finish()
}

const formOf = (values: ReadonlyMap<string, Uint8Array>): Buffer =>
  formatForm([...values].map(([key, value]): FormPart => partOf(key, value)))

describe.each(['memory', 'file'] as const)('a batch, staging in %s (BATCH-7)', (mode) => {
  it('ends in memory where its values are small, in files where they are large', async () => {
    const sizes = [0, 1, PACKED_VALUE_BYTES_MAX, PACKED_VALUE_BYTES_MAX + 1, 3_000_000]
    const values = new Map(sizes.map((size) => [`k${size}`, bytesOf(size)]))
    const puts = await upload(mode, batchOf(...values.keys()), formOf(values))
    expect(puts.map(({ value }) => value.kind)).toEqual([
      'inline',
      'inline',
      'inline',
      'file',
      'file',
    ])
    expect(valuesOf(puts)).toEqual([...values.values()].map(toHex))
    expect(puts.map(({ value }) => toHex(value.digest))).toEqual(
      [...values.values()].map((value) => toHex(blake3(value))),
    )
    const numbers = puts.flatMap(({ value }) => (value.kind === 'file' ? [value.stagingNo] : []))
    expect(numbers).toEqual([7 + 3 * UPLOAD_NUMBERS, 7 + 4 * UPLOAD_NUMBERS])
    expect(staged().toSorted()).toEqual(numbers.map(String).toSorted())
  })

  it('holds so many bytes in memory and no more; what comes after goes to files', async () => {
    const values = new Map<string, Uint8Array>()
    const wholeCount = BATCH_HELD_BYTES_MAX / PACKED_VALUE_BYTES_MAX
    for (let index = 0; index < wholeCount; index++)
      values.set(`k${index}`, bytesOf(PACKED_VALUE_BYTES_MAX, index))
    values.set('more', bytesOf(1)).set('none', bytesOf(0)).set('last', bytesOf(1000))
    const puts = await upload(mode, batchOf(...values.keys()), formOf(values))
    expect(puts.slice(0, wholeCount).every(({ value }) => value.kind === 'inline')).toBe(true)
    expect(puts.slice(wholeCount).map(({ value }) => value.kind)).toEqual([
      'file',
      'inline',
      'file',
    ])
    expect(valuesOf(puts)).toEqual([...values.values()].map(toHex))
  })

  it('leaves nothing behind when it is discarded, wherever it was', async () => {
    const values = new Map([300_000, 10, 500_000].map((size) => [`k${size}`, bytesOf(size)]))
    const body = formOf(values)
    for (const length of [0, 100, 200_000, 299_000, 301_000, 700_000, body.length]) {
      const target = openBodyUpload(openStagingIn(mode), length + 1, batchOf(...values.keys()))
      if (length > 0) await target.append(body.subarray(0, length))
      if (length === body.length) await target.finish()
      await target.discard()
      await target.discard()
      expect(staged()).toEqual([])
    }
  })

  it('is refused at the first wrong part, and can be discarded then', async () => {
    const body = formatForm([partOf('a', bytesOf(300_000)), partOf('x', 'x'), partOf('b', 'y')])
    const target = openBodyUpload(openStagingIn(mode), 1, batchOf('a', 'b'))
    await expect(target.append(body)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      detail: 'Multipart KV part x is not authorized by the invocation',
    })
    expect(staged()).toEqual(['1'])
    await target.discard()
    expect(staged()).toEqual([])
  })

  it('that does not end, or lacks a part, does not finish', async () => {
    const staging = openStagingIn(mode)
    const cases: [Uint8Array, string][] = [
      [formatForm([partOf('a', 'x')]).subarray(0, -4), 'Multipart body ends too early'],
      [formatForm([partOf('a', 'x')]), 'Missing multipart KV parts for signed paths: b'],
    ]
    for (const [body, detail] of cases) {
      const target = openBodyUpload(staging, 1, batchOf('a', 'b'))
      await target.append(body)
      await expect(target.finish()).rejects.toMatchObject({ code: 'OPTION_INVALID', detail })
      await target.discard()
    }
  })

  it('is told that it cannot be staged', async () => {
    const target = openBodyUpload(
      openStaging(
        { type: 'local', path: join(directory(), 'absent') },
        { runNo: 1, runId: 'run' },
        mode,
      ),
      1,
      batchOf('a'),
    )
    const body = formatForm([partOf('a', bytesOf(300_000))])
    await expect(target.append(body)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await target.discard()
  })
})

describe('a body that is one value', () => {
  const form: BodyForm = {
    kind: 'value',
    headers: [['content-type', 'text/plain;charset=UTF-8']],
    dropsImplicitText: true,
  }

  it('is staged under its own number', async () => {
    const value = bytesOf(300_000)
    const [put] = await upload('memory', form, value)
    expect(put?.value).toMatchObject({ kind: 'file', stagingNo: 7, valueBytes: 300_000 })
    expect(valuesOf([present(put)])).toEqual([toHex(value)])
    expect(existsSync(join(stagingDirectory(), '7'))).toBe(true)
  })

  it('loses the type that fetch invents where it is JSON, however it came (META-2)', async () => {
    const json = Buffer.from('{"a":1}')
    expect(await upload('memory', form, json)).toMatchObject([{ headers: [] }])
    expect(readWholeBody(form, json)).toMatchObject([{ headers: [] }])
    const kept = { ...form, dropsImplicitText: false }
    expect(readWholeBody(kept, json)).toMatchObject([{ headers: form.headers }])
    expect(readWholeBody(form, Buffer.from('text'))).toMatchObject([{ headers: form.headers }])
  })

  it('of no bytes is a value', async () => {
    expect(await upload('memory', form, new Uint8Array(0))).toMatchObject([
      { value: { kind: 'inline', digest: blake3(new Uint8Array(0)) } },
    ])
  })
})

describe('a body that came whole', () => {
  it('comes to the same values as one that was uploaded (BATCH-1)', async () => {
    const values = new Map([0, 1, 70_000, 100_000].map((size) => [`k${size}`, bytesOf(size)]))
    const body = formOf(values)
    const form = batchOf(...values.keys())
    expect(readWholeBody(form, body)).toEqual(await upload('memory', form, body))
  })
})

describe('staged values', () => {
  it('are what they were after they crossed threads', async () => {
    const values = new Map([0, 1, 300_000].map((size) => [`k${size}`, bytesOf(size)]))
    const body = formatForm(
      [...values].map(([key, value]) => partOf(key, value, { 'Content-Type': `text/${key}` })),
    )
    const puts = await upload('memory', batchOf(...values.keys()), body)
    const packed = packStagedPuts(puts)
    expect(packed.buffer.byteLength).toBe(packed.length)
    expect(plain(unpackStagedPuts(packed))).toEqual(plain(puts))
    expect(valuesOf(unpackStagedPuts(packed))).toEqual([...values.values()].map(toHex))
  })

  it('may hold so many bytes in memory as they are long, and no more than the limit of their form', () => {
    const batch = batchOf('a')
    const single: BodyForm = { kind: 'value', headers: [], dropsImplicitText: false }
    expect(heldBytesOf(batch, 300_000)).toBe(300_000)
    expect(heldBytesOf(batch, undefined)).toBe(BATCH_HELD_BYTES_MAX)
    expect(heldBytesOf(batch, 10 ** 9)).toBe(BATCH_HELD_BYTES_MAX)
    expect(heldBytesOf(single, undefined)).toBe(PACKED_VALUE_BYTES_MAX)
  })
})
