/**
 * The index at the end of a sealed pack: which rows its sections belong to. One DAG-CBOR block as the last CAR section,
 * so any CAR reader opens the pack.
 *
 *   block  = {"entries": bytes, "format": 1}
 *   entry  = row id, 8 bytes ‖ offset, 6 bytes ‖ length, 6 bytes, each big-endian; 20 bytes
 *
 * The entry of a value names one section; that of a statement all sections of its record. Nothing is found through the
 * index while the node runs (rows hold places): compaction and checks read it, and it can be rebuilt from the rows.
 */
import { equalBytes } from '../../../protocol/bytes.ts'
import { formatCarSection, parseCarSection } from '../../../protocol/car.ts'
import { DAG_CBOR_CODEC } from '../../../protocol/cid.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { decodeDagCbor, encodeDagCbor } from '../../../protocol/dag-cbor.ts'
import { asObject } from '../../../protocol/json.ts'

export interface PackEntry {
  readonly rowId: number
  /** Of the first section in the pack file. */
  readonly offset: number
  readonly lengthBytes: number
}

const FORMAT = 1
const ENTRY_BYTES = 20
const INDEX_DEPTH_MAX = 1

/** The entries of a pack as it grows, in little memory. */
export class PackIndex {
  #entries: Buffer = Buffer.allocUnsafeSlow(ENTRY_BYTES * 1024)
  #lengthBytes = 0

  get entryCount(): number {
    return this.#lengthBytes / ENTRY_BYTES
  }

  add({ rowId, offset, lengthBytes }: PackEntry): void {
    if (this.#lengthBytes === this.#entries.length) {
      const grown = Buffer.allocUnsafeSlow(this.#entries.length * 2)
      this.#entries.copy(grown)
      this.#entries = grown
    }
    const at = this.#lengthBytes
    this.#entries.writeBigUInt64BE(BigInt(rowId), at)
    this.#entries.writeUIntBE(offset, at + 8, 6)
    this.#entries.writeUIntBE(lengthBytes, at + 14, 6)
    this.#lengthBytes = at + ENTRY_BYTES
  }

  /** The last section of the pack. */
  formatSection(): Uint8Array {
    const entries = this.#entries.subarray(0, this.#lengthBytes)
    const block = encodeDagCbor({ entries: new Uint8Array(entries), format: FORMAT })
    return formatCarSection(DAG_CBOR_CODEC, blake3(block), block)
  }
}

/** The entries of a sealed pack, decoded as they are asked for: there may be some hundred thousand. */
export interface StoredPackIndex {
  readonly entryCount: number
  /** Fewer than `count` at the end. */
  slice(first: number, count: number): PackEntry[]
}

/** All entries of an index section. @throws as `readPackIndex` */
export function parsePackIndex(section: Uint8Array): PackEntry[] {
  const index = readPackIndex(section)
  return index.slice(0, index.entryCount)
}

/**
 * Borrowed: the section of an index, which is the block of its CID.
 * @throws {ProtocolError} TOKEN_MALFORMED, {RangeError} when the bytes are no index of ours
 */
export function readPackIndex(section: Uint8Array): StoredPackIndex {
  const parsed = parseCarSection(section, 0)
  if (!parsed) throw new RangeError('the index of the pack is cut off')
  if (!equalBytes(blake3(parsed.data), parsed.digest))
    throw new RangeError('the index of the pack fails its hash')
  const block = asObject(decodeDagCbor(parsed.data, { depthMax: INDEX_DEPTH_MAX, canonical: true }))
  const packed = block['entries']
  if (
    block['format'] !== FORMAT ||
    !(packed instanceof Uint8Array) ||
    packed.length % ENTRY_BYTES !== 0
  )
    throw new RangeError('not the index of a pack')
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  const entryCount = bytes.length / ENTRY_BYTES
  return {
    entryCount,
    slice(first, count) {
      const entries: PackEntry[] = []
      for (let index = first; index < Math.min(first + count, entryCount); index++)
        entries.push(entryAt(bytes, index * ENTRY_BYTES))
      return entries
    },
  }
}

const entryAt = (bytes: Buffer, at: number): PackEntry => ({
  rowId: Number(bytes.readBigUInt64BE(at)),
  offset: bytes.readUIntBE(at + 8, 6),
  lengthBytes: bytes.readUIntBE(at + 14, 6),
})
