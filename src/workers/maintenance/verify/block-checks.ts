/**
 * Reads the blocks that rows name and says what is wrong with them. A block that cannot be read where its row said may
 * have been moved or dropped meanwhile: the row is read again, and only what two readings agree on is a fault.
 */
import { statSync } from 'node:fs'
import { equalBytes } from '../../../protocol/bytes.ts'
import { DIGEST_BYTES } from '../../../protocol/cid.ts'
import { createBlake3 } from '../../../protocol/crypto/blake3.ts'
import { SEGMENT_BYTES } from '../../../protocol/limits.ts'
import { objectPath } from '../../blocks/layout.ts'
import { openObject } from '../../blocks/objects/object-reader.ts'
import { PackReader } from '../../blocks/packs/pack-reader.ts'
import { type ObjectPlace, type PackPlace } from '../../blocks/place.ts'
import { StorageFault } from '../../storage-fault.ts'
import { type Pacer } from '../pacer.ts'

/** Rows of one walk are read again so often at most: compaction moves a row once in a while, not in a loop. */
const READINGS_MAX = 4
/** A block to be found at a place. */
export interface ExpectedBlock {
  readonly place: PackPlace
  readonly digest: Uint8Array
  readonly codec: number
}

export class BlockChecks {
  readonly #root: string
  readonly #packs: PackReader
  readonly #pacer: Pacer
  #readBytes = 0

  constructor(root: string, pacer: Pacer) {
    this.#root = root
    this.#packs = new PackReader(root)
    this.#pacer = pacer
  }

  get readBytes(): number {
    return this.#readBytes
  }

  /**
   * Reads something through its row until it is well, gone, or the same fault is met at the same place twice.
   * @param read throws StorageFault where the bytes are not those of the row
   * @param again the row as it is now; undefined: it is gone, or needs its bytes no more
   */
  async readStable<Row, Result>(
    row: Row,
    read: (row: Row) => Promise<Result>,
    again: (row: Row) => Promise<Row | undefined>,
    isSamePlace: (a: Row, b: Row) => boolean,
  ): Promise<{ readonly result?: Result; readonly fault?: string; readonly row: Row | undefined }> {
    let current = row
    for (let reading = 1; ; reading++) {
      try {
        return { result: await read(current), row: current }
      } catch (error) {
        if (!(error instanceof StorageFault)) throw error
        const next = await again(current)
        if (next === undefined) return { row: undefined }
        if (isSamePlace(next, current) || reading === READINGS_MAX)
          return { fault: describe(error), row: next }
        current = next
      }
    }
  }

  /** The data of a section, borrowed until the next one is read. @throws {StorageFault} */
  async readSection({ place, digest, codec }: ExpectedBlock): Promise<Uint8Array> {
    const data = this.#packs.borrow(place, digest, codec)
    await this.#spend(place.lengthBytes)
    return data
  }

  /** Reads a large value whole: its length, every segment, and the hash of all. @throws {StorageFault} */
  async readObject(place: ObjectPlace, digest: Uint8Array): Promise<void> {
    const { objectNo, valueBytes, segments } = place
    if (segments.length !== Math.ceil(valueBytes / SEGMENT_BYTES) * DIGEST_BYTES)
      throw new StorageFault('VALUE_CORRUPT', `object ${objectNo} has hashes of another length`)
    const object = openObject(this.#root, place)
    try {
      const whole = createBlake3()
      for (let segment = 0; segment < object.segmentCount; segment++) {
        const bytes = await object.readSegments(segment, 1)
        whole.update(bytes)
        await this.#spend(bytes.length)
      }
      if (!equalBytes(whole.digest(), digest))
        throw new StorageFault('VALUE_CORRUPT', `object ${objectNo} fails its hash`)
    } finally {
      await object.close()
    }
    const fileBytes = statSync(objectPath(this.#root, objectNo), { throwIfNoEntry: false })?.size
    if (fileBytes !== undefined && fileBytes !== valueBytes)
      throw new StorageFault('VALUE_CORRUPT', `object ${objectNo} has ${fileBytes} bytes`)
  }

  close(): void {
    this.#packs.close()
  }

  async #spend(bytes: number): Promise<void> {
    this.#readBytes += bytes
    await this.#pacer.spend(bytes)
  }
}

/** With the code of a system error: the message of the fault alone says only that it cannot be read. */
function describe({ message, cause }: StorageFault): string {
  if (!(cause instanceof Error) || !('code' in cause)) return message
  return `${message} (${String(cause.code)})`
}
