/** Members of objects that a stranger made, each with its type. Inherited members do not exist. */
import { ProtocolError } from './error.ts'

export type ClaimsObject = Readonly<Record<string, unknown>>

export const isClaimsObject = (value: unknown): value is ClaimsObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value of a member; undefined where there is none. */
export const claim = (object: ClaimsObject, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined

/** @throws {ProtocolError} TOKEN_MALFORMED */
export function textClaim(object: ClaimsObject, name: string): string {
  const value = claim(object, name)
  if (typeof value !== 'string') throw malformed(name)
  return value
}

/** `null` counts as absent. @throws {ProtocolError} TOKEN_MALFORMED */
export function optionalTextClaim(object: ClaimsObject, name: string): string | undefined {
  const value = claim(object, name) ?? undefined
  if (value !== undefined && typeof value !== 'string') throw malformed(name)
  return value
}

/** `null` counts as absent. @throws {ProtocolError} TOKEN_MALFORMED */
export function optionalNumberClaim(object: ClaimsObject, name: string): number | undefined {
  const value = claim(object, name) ?? undefined
  if (value !== undefined && typeof value !== 'number') throw malformed(name)
  return value
}

/** `null` counts as absent. @throws {ProtocolError} TOKEN_MALFORMED */
export function optionalArrayClaim(
  object: ClaimsObject,
  name: string,
): readonly unknown[] | undefined {
  const value = claim(object, name) ?? undefined
  if (value !== undefined && !Array.isArray(value)) throw malformed(name)
  return value
}

/** `null` counts as absent. @throws {ProtocolError} TOKEN_MALFORMED */
export function optionalTextArrayClaim(
  object: ClaimsObject,
  name: string,
): readonly string[] | undefined {
  const items = optionalArrayClaim(object, name)
  if (items !== undefined && !items.every((item) => typeof item === 'string')) throw malformed(name)
  return items
}

const malformed = (name: string): ProtocolError =>
  new ProtocolError('TOKEN_MALFORMED', `wrong or missing ${name}`)
