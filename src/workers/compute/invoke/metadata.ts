/** Which request headers are stored with a value and come back with it (reference-behaviour §3.4). */
import { ProtocolError } from '../../../protocol/error.ts'
import { METADATA_BYTES_MAX } from '../../../protocol/limits.ts'
import { type TokenEntry } from '../request.ts'

export type StoredHeaders = readonly (readonly [name: string, value: string])[]

const STORED: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
])
const META_PREFIX = 'x-tinycloud-meta-'

/** Exactly what `fetch` adds by itself to a body given as a string. */
const IMPLICIT_TEXT = 'text/plain;charset=UTF-8'

const isStored = (name: string): boolean => STORED.has(name) || name.startsWith(META_PREFIX)

/** Printable ASCII and tab: what comes back byte for byte. */
const isPlain = (value: string): boolean => /^[\t\x20-\x7e]*$/.test(value)

/**
 * The headers to store, sorted by name; of a repeated one the last. A value that is not ASCII is dropped.
 *
 * Rule: META-1, META-3.
 * @throws {ProtocolError} METADATA_TOO_LARGE
 */
export function storedHeaders(entry: Pick<TokenEntry, 'headers'>): StoredHeaders {
  const byName = new Map<string, string>()
  let totalBytes = 0
  for (const [name, value] of entry.headers) {
    if (!isStored(name) || !isPlain(value)) continue
    byName.set(name, value)
    totalBytes += name.length + value.length
  }
  if (totalBytes > METADATA_BYTES_MAX)
    throw new ProtocolError('METADATA_TOO_LARGE', String(METADATA_BYTES_MAX))
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/**
 * Without the type that `fetch` invents, where the body is a JSON object or array: official clients then read their
 * object back as an object. Rule: META-2, from DESIGN §7.23.
 */
export function withoutImplicitText(headers: StoredHeaders, body: Uint8Array): StoredHeaders {
  const isImplicit = headers.some(
    ([name, value]) => name === 'content-type' && value === IMPLICIT_TEXT,
  )
  if (!isImplicit || !isJsonContainer(body)) return headers
  return headers.filter(([name]) => name !== 'content-type')
}

const OPENING_BRACE = 0x7b
const OPENING_BRACKET = 0x5b
const JSON_BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

function isJsonContainer(body: Uint8Array): boolean {
  const first = body.find((byte) => !JSON_BLANKS.has(byte))
  if (first !== OPENING_BRACE && first !== OPENING_BRACKET) return false
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return true
  } catch {
    return false
  }
}
