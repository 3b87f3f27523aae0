/**
 * The history of a space as blocks: operations and epochs, canonical DAG-CBOR (DESIGN §4 "Epochs").
 *
 * Both have one fixed shape, and every put makes one of each, so they are written head by head instead of by a general
 * encoder (a test compares the two):
 *
 *   operation  {key: text, value: raw CID, metadata: {text: text}} | {key: text, version: null}
 *   epoch      {events: [event], parents: [dag-cbor CID, sorted by bytes]}
 *   event      raw CID of the token | [raw CID of the token, dag-cbor CID of each operation]
 */
import { compareBytes, plainBytes, utf8 } from './bytes.ts'
import { CID_BYTES, DAG_CBOR_CODEC, RAW_CODEC, writeCidBytes } from './cid.ts'

const TEXT = 0x60
const ARRAY = 0x80
const MAP = 0xa0
const NULL = 0xf6
/** Tag 42, then a byte string of 37 bytes: 0x00 and the CID. */
const LINK_HEAD: Uint8Array = Uint8Array.of(0xd8, 0x2a, 0x58, CID_BYTES + 1, 0x00)
const LINK_BYTES: number = LINK_HEAD.length + CID_BYTES
const HEAD_BYTES_MAX = 5

export type HistoryOperation =
  | {
      /** The path of the resource, as URI text. */
      readonly key: string
      /** Digest of the stored value. */
      readonly value: Uint8Array
      readonly metadata: Readonly<Record<string, string>>
    }
  | { readonly key: string; readonly version: null }

export interface HistoryEvent {
  /** Digest of the token. */
  readonly digest: Uint8Array
  /** Digests of the operation blocks, in the order of the token's capabilities. */
  readonly operations: readonly Uint8Array[]
}

export interface HistoryEpoch {
  readonly events: readonly HistoryEvent[]
  /** Digests of the epochs that were heads, in any order. */
  readonly parents: readonly Uint8Array[]
}

/** The block of one put or delete (EPOCH-2). */
export function formatOperation(operation: HistoryOperation): Uint8Array {
  const key = utf8(operation.key)
  if ('version' in operation) {
    const block = new BlockWriter(32 + key.length)
    return block.head(MAP, 2).literal('key').text(key).literal('version').byte(NULL).finish()
  }
  const metadata = Object.entries(operation.metadata)
    .map(([name, value]) => [utf8(name), utf8(value)] as const)
    .toSorted(([a], [b]) => a.length - b.length || compareBytes(a, b))
  let metadataBytes = 0
  for (const [name, value] of metadata) {
    metadataBytes += name.length + value.length + 2 * HEAD_BYTES_MAX
  }
  const block = new BlockWriter(64 + key.length + LINK_BYTES + metadataBytes)
  block.head(MAP, 3).literal('key').text(key)
  block.literal('value').link(RAW_CODEC, operation.value)
  block.literal('metadata').head(MAP, metadata.length)
  for (const [name, value] of metadata) block.text(name).text(value)
  return block.finish()
}

/** The block of all events of one space in one group (EPOCH-1). */
export function formatEpoch({ events, parents }: HistoryEpoch): Uint8Array {
  let links = parents.length + events.length
  for (const { operations } of events) links += operations.length
  const block = new BlockWriter(64 + links * LINK_BYTES + events.length * HEAD_BYTES_MAX)
  block.head(MAP, 2).literal('events').head(ARRAY, events.length)
  for (const { digest, operations } of events) {
    if (operations.length > 0) block.head(ARRAY, operations.length + 1)
    block.link(RAW_CODEC, digest)
    for (const operation of operations) block.link(DAG_CBOR_CODEC, operation)
  }
  block.literal('parents').head(ARRAY, parents.length)
  for (const parent of parents.toSorted(compareBytes)) block.link(DAG_CBOR_CODEC, parent)
  return block.finish()
}

/** Writes CBOR into memory whose size the caller has bounded from above. */
class BlockWriter {
  readonly #buffer: Buffer
  #length = 0

  constructor(bytesMax: number) {
    this.#buffer = Buffer.allocUnsafe(bytesMax)
  }

  byte(value: number): this {
    this.#buffer[this.#length++] = value
    return this
  }

  /** The shortest head of a kind with a length or a count. */
  head(kind: number, count: number): this {
    const offset = this.#length
    if (count < 24) return this.byte(kind + count)
    const info = count < 0x100 ? 24 : count < 0x1_0000 ? 25 : 26
    this.#buffer[offset] = kind + info
    const countBytes = 1 << (info - 24)
    this.#length = this.#buffer.writeUIntBE(count, offset + 1, countBytes)
    return this
  }

  text(bytes: Uint8Array): this {
    this.head(TEXT, bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** A name of the format: short ASCII. */
  literal(name: string): this {
    this.byte(TEXT + name.length)
    this.#length += this.#buffer.write(name, this.#length, 'latin1')
    return this
  }

  link(codec: number, digest: Uint8Array): this {
    this.#buffer.set(LINK_HEAD, this.#length)
    writeCidBytes(this.#buffer, this.#length + LINK_HEAD.length, codec, digest)
    this.#length += LINK_BYTES
    return this
  }

  /** Exactly what was written. A short block lies in Node's shared pool. */
  finish(): Uint8Array {
    return plainBytes(this.#buffer.subarray(0, this.#length))
  }
}
