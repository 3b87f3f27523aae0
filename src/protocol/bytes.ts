/** Bytes: order, equality, and the two texts that they are shown as. */
import { isAscii, isUtf8 } from 'node:buffer'
import { ProtocolError } from './error.ts'

const EVEN_HEX = /^(?:[0-9a-fA-F]{2})*$/

/** A `Buffer` over the same memory. */
export function viewOf(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A plain `Uint8Array` over the same memory, so that a result has one type whichever library made it. */
export const plainBytes = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)

/** Order of `memcmp`: unsigned bytes, a prefix before what it begins. Negative, zero or positive. */
export const compareBytes = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)

/** Not constant in time: never for secrets. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && Buffer.compare(a, b) === 0

/** A copy of all parts, one after the other, in memory of its own. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let lengthBytes = 0
  for (const part of parts) lengthBytes += part.length
  const whole = new Uint8Array(lengthBytes)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** One character for each byte: the text of ASCII, and a map key that is cheaper than hexadecimal and as unambiguous. */
export const toLatin1 = (bytes: Uint8Array): string => viewOf(bytes).toString('latin1')

/** Lower case. */
export const toHex = (bytes: Uint8Array): string => viewOf(bytes).toString('hex')

/** @throws {ProtocolError} TOKEN_MALFORMED: another character, an odd number of digits, a `0x`. */
export function parseHex(text: string): Uint8Array {
  if (!EVEN_HEX.test(text)) throw new ProtocolError('TOKEN_MALFORMED', 'not hexadecimal')
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** Ownership: a short text lies in Node's shared pool; copy what is kept or transferred. */
export const utf8 = (text: string): Uint8Array => plainBytes(Buffer.from(text))

/**
 * The text of UTF-8 bytes. Nothing is repaired and nothing dropped, a byte order mark included.
 * @throws {ProtocolError} TOKEN_MALFORMED: overlong forms, surrogates, a cut sequence
 */
export function parseUtf8(bytes: Uint8Array): string {
  if (isAscii(bytes)) return toLatin1(bytes)
  if (!isUtf8(bytes)) throw new ProtocolError('TOKEN_MALFORMED', 'not UTF-8')
  return viewOf(bytes).toString('utf8')
}
