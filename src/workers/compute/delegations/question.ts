/**
 * What the questions about delegations have in common: a UCAN that says who asks. They change nothing and can be asked
 * again with the same token, so they take no part in replay protection.
 */
import { type SignedToken } from '../../../protocol/authority.ts'
import { type ErrorCode, ProtocolError } from '../../../protocol/error.ts'
import { assertTimeWindow, parseToken } from '../../../protocol/token.ts'
import { type ComputeContext } from '../context.ts'
import { type TokenEntry } from '../request.ts'
import { verifySignature } from '../verify-signature.ts'

/** @throws {ProtocolError} TOKEN_MALFORMED: no UCAN; a wallet's message is never a question */
export function parseQuestion(authorization: string): SignedToken {
  const token = parseToken(authorization)
  if (token.encoding !== 'ucan') throw new ProtocolError('TOKEN_MALFORMED')
  return token
}

/**
 * Checks signature and time.
 * @throws {ProtocolError} the refusal given, whatever is wrong
 * @throws {OpenInquiry}
 */
export function verifyQuestion(
  context: ComputeContext,
  token: SignedToken,
  entry: TokenEntry,
  refusal: ErrorCode,
): void {
  try {
    assertTimeWindow(token, context.nowS(), context.clockSkewS, 'INVOCATION_TIME')
    verifySignature(context, token, entry)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new ProtocolError(refusal, '', { cause })
  }
}
