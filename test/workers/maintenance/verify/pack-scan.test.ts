/** Packs section by section: every byte belongs to one, of any size, and what is none ends the walk where it is. */
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatCarHeader, formatCarSection } from '../../../../src/protocol/car.ts'
import { RAW_CODEC } from '../../../../src/protocol/cid.ts'
import { blake3 } from '../../../../src/protocol/crypto/blake3.ts'
import { PackScan } from '../../../../src/workers/maintenance/verify/pack-scan.ts'
import { useTemporaryDirectory } from '../../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const HEADER = formatCarHeader([])

const sectionOf = (lengthBytes: number, fill = lengthBytes): Uint8Array => {
  const data = Buffer.alloc(lengthBytes, fill)
  return formatCarSection(RAW_CODEC, blake3(data), data)
}

interface Walk {
  readonly sections: readonly { offset: number; lengthBytes: number; isSound: boolean }[]
  readonly endOffset: number
}

function scan(parts: readonly Uint8Array[], endBytes?: number): Walk {
  const path = join(directory(), 'pack.car')
  const file = Buffer.concat([HEADER, ...parts])
  writeFileSync(path, file)
  const descriptor = openSync(path, 'r')
  try {
    const walk = new PackScan(descriptor, HEADER.length, endBytes ?? file.length)
    const sections = []
    for (let next = walk.next(); next; next = walk.next())
      sections.push({ offset: next.offset, lengthBytes: next.bytes.length, isSound: next.isSound })
    return { sections, endOffset: walk.offset }
  } finally {
    closeSync(descriptor)
  }
}

describe('PackScan', () => {
  it('gives each section with its offset, across the chunks in which it reads', () => {
    // Together some megabytes: sections lie on both sides of a chunk's end, and one is longer than a chunk.
    const parts = [0, 1, 400_000, 700_000, 3_000_000, 20, 999_999, 1].map((bytes) =>
      sectionOf(bytes),
    )
    const { sections, endOffset } = scan(parts)
    let offset = HEADER.length
    const expected = parts.map(({ length }) => {
      const section = { offset, lengthBytes: length, isSound: true }
      offset += length
      return section
    })
    expect(sections).toEqual(expected)
    expect(endOffset).toBe(offset)
  })

  it('says which section fails its hash, and goes on behind it', () => {
    const broken = sectionOf(100)
    broken[broken.length - 1]! ^= 1
    const { sections } = scan([sectionOf(50), broken, sectionOf(70)])
    expect(sections.map(({ isSound }) => isSound)).toEqual([true, false, true])
  })

  it.each([
    ['zeros, as in a hole of a file', new Uint8Array(500)],
    ['a length that never ends', new Uint8Array(64).fill(0xff)],
    ['a section longer than the file', Uint8Array.of(0xff, 0xff, 0x03, 1, 0x55)],
    ['a section longer than any', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0x55)],
    ['no CID', Uint8Array.of(5, 9, 9, 9, 9, 9)],
    ['half a section', sectionOf(100).subarray(0, 60)],
  ])('stops before %s', (_name, bytes) => {
    const { sections, endOffset } = scan([sectionOf(50), bytes])
    expect(sections).toHaveLength(1)
    expect(endOffset).toBe(HEADER.length + sectionOf(50).length)
  })

  it('reads nothing beyond the committed length', () => {
    const parts = [sectionOf(50), sectionOf(60)]
    const endBytes = HEADER.length + sectionOf(50).length
    expect(scan(parts, endBytes).sections).toHaveLength(1)
    expect(scan(parts, endBytes + 10).sections).toHaveLength(1)
  })
})
