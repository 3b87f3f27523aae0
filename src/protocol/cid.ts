/**
 * Content identifiers. What this node names is always CIDv1, BLAKE3-256, raw or DAG-CBOR, so those have a fast form:
 * `01 ‖ codec ‖ 1e 20 ‖ digest`, 36 bytes, in base32 59 characters (`bafkr4i…`, `bafyr4i…`).
 */
import { base16, base16upper } from 'multiformats/bases/base16'
import { base32, base32upper } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { base64, base64pad, base64url, base64urlpad } from 'multiformats/bases/base64'
import { concatBytes } from './bytes.ts'
import { ProtocolError } from './error.ts'
import { CID_CHARS_MAX } from './limits.ts'
import { formatVarint, parseVarint } from './varint.ts'

export const RAW_CODEC = 0x55
export const DAG_CBOR_CODEC = 0x71
export const BLAKE3_CODE = 0x1e
export const DIGEST_BYTES = 32
export const CID_BYTES = 36

/** Codecs from here on take more than one byte. */
const LONG_CODEC = 0x80
const DAG_PB_CODEC = 0x70
const SHA2_256_CODE = 0x12

export interface ParsedCid {
  readonly codec: number
  readonly hashCode: number
  readonly digest: Uint8Array
}

const BASES = [
  base32,
  base58btc,
  base32upper,
  base36,
  base36upper,
  base16,
  base16upper,
  base64,
  base64pad,
  base64url,
  base64urlpad,
]
interface Base {
  encode(bytes: Uint8Array): string
  decode(text: string): Uint8Array
}

const BASE_OF_PREFIX = new Map<string, Base>(BASES.map((base) => [base.prefix, base]))

/** The 36 bytes of a CIDv1 with BLAKE3-256. The codec is below 128. */
export function formatCidBytes(codec: number, digest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(CID_BYTES)
  writeCidBytes(bytes, 0, codec, digest)
  return bytes
}

/** Writes the 36 bytes at `offset`. The caller has made room, and the codec is below 128. */
export function writeCidBytes(
  target: Uint8Array,
  offset: number,
  codec: number,
  digest: Uint8Array,
): void {
  if (digest.length !== DIGEST_BYTES) throw new RangeError(`a digest has ${DIGEST_BYTES} bytes`)
  target[offset] = 1
  target[offset + 1] = codec
  target[offset + 2] = BLAKE3_CODE
  target[offset + 3] = DIGEST_BYTES
  target.set(digest, offset + 4)
}

/** `bafkr4i…`: how tokens, epochs and values are shown (reference-behaviour §2.4). */
export const formatRawCid = (digest: Uint8Array): string => formatCid(RAW_CODEC, digest, 'base32')

/** Of any codec: answers repeat the one that was asked for. `digest`: BLAKE3, 32 bytes. */
export function formatCid(codec: number, digest: Uint8Array, base: 'base32' | 'base58btc'): string {
  const bytes = codec < LONG_CODEC ? formatCidBytes(codec, digest) : formatLongCid(codec, digest)
  return base === 'base32' ? base32.encode(bytes) : base58btc.encode(bytes)
}

function formatLongCid(codec: number, digest: Uint8Array): Uint8Array {
  const [version, rest] = [Uint8Array.of(1), formatCidBytes(0, digest).subarray(2)]
  return concatBytes([version, formatVarint(codec), rest])
}

/**
 * Reads a CID in any common multibase, or a CIDv0 (`Qm…`).
 * @throws {ProtocolError} TOKEN_MALFORMED
 */
export function parseCid(text: string): ParsedCid {
  if (text.length > CID_CHARS_MAX) throw new ProtocolError('TOKEN_MALFORMED', 'CID is too long')
  const isBare = text.startsWith('Qm')
  const bytes = decodeBase(isBare ? `z${text}` : text)
  if (isVersion0(bytes) !== isBare) {
    throw new ProtocolError('TOKEN_MALFORMED', 'a CIDv0, and only that, has no base prefix')
  }
  return parseCidBytes(bytes)
}

/** The library also takes other cases and padding; encoding again shows that the text is the one of its bytes. */
function decodeBase(text: string): Uint8Array {
  const base = BASE_OF_PREFIX.get(text.slice(0, 1))
  if (base === undefined) throw new ProtocolError('TOKEN_MALFORMED', 'CID in an unknown base')
  let bytes: Uint8Array
  try {
    bytes = base.decode(text)
  } catch (cause) {
    throw new ProtocolError('TOKEN_MALFORMED', 'CID is not in its base', { cause })
  }
  if (base.encode(bytes) !== text)
    throw new ProtocolError('TOKEN_MALFORMED', 'CID is not canonical')
  return bytes
}

/** @throws {ProtocolError} TOKEN_MALFORMED: another version, a digest of another length, bytes after it */
export function parseCidBytes(bytes: Uint8Array): ParsedCid {
  const { cid, length } = parseCidPrefix(bytes)
  if (length !== bytes.length) throw new ProtocolError('TOKEN_MALFORMED', 'bytes after the CID')
  return cid
}

/**
 * The CID (v0 or v1) at the start of `bytes` and the bytes that it takes. The digest is a view.
 * @throws {ProtocolError} TOKEN_MALFORMED: another version, cut off
 */
export function parseCidPrefix(bytes: Uint8Array): {
  readonly cid: ParsedCid
  readonly length: number
} {
  if (isVersion0(bytes)) return parseMultihash(bytes, 0, DAG_PB_CODEC)
  const version = parseVarint(bytes, 0)
  if (version.value !== 1) throw new ProtocolError('TOKEN_MALFORMED', 'not a CIDv1')
  const codec = parseVarint(bytes, version.length)
  return parseMultihash(bytes, version.length + codec.length, codec.value)
}

const isVersion0 = (bytes: Uint8Array): boolean =>
  bytes[0] === SHA2_256_CODE && bytes[1] === DIGEST_BYTES

function parseMultihash(
  bytes: Uint8Array,
  offset: number,
  codec: number,
): ReturnType<typeof parseCidPrefix> {
  const code = parseVarint(bytes, offset)
  const digestLength = parseVarint(bytes, offset + code.length)
  const digestOffset = offset + code.length + digestLength.length
  const length = digestOffset + digestLength.value
  if (length > bytes.length) throw new ProtocolError('TOKEN_MALFORMED', 'digest is cut off')
  return {
    cid: { codec, hashCode: code.value, digest: bytes.subarray(digestOffset, length) },
    length,
  }
}
