/**
 * CARv1 framing: what packs, exports and single blocks look like on disk.
 *
 *   file    = header section*
 *   header  = varint(length of the map) ‖ DAG-CBOR map {roots: [CID…], version: 1}
 *   section = varint(length of CID and data) ‖ CID ‖ data
 *
 * Sections written here have a CIDv1 with BLAKE3-256, so their CID takes 36 bytes: `01 ‖ codec ‖ 1e 20 ‖ digest`.
 * Written by compute (a value, a token, an operation) and by the storage actor (headers, the index of a pack); read by
 * the readers of packs. Nothing here looks at the hash: who reads a section compares `blake3(data)` with its digest.
 */
import { CID } from 'multiformats/cid'
import { CID_BYTES, parseCidPrefix, type ParsedCid, writeCidBytes } from './cid.ts'
import { concatBytes, plainBytes } from './bytes.ts'
import { decodeDagCbor, encodeDagCbor } from './dag-cbor.ts'
import { ProtocolError } from './error.ts'
import { asObject } from './json.ts'
import { formatVarint, parseVarint, VARINT_BYTES_MAX, varintBytes, writeVarint } from './varint.ts'

/** Deepest nesting of a header: the map and its list of roots. */
const HEADER_DEPTH_MAX = 2
const CONTINUATION = 0x80

export interface CarHeader {
  /** CIDs as bytes. */
  readonly roots: readonly Uint8Array[]
  /** Bytes of the header with its length: the offset of the first section. */
  readonly headerBytes: number
}

/** The digest and the data are borrowed: views into the bytes that were read. */
export interface CarSection extends ParsedCid {
  readonly data: Uint8Array
  /** Bytes of the whole section with its length. */
  readonly sectionBytes: number
}

/** The header with its length. `roots`: CIDs as bytes; packs have none. */
export function formatCarHeader(roots: readonly Uint8Array[]): Uint8Array {
  const map = encodeDagCbor({ roots: roots.map((root) => CID.decode(root)), version: 1 })
  return concatBytes([formatVarint(map.length), map])
}

/**
 * Reads the header at the start of a file, or undefined while `bytes` end before it does.
 * @throws {ProtocolError} TOKEN_MALFORMED: another version, no roots, not canonical
 */
export function parseCarHeader(bytes: Uint8Array): CarHeader | undefined {
  if (!hasWholeVarint(bytes, 0)) return undefined
  const { value: mapBytes, length } = parseVarint(bytes, 0)
  const headerBytes = length + mapBytes
  if (bytes.length < headerBytes) return undefined
  const map = asObject(
    decodeDagCbor(bytes.subarray(length, headerBytes), {
      depthMax: HEADER_DEPTH_MAX,
      canonical: true,
    }),
  )
  const roots: unknown = Object.hasOwn(map, 'roots') ? map['roots'] : undefined
  if (!Array.isArray(roots) || map['version'] !== 1 || Object.keys(map).length !== 2) {
    throw new ProtocolError('TOKEN_MALFORMED', 'not the header of a CARv1')
  }
  return { roots: roots.map(bytesOfLink), headerBytes }
}

/** One section, a copy: varint(36 + data) ‖ CID ‖ data. A short one lies in Node's shared pool. */
export function formatCarSection(codec: number, digest: Uint8Array, data: Uint8Array): Uint8Array {
  const section = Buffer.allocUnsafe(carSectionBytes(data.length))
  const cidOffset = writeVarint(section, 0, CID_BYTES + data.length)
  writeCidBytes(section, cidOffset, codec, digest)
  section.set(data, cidOffset + CID_BYTES)
  return plainBytes(section)
}

/** Bytes of the section around `dataBytes` bytes. */
export const carSectionBytes = (dataBytes: number): number =>
  carSectionHeadBytes(dataBytes) + dataBytes

/** Bytes of a section before its data. */
export const carSectionHeadBytes = (dataBytes: number): number =>
  varintBytes(CID_BYTES + dataBytes) + CID_BYTES

/**
 * Reads the section at `offset`, as views, or undefined where `bytes` end before it does. The CID may have any codec
 * and hash.
 * @throws {ProtocolError} TOKEN_MALFORMED: no CID, or too short for it; zeros, as in a hole of a file, are that too
 */
export function parseCarSection(bytes: Uint8Array, offset: number): CarSection | undefined {
  if (!hasWholeVarint(bytes, offset)) return undefined
  const { value: lengthBytes, length } = parseVarint(bytes, offset)
  const cidOffset = offset + length
  const end = cidOffset + lengthBytes
  if (bytes.length < end) return undefined
  const { cid, length: cidBytes } = parseCidPrefix(bytes.subarray(cidOffset, end))
  return {
    ...cid,
    data: bytes.subarray(cidOffset + cidBytes, end),
    sectionBytes: length + lengthBytes,
  }
}

/** The varint at `offset` ends before the bytes do; one that is too long counts as whole, and is then refused. */
function hasWholeVarint(bytes: Uint8Array, offset: number): boolean {
  for (let index = offset; index < offset + VARINT_BYTES_MAX; index++) {
    const byte = bytes[index]
    if (byte === undefined) return false
    if (byte < CONTINUATION) return true
  }
  return true
}

function bytesOfLink(root: unknown): Uint8Array {
  const cid = CID.asCID(root)
  if (cid === null) throw new ProtocolError('TOKEN_MALFORMED', 'root that is no link')
  return cid.bytes
}
