/** CAR framing: what is read is what stands there, and nothing is read beyond the end. */
import { CarBufferReader } from '@ipld/car/buffer-reader'
import * as fc from 'fast-check'
import { concatBytes, equalBytes } from '../../src/protocol/bytes.ts'
import {
  formatCarHeader,
  formatCarSection,
  parseCarHeader,
  parseCarSection,
} from '../../src/protocol/car.ts'
import { BLAKE3_CODE, formatCidBytes, RAW_CODEC } from '../../src/protocol/cid.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { editedBytes } from '../_util/fuzz/edits.ts'
import { describeBytesFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, parsed } from '../_util/fuzz/refusal.ts'

const CODEC_MAX = 0x7f
const DIGEST_BYTES = 32

const section = fc
  .tuple(fc.constantFrom(0x55, 0x71), fc.uint8Array({ maxLength: 200 }))
  .map(([codec, data]) => formatCarSection(codec, blake3(data), data))
const roots = fc
  .array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 3 })
  .map((digests) => digests.map((digest) => formatCidBytes(RAW_CODEC, digest)))
const file = fc
  .tuple(roots, fc.array(section, { maxLength: 4 }))
  .map(([cids, sections]) => concatBytes([formatCarHeader(cids), ...sections]))

describeBytesFuzz({
  name: 'car section',
  inputs: editedBytes(section),
  check: (bytes) => {
    const read = parsed(() => parseCarSection(bytes, 0))
    if (!read) return false
    assertTrue(read.sectionBytes <= bytes.length, 'the section ends within the bytes')
    const end = read.data.byteOffset + read.data.length - bytes.byteOffset
    assertTrue(end === read.sectionBytes, 'the data ends where the section does')
    const isOurs =
      read.hashCode === BLAKE3_CODE &&
      read.digest.length === DIGEST_BYTES &&
      read.codec <= CODEC_MAX
    if (isOurs) {
      const written = formatCarSection(read.codec, read.digest, read.data)
      assertTrue(
        equalBytes(written, bytes.subarray(0, read.sectionBytes)),
        'written again it is the same',
      )
    }
    const cut = parseCarSection(bytes.subarray(0, read.sectionBytes - 1), 0)
    assertTrue(cut === undefined, 'a section that is cut off is no section')
    return true
  },
})

/** All sections, or undefined when the file is cut off or refused. */
function readFile(bytes: Uint8Array): Uint8Array[] | undefined {
  return parsed(() => {
    const header = parseCarHeader(bytes)
    if (!header) return undefined
    const datas: Uint8Array[] = []
    for (let offset = header.headerBytes; offset < bytes.length;) {
      const read = parseCarSection(bytes, offset)
      if (!read) return undefined
      datas.push(read.data)
      offset += read.sectionBytes
    }
    return datas
  })
}

describeBytesFuzz({
  name: 'car file',
  inputs: editedBytes(file),
  check: (bytes) => {
    const ours = readFile(bytes)
    if (!ours) return false
    const theirs = CarBufferReader.fromBytes(bytes).blocks()
    assertTrue(ours.length === theirs.length, 'the library reads as many sections')
    for (const [index, data] of ours.entries())
      assertTrue(equalBytes(data, theirs[index]?.bytes ?? data.slice(1)), 'and the same data')
    return true
  },
})
