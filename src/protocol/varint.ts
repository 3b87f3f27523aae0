/** Unsigned varints of the multiformats: seven bits a byte, least significant first, the shortest form only. */
import { ProtocolError } from './error.ts'

/** Bytes of the longest one that a JavaScript integer holds (2^53 − 1). The format itself allows nine. */
export const VARINT_BYTES_MAX = 8

const MORE = 0x80

export interface Varint {
  readonly value: number
  /** Bytes that it takes. */
  readonly length: number
}

/** @throws {ProtocolError} TOKEN_MALFORMED: cut off, longer than needed, beyond 2^53 − 1 */
export function parseVarint(bytes: Uint8Array, offset: number): Varint {
  let value = 0
  let unit = 1
  for (let length = 1; length <= VARINT_BYTES_MAX; length++) {
    const byte = bytes[offset + length - 1]
    if (byte === undefined) throw new ProtocolError('TOKEN_MALFORMED', 'varint is cut off')
    if (byte < MORE) {
      value += byte * unit
      if (byte === 0 && length > 1)
        throw new ProtocolError('TOKEN_MALFORMED', 'varint is not minimal')
      if (value > Number.MAX_SAFE_INTEGER) break
      return { value, length }
    }
    value += (byte - MORE) * unit
    unit *= 0x80
  }
  throw new ProtocolError('TOKEN_MALFORMED', 'varint is too large')
}

/** @throws {RangeError} unless `value` is an integer from 0 to 2^53 − 1 */
export function formatVarint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintBytes(value))
  writeVarint(bytes, 0, value)
  return bytes
}

/** Writes the varint at `offset`; gives the offset after it. The caller has made room (`varintBytes`). */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value
  let next = offset
  while (rest >= MORE) {
    target[next++] = (rest % MORE) + MORE
    rest = Math.floor(rest / MORE)
  }
  target[next++] = rest
  return next
}

/** Bytes that the varint of `value` takes. @throws {RangeError} unless it is an integer from 0 to 2^53 − 1 */
export function varintBytes(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`no varint for ${value}`)
  let length = 1
  for (let limit = MORE; value >= limit; limit *= MORE) length++
  return length
}
