/** Reads single sections of packs, with plain synchronous calls: a packed value is small. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { parseCarSection } from '../../../protocol/car.ts'
import { equalBytes } from '../../../protocol/bytes.ts'
import { BLAKE3_CODE, RAW_CODEC } from '../../../protocol/cid.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { StorageFault } from '../../storage-fault.ts'
import { blockFault } from '../block-fault.ts'
import { packPath } from '../layout.ts'
import { type PackPlace } from '../place.ts'

/** Packs that one reader keeps open. */
const OPEN_PACKS_MAX = 128
/** A removed file takes its room for as long as a descriptor of it is open, and a little longer. */
const REMOVED_CHECK_MS = 30_000
/** No section that a row names is longer: a token with its frame, or a packed value. */
const SECTION_BYTES_MAX = 4 * 1024 * 1024

export class PackReader {
  readonly #root: string
  /** Descriptors by pack, the one used last at the end. */
  readonly #descriptors = new Map<number, number>()
  readonly #timer: NodeJS.Timeout
  #scratch: Buffer = Buffer.alloc(0)

  constructor(root: string) {
    this.#root = root
    this.#timer = setInterval(() => {
      this.closeRemoved()
    }, REMOVED_CHECK_MS).unref()
  }

  /** The data of the section, which must be the block with this CID, in memory of its own. */
  read(place: PackPlace, digest: Uint8Array, codec: number = RAW_CODEC): Uint8Array {
    if (place.lengthBytes > SECTION_BYTES_MAX) throw corrupt(place, 'is too long')
    return this.#readInto(Buffer.allocUnsafeSlow(place.lengthBytes), place, digest, codec)
  }

  /** As `read`, but borrowed until the next call: for who looks at everything and keeps nothing. */
  borrow(place: PackPlace, digest: Uint8Array, codec: number = RAW_CODEC): Uint8Array {
    const { lengthBytes } = place
    if (lengthBytes > SECTION_BYTES_MAX) throw corrupt(place, 'is too long')
    if (lengthBytes > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(lengthBytes)
    return this.#readInto(this.#scratch.subarray(0, lengthBytes), place, digest, codec)
  }

  #readInto(bytes: Buffer, place: PackPlace, digest: Uint8Array, codec: number): Uint8Array {
    const { packNo, offset, lengthBytes } = place
    const readBytes = this.#pread(packNo, bytes, offset)
    if (readBytes !== lengthBytes) throw corrupt(place, 'lies beyond the end of its pack')
    const section = parseSection(bytes)
    if (section?.sectionBytes !== lengthBytes) throw corrupt(place, 'is no section')
    if (
      section.codec !== codec ||
      section.hashCode !== BLAKE3_CODE ||
      !equalBytes(section.digest, digest)
    )
      throw corrupt(place, 'is another block')
    if (!equalBytes(blake3(section.data), digest)) throw corrupt(place, 'fails its hash')
    return section.data
  }

  /** Lets go of packs that compaction has removed. */
  closeRemoved(): void {
    for (const [packNo, descriptor] of this.#descriptors) {
      if (fstatSync(descriptor).nlink > 0) continue
      this.#descriptors.delete(packNo)
      closeSync(descriptor)
    }
  }

  close(): void {
    clearInterval(this.#timer)
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor)
    this.#descriptors.clear()
  }

  #pread(packNo: number, bytes: Uint8Array, offset: number): number {
    try {
      return readSync(this.#open(packNo), bytes, 0, bytes.length, offset)
    } catch (error) {
      throw blockFault(error, `pack ${packNo}`)
    }
  }

  #open(packNo: number): number {
    const known = this.#descriptors.get(packNo)
    if (known !== undefined) {
      this.#descriptors.delete(packNo)
      this.#descriptors.set(packNo, known)
      return known
    }
    const descriptor = openSync(packPath(this.#root, packNo), 'r')
    this.#descriptors.set(packNo, descriptor)
    if (this.#descriptors.size > OPEN_PACKS_MAX) this.#closeOldest()
    return descriptor
  }

  #closeOldest(): void {
    for (const [packNo, descriptor] of this.#descriptors) {
      this.#descriptors.delete(packNo)
      closeSync(descriptor)
      return
    }
  }
}

/** Undefined: the bytes are no section. */
function parseSection(bytes: Uint8Array): ReturnType<typeof parseCarSection> {
  try {
    return parseCarSection(bytes, 0)
  } catch {
    return undefined
  }
}

const corrupt = ({ packNo, offset }: PackPlace, what: string): StorageFault =>
  new StorageFault('VALUE_CORRUPT', `the section at ${offset} of pack ${packNo} ${what}`)
