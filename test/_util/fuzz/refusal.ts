/** What a parser may do with hostile input: give a value, or refuse it with a code of the catalogue. */
import { type ErrorCode, ProtocolError } from '../../../src/protocol/error.ts'

export type Verdict<T> =
  | { readonly value: T; readonly code?: never }
  | { readonly value?: never; readonly code: ErrorCode }

/** Any other error passes through: it is a finding. So is a code that is not among `codes`. */
export function verdictOf<T>(codes: readonly ErrorCode[], parse: () => T): Verdict<T> {
  try {
    return { value: parse() }
  } catch (error) {
    if (error instanceof ProtocolError && codes.includes(error.code)) return { code: error.code }
    throw error
  }
}

/** The value, or undefined where it was refused as malformed. */
export const parsed = <T>(parse: () => T): T | undefined =>
  verdictOf(['TOKEN_MALFORMED'], parse).value

export function assertTrue(holds: boolean, claim: string): void {
  if (!holds) throw new Error(`not true: ${claim}`)
}
