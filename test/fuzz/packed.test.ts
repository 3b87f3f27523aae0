/** Messages between threads: what was written is what is read, to the last byte, and no more. */
import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { expect, it } from 'vitest'
import { PackedReader, PackedWriter } from '../../src/protocol/packed.ts'
import {
  readEntry,
  readResult,
  writeEntry,
  writeResult,
} from '../../src/workers/compute/request.ts'
import { readCommand, writeCommand } from '../../src/workers/storage/command-codec.ts'
import { readReply, writeReply } from '../../src/workers/storage/request.ts'
import { describeUnkeptFuzz } from '../_util/fuzz/harness.ts'
import { commands, entries, replies, results } from '../_util/fuzz/packed-values.ts'
import { assertTrue } from '../_util/fuzz/refusal.ts'

/** Views and buffers as plain bytes, so that values can be compared. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

function describePacked<T>(
  name: string,
  values: fc.Arbitrary<T>,
  write: (writer: PackedWriter, value: T) => void,
  read: (reader: PackedReader) => T,
): void {
  describeUnkeptFuzz({
    name: `packed ${name}`,
    inputs: fc.tuple(values, fc.array(values, { maxLength: 2 }), fc.double({ min: 0, max: 0.99 })),
    check: ([first, more, cut]) => {
      const all = [first, ...more]
      const writer = new PackedWriter(16)
      for (const value of all) write(writer, value)
      const batch = writer.finish()
      const reader = new PackedReader(batch)
      const again = all.map(() => read(reader))
      assertTrue(reader.isDone, 'nothing is left')
      assertTrue(isDeepStrictEqual(plain(again), plain(all)), 'the values come back')
      assertCut(batch, cut, all.length, read)
      return true
    },
  })
}

/** A batch that is cut off ends in a RangeError: our fault, and never a shorter list. */
function assertCut(
  batch: ArrayBuffer,
  cut: number,
  count: number,
  read: (reader: PackedReader) => unknown,
): void {
  const reader = new PackedReader(batch.slice(0, Math.floor(batch.byteLength * cut)))
  let thrown: unknown
  try {
    for (let index = 0; index < count; index++) read(reader)
  } catch (error) {
    thrown = error
  }
  assertTrue(thrown instanceof RangeError, 'a cut batch is a RangeError')
}

describePacked('entries', entries, writeEntry, readEntry)
describePacked('results', results, writeResult, readResult)
describePacked('commands', commands, writeCommand, readCommand)
describePacked('replies', replies, writeReply, readReply)

it('compares bytes by content', () => {
  expect(plain({ a: Buffer.from('a') })).toEqual({ a: [97] })
})
