/**
 * What the questions about delegations have in common: a UCAN that says who asks. They change nothing and can be asked
 * again with the same token, so they take no part in replay protection.
 */
import { type SignedToken } from '../../../protocol/authority.ts'
import { type ErrorCode, ProtocolError } from '../../../protocol/error.ts'
import { assertTimeWindow, parseToken, verifyToken } from '../../../protocol/token.ts'
import { type ComputeContext } from '../context.ts'

/** @throws {ProtocolError} TOKEN_MALFORMED: no UCAN; a wallet's message is never a question */
export function parseQuestion(authorization: string): SignedToken {
  const token = parseToken(authorization)
  if (token.encoding !== 'ucan') throw new ProtocolError('TOKEN_MALFORMED')
  return token
}

/**
 * Checks signature and time.
 * @throws {ProtocolError} the refusal given, whatever is wrong
 */
export function verifyQuestion(
  { nowS, clockSkewS }: ComputeContext,
  token: SignedToken,
  refusal: ErrorCode,
): void {
  try {
    assertTimeWindow(token, nowS(), clockSkewS, 'INVOCATION_TIME')
    verifyToken(token)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new ProtocolError(refusal, '', { cause })
  }
}
