/** Bodies of the routes that take JSON (reference-behaviour §0.2). The route's handler judges what the members hold. */
import { parseUtf8 } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/error.ts'
import { parseStrictJson } from '../../protocol/json.ts'
import { JSON_BODY_DEPTH_MAX } from '../../protocol/limits.ts'
import { type Body } from './request.ts'

/**
 * The members of a JSON body by name, those that no rule knows included. An array of the members in the order of `names`
 * passes for the object, as it does on the existing node.
 *
 * Rule: HTTP-5.
 * @throws {ProtocolError} REQUEST_MALFORMED: no JSON in UTF-8; BODY_UNPROCESSABLE: another value, too many items
 */
export function parseJsonMembers(
  body: Body,
  names: readonly string[],
): ReadonlyMap<string, unknown> {
  const value = parseJson(body)
  if (typeof value !== 'object' || value === null) throw new ProtocolError('BODY_UNPROCESSABLE')
  if (!Array.isArray(value)) return new Map(Object.entries(value))
  if (value.length > names.length) throw new ProtocolError('BODY_UNPROCESSABLE')
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

/** @throws {ProtocolError} BODY_UNPROCESSABLE: missing, or no text */
export function readTextMember(members: ReadonlyMap<string, unknown>, name: string): string {
  const value = members.get(name)
  if (typeof value !== 'string') throw new ProtocolError('BODY_UNPROCESSABLE')
  return value
}
