/**
 * The CRC-32 that guards rows on which rights and values depend: a flipped bit in a row must not authorise or
 * resurrect anything (DESIGN §4). It covers every other column in order, each with its length, so that no two rows
 * have the same input.
 */
import { crc32 } from 'node:zlib'

const CAPACITY_BYTES = 4096

/** Collects the fields of one row at a time in memory that it keeps. Not shared between threads. */
export class RowChecksum {
  #scratch: Buffer = Buffer.allocUnsafeSlow(CAPACITY_BYTES)
  #length = 0

  /** Starts the next row. */
  start(): this {
    this.#length = 0
    return this
  }

  #reserve(count: number): number {
    const offset = this.#length
    this.#length += count
    if (this.#length > this.#scratch.length) {
      const grown = Buffer.allocUnsafeSlow(this.#length * 2)
      this.#scratch.copy(grown, 0, 0, offset)
      this.#scratch = grown
    }
    return offset
  }

  number(value: number): this {
    const offset = this.#reserve(8)
    this.#scratch.writeDoubleLE(value, offset)
    return this
  }

  /** A column that may be empty. NaN stands for NULL: no column holds it. */
  optional(value: number | null): this {
    return this.number(value ?? Number.NaN)
  }

  bytes(value: Uint8Array): this {
    this.number(value.length)
    const offset = this.#reserve(value.length)
    this.#scratch.set(value, offset)
    return this
  }

  text(value: string): this {
    const lengthBytes = Buffer.byteLength(value)
    this.number(lengthBytes)
    const offset = this.#reserve(lengthBytes)
    this.#scratch.write(value, offset)
    return this
  }

  /** The checksum of the fields since `start`, an unsigned 32-bit number. */
  value(): number {
    return crc32(this.#scratch.subarray(0, this.#length))
  }
}
