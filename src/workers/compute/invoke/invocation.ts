/** An invocation before its authority is looked at: that it is one, of now, and truly signed (reference-behaviour §2.9). */
import { type SignedToken } from '../../../protocol/authority.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { assertTimeWindow, parseToken } from '../../../protocol/token.ts'
import { type ComputeContext } from '../context.ts'
import { type ReplayClaim, type TokenEntry } from '../request.ts'
import { verifySignature } from '../verify-signature.ts'
import { type Effect } from './effects.ts'
import { type KvOptions } from './options.ts'

/** A UCAN, which always says when it ends. */
export type InvocationToken = SignedToken & { readonly expiresAtS: number }

/** An invocation whose envelope is verified: everything but its authority. */
export interface Invocation {
  readonly token: InvocationToken
  readonly statementId: Uint8Array
  readonly effect: Effect
  readonly options: KvOptions
  /** Every space that its capabilities name, sorted. */
  readonly spaces: readonly string[]
}

const CLAIM_ID_BYTES = 16

/** A read answered once is not answered again. Rule: INV-10, from reference-behaviour §2.9 "Replay". */
export const replayClaim = ({ token, statementId: id }: Invocation): ReplayClaim => ({
  id: id.subarray(0, CLAIM_ID_BYTES),
  expiresAtS: token.expiresAtS,
})

/** @throws {ProtocolError} TOKEN_MALFORMED; a wallet's message is never an invocation (reference-behaviour §2.1) */
export function parseInvocation(authorization: string): InvocationToken {
  const token = parseToken(authorization)
  if (!isInvocation(token)) throw new ProtocolError('TOKEN_MALFORMED')
  return token
}

const isInvocation = (token: SignedToken): token is InvocationToken =>
  token.encoding === 'ucan' && token.expiresAtS !== undefined

/**
 * Rule: INV-1, INV-2.
 * @throws {ProtocolError} INVOCATION_TIME | SIGNATURE_INVALID | INVOCATION_LIFETIME
 * @throws {OpenInquiry}
 */
export function verifyEnvelope(
  context: Pick<ComputeContext, 'nowS' | 'clockSkewS' | 'invocationLifetimeS' | 'askable'>,
  token: InvocationToken,
  entry: TokenEntry,
): void {
  const nowS = context.nowS()
  assertTimeWindow(token, nowS, context.clockSkewS, 'INVOCATION_TIME')
  verifySignature(context, token, entry)
  const expiryMaxS = nowS + context.invocationLifetimeS
  if (token.expiresAtS > expiryMaxS) throw new ProtocolError('INVOCATION_LIFETIME')
}
