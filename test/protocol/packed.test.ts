import { describe, expect, it } from 'vitest'

import { PackedReader, PackedWriter } from '../../src/protocol/packed.ts'

/** Writes the same fields, each kind at every position relative to the end of the writer's first buffer. */
function writeFields(writer: PackedWriter): void {
  writer
    .u8(0xab)
    .u16(0xcdef)
    .u32(0xdeadbeef)
    .f64(2 ** 53 - 1)
    .text('grüße €𝄞')
    .bytes(Uint8Array.of(1, 2, 3))
  writer.raw(Uint8Array.of(9)).text('').bytes(new Uint8Array(0)).u8(7)
}

function readFields(reader: PackedReader): unknown[] {
  return [
    reader.u8(),
    reader.u16(),
    reader.u32(),
    reader.f64(),
    reader.text(),
    [...reader.bytes()],
    [...reader.raw(1)],
    reader.text(),
    reader.bytes().length,
    reader.u8(),
  ]
}

const FIELDS = [0xab, 0xcdef, 0xdeadbeef, 2 ** 53 - 1, 'grüße €𝄞', [1, 2, 3], [9], '', 0, 7]

describe('PackedWriter and PackedReader', () => {
  it('give back what was written, wherever the buffer has to grow', () => {
    for (let capacityBytes = 0; capacityBytes < 150; capacityBytes++) {
      const writer = new PackedWriter(capacityBytes)
      writeFields(writer)
      writeFields(writer)
      const batch = writer.finish()
      expect(batch.byteLength).toBe(writer.length)
      const reader = new PackedReader(batch)
      expect(readFields(reader)).toEqual(FIELDS)
      expect(readFields(reader)).toEqual(FIELDS)
      expect(reader.isDone).toBe(true)
    }
  })

  it('are used again after a copy was taken, whatever its size', () => {
    const writer = new PackedWriter(8)
    for (const bytes of [3, 1_000_000, 0, 100]) {
      writer.bytes(new Uint8Array(bytes).fill(bytes % 251))
      const taken = writer.take()
      expect(taken.byteLength).toBe(bytes + 4)
      expect([...new Set(new PackedReader(taken).bytes())]).toEqual(
        bytes === 0 ? [] : [bytes % 251],
      )
      expect(writer.length).toBe(0)
    }
  })

  it('fill in a count that is known only at the end', () => {
    const writer = new PackedWriter(4)
    const offset = writer.length
    writer.u32(0).text('after')
    writer.patchU32(offset, 42)
    expect(new PackedReader(writer.finish()).u32()).toBe(42)
  })

  it('read a view at its own place, and never past its end', () => {
    const whole = new PackedWriter().u32(1).u32(2).finish()
    const reader = new PackedReader(new Uint8Array(whole, 4))
    expect(reader.u32()).toBe(2)
    expect(() => reader.u8()).toThrow(RangeError)
    const cut = new PackedReader(Uint8Array.of(255, 255, 255, 255))
    expect(() => cut.bytes()).toThrow(RangeError)
  })
})
