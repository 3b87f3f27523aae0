/**
 * DAG-CBOR (IPLD) with `@ipld/dag-cbor`, and in front of it a walk over the bytes that bounds what a stranger can ask
 * for. The library recurses, so nesting is measured without recursion first; it also repairs invalid UTF-8, takes
 * `undefined` and short floats, which this walk refuses.
 */
import { isUtf8 } from 'node:buffer'
import { decode, encode } from '@ipld/dag-cbor'
import { equalBytes } from './bytes.ts'
import { parseCidBytes } from './cid.ts'
import { ProtocolError } from './error.ts'

export interface DagCborLimits {
  /** Maps and arrays inside each other; 1 allows `{}` but not `{a: {}}`. */
  readonly depthMax: number
  /** Refuse every encoding but the one that `encodeDagCbor` gives. Otherwise keys may come in any order. */
  readonly canonical?: boolean
}

/** Canonical: shortest integers, 64-bit floats, keys sorted by length and then by bytes. */
export const encodeDagCbor = (value: unknown): Uint8Array => encode(value)

/**
 * The value of one DAG-CBOR item that fills `bytes`. Links are `CID`s, integers beyond 2^53 are `bigint`s.
 *
 * A float with an integer value (`0.0`) cannot be told from that integer in JavaScript; where `canonical` it is refused.
 * @throws {ProtocolError} TOKEN_MALFORMED
 */
export function decodeDagCbor(
  bytes: Uint8Array,
  { depthMax, canonical = false }: DagCborLimits,
): unknown {
  assertShape(bytes, depthMax)
  let value: unknown
  try {
    value = decode(bytes)
  } catch (cause) {
    throw new ProtocolError('TOKEN_MALFORMED', 'not DAG-CBOR', { cause })
  }
  if (canonical && !equalBytes(encode(value), bytes)) {
    throw new ProtocolError('TOKEN_MALFORMED', 'not canonical DAG-CBOR')
  }
  return value
}

const MAJOR_NEGATIVE = 1
const MAJOR_BYTES = 2
const MAJOR_TEXT = 3
const MAJOR_ARRAY = 4
const MAJOR_MAP = 5
const MAJOR_TAG = 6
const MAJOR_SIMPLE = 7

const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf)
const LINK_TAG = 42
/** What stands for "no base" before the bytes of a CID. */
const LINK_BASE = 0x00
const SIMPLE_FALSE = 20
const SIMPLE_NULL = 22
const FLOAT_64 = 27

/** Walks all heads: nesting, lengths that the bytes can hold, UTF-8, and only the kinds that DAG-CBOR has. */
function assertShape(bytes: Uint8Array, depthMax: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** Items that the open arrays and maps still miss, the innermost last. */
  const missing: number[] = []
  let offset = 0
  do {
    if (missing.length > 0) missing.push(Number(missing.pop()) - 1)
    const head = readHead(view, offset)
    offset += head.length
    if (head.major === MAJOR_TAG) {
      if (head.argument !== LINK_TAG) throw malformed('unknown tag')
      const content = readHead(view, offset)
      if (content.major !== MAJOR_BYTES) throw malformed('link without bytes')
      const cidOffset = offset + content.length
      offset = cidOffset + content.argument
      assertLink(bytes.subarray(cidOffset, offset))
    } else if (head.major === MAJOR_BYTES || head.major === MAJOR_TEXT) {
      const end = offset + head.argument
      if (head.major === MAJOR_TEXT) assertText(bytes.subarray(offset, end))
      offset = end
    } else if (head.major === MAJOR_ARRAY || head.major === MAJOR_MAP) {
      if (missing.length >= depthMax) throw malformed('nested too deeply')
      missing.push(head.major === MAJOR_MAP ? head.argument * 2 : head.argument)
    }
    while (missing.at(-1) === 0) missing.pop()
  } while (missing.length > 0)
  if (offset !== bytes.length) throw malformed('bytes after the end, or too few')
}

/** The library drops a byte order mark, and would read another text than was written. */
function assertText(text: Uint8Array): void {
  if (!isUtf8(text)) throw malformed('not UTF-8')
  if (equalBytes(text.subarray(0, BYTE_ORDER_MARK.length), BYTE_ORDER_MARK))
    throw malformed('byte order mark')
}

/** The library reads a CID of version 0 behind a version byte, and writes it as another. */
function assertLink(content: Uint8Array): void {
  if (content[0] !== LINK_BASE) throw malformed('link in a base')
  parseCidBytes(content.subarray(1))
}

interface Head {
  readonly major: number
  /** The integer, length, count or tag. */
  readonly argument: number
  /** Bytes of the head; a float counts as head. */
  readonly length: number
}

function readHead(view: DataView, offset: number): Head {
  if (offset >= view.byteLength) throw malformed('cut off')
  const initial = view.getUint8(offset)
  const major = initial >> 5
  const info = initial & 0x1f
  if (major === MAJOR_SIMPLE && info !== FLOAT_64) {
    if (info < SIMPLE_FALSE || info > SIMPLE_NULL) throw malformed('unknown simple value')
    return { major, argument: info, length: 1 }
  }
  if (info < 24) return { major, argument: info, length: 1 }
  if (info > 27) throw malformed('indefinite or reserved length')
  const argumentBytes = 1 << (info - 24)
  if (offset + 1 + argumentBytes > view.byteLength) throw malformed('cut off')
  const argument = readArgument(view, offset + 1, argumentBytes)
  // Whatever has a length or a count needs at least that many bytes.
  if (major > MAJOR_NEGATIVE && major < MAJOR_TAG && argument > view.byteLength)
    throw malformed('cut off')
  return { major, argument, length: 1 + argumentBytes }
}

function readArgument(view: DataView, offset: number, lengthBytes: number): number {
  if (lengthBytes === 1) return view.getUint8(offset)
  if (lengthBytes === 2) return view.getUint16(offset)
  if (lengthBytes === 4) return view.getUint32(offset)
  return Number(view.getBigUint64(offset))
}

const malformed = (detail: string): ProtocolError => new ProtocolError('TOKEN_MALFORMED', detail)
