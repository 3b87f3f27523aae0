/**
 * A sealed pack from which compaction copies what rows still need. Every section is compared with its hash before it
 * is copied: a damaged one stays where it is, so that it is reported and not spread.
 */
import { equalBytes } from '../../../protocol/bytes.ts'
import { parseCarSection } from '../../../protocol/car.ts'
import { BLAKE3_CODE } from '../../../protocol/cid.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { StorageFault } from '../../storage-fault.ts'
import { blockFault } from '../block-fault.ts'
import { type FileSystem } from '../file-system.ts'
import { packPath } from '../layout.ts'
import { type PackEntry, readPackIndex, type StoredPackIndex } from './pack-index.ts'

export interface PackSourceOptions {
  readonly files: FileSystem
  /** The blocks directory. */
  readonly root: string
  readonly packNo: number
  /** Of the whole file, and of the index at its end. */
  readonly fileBytes: number
  readonly indexBytes: number
}

export class PackSource {
  readonly packNo: number
  readonly index: StoredPackIndex
  readonly #files: FileSystem
  readonly #descriptor: number
  /** Where the index begins. */
  readonly #endBytes: number

  private constructor(
    { files, packNo, fileBytes, indexBytes }: PackSourceOptions,
    descriptor: number,
  ) {
    this.packNo = packNo
    this.#files = files
    this.#descriptor = descriptor
    this.#endBytes = fileBytes - indexBytes
    this.index = this.#readIndex(indexBytes)
  }

  /** @throws {StorageFault} when it cannot be read, or has no sound index where it should */
  static open(options: PackSourceOptions): PackSource {
    const { files, root, packNo } = options
    let descriptor: number | undefined
    try {
      descriptor = files.openSync(packPath(root, packNo), 'r')
      return new PackSource(options, descriptor)
    } catch (error) {
      if (descriptor !== undefined) files.closeSync(descriptor)
      throw error instanceof StorageFault ? error : blockFault(error, `pack ${packNo}`)
    }
  }

  /** The sections of an entry, in memory of their own. @throws {StorageFault} when one is not what was written */
  read({ offset, lengthBytes }: PackEntry): Uint8Array {
    if (offset + lengthBytes > this.#endBytes) throw this.#corrupt(offset)
    const bytes = this.#pread(offset, lengthBytes)
    for (let at = 0; at < lengthBytes;) {
      const section = parseSection(bytes, at)
      if (!section || section.hashCode !== BLAKE3_CODE) throw this.#corrupt(offset + at)
      if (!equalBytes(blake3(section.data), section.digest)) throw this.#corrupt(offset + at)
      at += section.sectionBytes
    }
    return bytes
  }

  close(): void {
    this.#files.closeSync(this.#descriptor)
  }

  #readIndex(indexBytes: number): StoredPackIndex {
    const section = this.#pread(this.#endBytes, indexBytes)
    try {
      return readPackIndex(section)
    } catch (cause) {
      throw new StorageFault('VALUE_CORRUPT', `the index of pack ${this.packNo} is damaged`, {
        cause,
      })
    }
  }

  #pread(offset: number, lengthBytes: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(lengthBytes)
    let readBytes: number
    try {
      readBytes = this.#files.readSync(this.#descriptor, bytes, 0, lengthBytes, offset)
    } catch (error) {
      throw blockFault(error, `pack ${this.packNo}`)
    }
    if (readBytes !== lengthBytes) throw this.#corrupt(offset)
    return bytes
  }

  #corrupt(offset: number): StorageFault {
    return new StorageFault(
      'VALUE_CORRUPT',
      `the section at ${offset} of pack ${this.packNo} is damaged`,
    )
  }
}

/** Undefined: there is no whole section. */
function parseSection(bytes: Uint8Array, at: number): ReturnType<typeof parseCarSection> {
  try {
    return parseCarSection(bytes, at)
  } catch {
    return undefined
  }
}
