/** From what an answer may hold to what a test expects it to hold; anything else fails the test. */
import { isClaimsObject } from '../../src/protocol/claims.ts'

/** A value that must be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing where a value was expected')
  return value
}

export function textsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw new Error(`not an array of texts: ${JSON.stringify(value)}`)
  return value
}

export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  if (!isClaimsObject(value)) throw new Error(`not an object: ${JSON.stringify(value)}`)
  return value
}
