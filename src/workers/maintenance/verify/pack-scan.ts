/**
 * Walks over a pack from its first byte to its last, section by section, with the hash of each: also over those that no
 * row names any more, because a pack is a CAR file that others may open.
 */
import { readSync } from 'node:fs'
import { equalBytes } from '../../../protocol/bytes.ts'
import { type CarSection, parseCarSection } from '../../../protocol/car.ts'
import { BLAKE3_CODE } from '../../../protocol/cid.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { parseVarint, VARINT_BYTES_MAX } from '../../../protocol/varint.ts'

/** Read at once, unless a section is longer. */
const CHUNK_BYTES = 1024 * 1024
/** The longest section is the index of a pack: 20 bytes for each row, some 180,000 of them in 64 MiB of small values. */
const SECTION_BYTES_MAX = 32 * 1024 * 1024

export interface ScannedSection {
  readonly offset: number
  /** The whole section. Borrowed until the next one is read. */
  readonly bytes: Uint8Array
  /** Its data has the hash that its CID names. */
  readonly isSound: boolean
}

export class PackScan {
  readonly #descriptor: number
  readonly #endBytes: number
  #buffer: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  /** Where in the file the buffer begins, and how much of it is filled. */
  #start = 0
  #filledBytes = 0
  #offset: number

  /** `startBytes`: after the header. `endBytes`: nothing beyond is read. Borrowed: the descriptor. */
  constructor(descriptor: number, startBytes: number, endBytes: number) {
    this.#descriptor = descriptor
    this.#offset = startBytes
    this.#endBytes = endBytes
  }

  /** Where the next section begins. */
  get offset(): number {
    return this.#offset
  }

  /** Undefined: the end is reached, or what lies at `offset` is no whole section. */
  next(): ScannedSection | undefined {
    const offset = this.#offset
    const section = this.#parse()
    if (!section) return undefined
    const { hashCode, digest, data, sectionBytes } = section
    const bytes = this.#peek(sectionBytes)
    this.#offset += sectionBytes
    const isSound = hashCode === BLAKE3_CODE && equalBytes(blake3(data), digest)
    return { offset, bytes, isSound }
  }

  #parse(): CarSection | undefined {
    try {
      const head = this.#peek(VARINT_BYTES_MAX)
      if (head.length === 0) return undefined
      const { value, length } = parseVarint(head, 0)
      const sectionBytes = length + value
      if (sectionBytes > SECTION_BYTES_MAX) return undefined
      return parseCarSection(this.#peek(sectionBytes), 0)
    } catch {
      // Not a varint, or no CID: whatever lies here is not what was written.
      return undefined
    }
  }

  /** The next bytes, fewer only at the end. */
  #peek(wantedBytes: number): Uint8Array {
    const bytes = Math.max(0, Math.min(wantedBytes, this.#endBytes - this.#offset))
    const at = this.#offset - this.#start
    if (at < 0 || at + bytes > this.#filledBytes) this.#fill(bytes)
    const begin = this.#offset - this.#start
    return this.#buffer.subarray(begin, Math.min(begin + bytes, this.#filledBytes))
  }

  #fill(bytes: number): void {
    if (bytes > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(bytes)
    this.#start = this.#offset
    const limit = Math.min(this.#buffer.length, this.#endBytes - this.#start)
    this.#filledBytes = 0
    while (this.#filledBytes < limit) {
      const count = readSync(
        this.#descriptor,
        this.#buffer,
        this.#filledBytes,
        limit - this.#filledBytes,
        this.#start + this.#filledBytes,
      )
      if (count === 0) return
      this.#filledBytes += count
    }
  }
}
