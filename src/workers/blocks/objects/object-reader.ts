/** Reads a large value by segments; each is verified before it is given out. */
import { closeSync, openSync, read } from 'node:fs'
import { promisify } from 'node:util'
import { equalBytes } from '../../../protocol/bytes.ts'
import { DIGEST_BYTES } from '../../../protocol/cid.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { SEGMENT_BYTES } from '../../../protocol/limits.ts'
import { StorageFault } from '../../storage-fault.ts'
import { blockFault } from '../block-fault.ts'
import { objectPath } from '../layout.ts'
import { type ObjectPlace } from '../place.ts'
import { type ObjectHandle } from '../reader.ts'

const readAsync = promisify(read)

/** @throws {StorageFault} VALUE_MISSING, STORAGE_UNAVAILABLE */
export function openObject(root: string, place: ObjectPlace): ObjectHandle {
  try {
    return new ObjectReader(openSync(objectPath(root, place.objectNo), 'r'), place)
  } catch (error) {
    throw blockFault(error, `object ${place.objectNo}`)
  }
}

class ObjectReader implements ObjectHandle {
  readonly segmentCount: number
  readonly #descriptor: number
  readonly #place: ObjectPlace
  #isClosed = false

  constructor(descriptor: number, place: ObjectPlace) {
    this.#descriptor = descriptor
    this.#place = place
    this.segmentCount = Math.ceil(place.valueBytes / SEGMENT_BYTES)
  }

  async readSegments(first: number, count: number): Promise<Uint8Array> {
    const { valueBytes } = this.#place
    const start = first * SEGMENT_BYTES
    const lengthBytes = Math.max(0, Math.min(count * SEGMENT_BYTES, valueBytes - start))
    const bytes = Buffer.allocUnsafeSlow(lengthBytes)
    await this.#readFully(bytes, start)
    for (let index = 0; index * SEGMENT_BYTES < lengthBytes; index++) {
      const segment = bytes.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES)
      if (!equalBytes(blake3(segment), this.#digestOf(first + index)))
        throw this.#corrupt(`segment ${first + index} fails its hash`)
    }
    return bytes
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#descriptor)
  }

  async #readFully(bytes: Uint8Array, start: number): Promise<void> {
    let filled = 0
    while (filled < bytes.length) {
      const { bytesRead } = await this.#readSome(bytes, filled, start + filled)
      if (bytesRead === 0) throw this.#corrupt('ends too early')
      filled += bytesRead
    }
  }

  async #readSome(
    bytes: Uint8Array,
    filled: number,
    position: number,
  ): Promise<{ bytesRead: number }> {
    try {
      return await readAsync(this.#descriptor, bytes, filled, bytes.length - filled, position)
    } catch (error) {
      throw blockFault(error, `object ${this.#place.objectNo}`)
    }
  }

  #digestOf(segment: number): Uint8Array {
    return this.#place.segments.subarray(segment * DIGEST_BYTES, (segment + 1) * DIGEST_BYTES)
  }

  #corrupt(what: string): StorageFault {
    return new StorageFault('VALUE_CORRUPT', `object ${this.#place.objectNo} ${what}`)
  }
}
