/// <reference lib="es2024.string" />
/**
 * JSON from strangers (RFC 8259, I-JSON) and canonical JSON (RFC 8785).
 *
 * `JSON.parse` keeps the last of several members with one name, so two readers of one token could see two tokens. The
 * duplicates are found by counting: the member names in the text against the members of the parsed value. That holds
 * for names that are spelled as they are; a text with escapes, which is rare, is read member by member.
 */
import { ProtocolError } from './error.ts'
import { parseEscapedJson } from './json-escapes.ts'

export interface JsonLimits {
  /** Objects and arrays inside each other; 1 allows `{}` but not `{"a":{}}`. */
  readonly depthMax: number
}

const QUOTE = 0x22
const COLON = 0x3a
const SPACE = 0x20
/** A text that begins with a byte order mark. */
const MARKED_TEXT = '"\ufeff'

/**
 * The value of a JSON text. Objects are plain, with own members only (`__proto__` too): read them with `Object.hasOwn`.
 *
 * Rule: TOKEN-4: no duplicate names at any depth, no number beyond a double, no lone surrogate, at most `depthMax` levels.
 * @throws {ProtocolError} TOKEN_MALFORMED
 */
export function parseStrictJson(text: string, { depthMax }: JsonLimits): unknown {
  return text.includes('\\') ? parseEscapedJson(text, depthMax) : parsePlainJson(text, depthMax)
}

/** Of a text without a backslash. */
function parsePlainJson(text: string, depthMax: number): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ProtocolError('TOKEN_MALFORMED', 'not JSON', { cause })
  }
  if (!text.isWellFormed()) throw new ProtocolError('TOKEN_MALFORMED', 'lone surrogate')
  if (text.includes(MARKED_TEXT)) throw new ProtocolError('TOKEN_MALFORMED', 'byte order mark')
  if (countMembers(value, depthMax) !== namesInText(text)) {
    throw new ProtocolError('TOKEN_MALFORMED', 'duplicate member name')
  }
  return value
}

/** The members of all objects. @throws {ProtocolError} TOKEN_MALFORMED: nested too deeply, an infinite number */
function countMembers(value: unknown, depthLeft: number): number {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new ProtocolError('TOKEN_MALFORMED', 'number out of range')
  }
  if (typeof value !== 'object' || value === null) return 0
  if (depthLeft === 0) throw new ProtocolError('TOKEN_MALFORMED', 'nested too deeply')
  const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  let members = Array.isArray(value) ? 0 : items.length
  for (const item of items) members += countMembers(item, depthLeft - 1)
  return members
}

/** How many strings of a valid JSON text are followed by a colon. */
function namesInText(text: string): number {
  let names = 0
  let open = text.indexOf('"')
  while (open !== -1) {
    let next = text.indexOf('"', open + 1) + 1
    // In valid JSON all characters up to the blank are white space here.
    while (text.charCodeAt(next) <= SPACE) next++
    const code = text.charCodeAt(next)
    if (code === COLON) names++
    open = code === QUOTE ? next : text.indexOf('"', next)
  }
  return names
}

/**
 * An object of JSON or DAG-CBOR, neither null nor an array.
 * @throws {ProtocolError} TOKEN_MALFORMED
 */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (!isPlainObject(value)) throw new ProtocolError('TOKEN_MALFORMED', 'not an object')
  return value
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * RFC 8785 (JCS): no blanks, names in the order of their UTF-16 code units, numbers as ECMAScript writes them.
 * @throws {TypeError} for what JSON cannot hold: undefined, functions, NaN, a lone surrogate
 */
export function formatJcs(value: unknown): string {
  if (typeof value === 'string') return formatJcsText(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (typeof value === 'boolean' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(formatJcs).join(',')}]`
  if (!isPlainObject(value)) throw new TypeError(`JCS cannot hold this ${typeof value}`)
  const members = Object.keys(value)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => `${formatJcsText(name)}:${formatJcs(value[name])}`)
  return `{${members.join(',')}}`
}

function formatJcsText(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('JCS cannot hold a lone surrogate')
  return JSON.stringify(text)
}
