/**
 * Bodies of the routes that take JSON (reference-behaviour §0.2), checked with the schemas of `protocol/messages`. The
 * route's handler judges what the values mean.
 */
import { parseUtf8 } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/error.ts'
import { findViolation, type MessageSchema, type Violation } from '../../protocol/json-schema.ts'
import { parseStrictJson } from '../../protocol/json.ts'
import { JSON_BODY_DEPTH_MAX } from '../../protocol/limits.ts'
import { type Body } from './request.ts'

/** The members of a body that is as its schema says; a member may still be missing, or null. */
export type Members = ReadonlyMap<string, unknown>

export interface MessageForm {
  readonly schema: MessageSchema
  /** Names of the members that an array may hold in place of the object, in its order. */
  readonly order: readonly string[]
  /** What is wrong with a violation on this route. */
  readonly refusalOf: (violation: Violation) => ProtocolError
}

export const unprocessable = (): ProtocolError => new ProtocolError('BODY_UNPROCESSABLE')

/**
 * The members of a JSON body by name, those that no rule knows included.
 *
 * Rule: HTTP-5.
 * @throws {ProtocolError} what `parseJsonMembers` throws, and the refusal of the form
 */
export function parseMessage(body: Body, { schema, order, refusalOf }: MessageForm): Members {
  const members = parseJsonMembers(body, order)
  const violation = findViolation(schema, members)
  if (violation) throw refusalOf(violation)
  return members
}

/**
 * The members of a JSON body by name. An array of the members in the order of `names` passes for the object, as it does
 * on the existing node.
 *
 * Rule: HTTP-5.
 * @throws {ProtocolError} REQUEST_MALFORMED: no JSON in UTF-8; BODY_UNPROCESSABLE: another value, too many items
 */
export function parseJsonMembers(body: Body, names: readonly string[]): Members {
  const value = parseJson(body)
  if (typeof value !== 'object' || value === null) throw unprocessable()
  if (!Array.isArray(value)) return new Map(Object.entries(value))
  if (value.length > names.length) throw unprocessable()
  return new Map(value.map((item: unknown, index) => [names[index] ?? '', item]))
}

function parseJson(body: Body): unknown {
  if (body.kind !== 'whole') throw new ProtocolError('REQUEST_MALFORMED')
  try {
    return parseStrictJson(parseUtf8(body.bytes), { depthMax: JSON_BODY_DEPTH_MAX })
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new ProtocolError('REQUEST_MALFORMED', '', { cause })
  }
}

/** A compulsory text. @throws {ProtocolError} BODY_UNPROCESSABLE: missing, or no text */
export function readTextMember(members: Members, name: string): string {
  const value = readText(members, name)
  if (value === undefined) throw unprocessable()
  return value
}

/** Undefined: missing, or no text. */
export function readText(members: Members, name: string): string | undefined {
  const value = members.get(name)
  return typeof value === 'string' ? value : undefined
}

/** Undefined: missing, or no number. */
export function readNumber(members: Members, name: string): number | undefined {
  const value = members.get(name)
  return typeof value === 'number' ? value : undefined
}
