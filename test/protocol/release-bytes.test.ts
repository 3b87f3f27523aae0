import { describe, expect, it } from 'vitest'

import { releaseBytes } from '../../src/protocol/release-bytes.ts'

describe('releaseBytes', () => {
  it('empties the bytes and every view of their memory', () => {
    const bytes = new Uint8Array(1024 * 1024)
    const view = bytes.subarray(5, 10)
    releaseBytes(bytes)
    expect([bytes.length, view.length, bytes.buffer.byteLength]).toEqual([0, 0, 0])
  })

  it('takes bytes that are empty, released or transferred already', () => {
    const bytes = Buffer.allocUnsafeSlow(10)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    for (const empty of [bytes, new Uint8Array(0)]) expect(() => releaseBytes(empty)).not.toThrow()
  })

  it('keeps the memory of a stream flat', () => {
    const before = process.memoryUsage().arrayBuffers
    for (let index = 0; index < 2000; index++) releaseBytes(Buffer.allocUnsafeSlow(64 * 1024))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 1024 * 1024)
  })
})
