/** The signature of a token, with what the network said about it, or the inquiry that is needed first (DESIGN §2). */
import { type SignedToken } from '../../protocol/authority.ts'
import { isDidWeb } from '../../protocol/did-web.ts'
import { NO_ANSWERS, OpenInquiry } from '../../protocol/inquiry.ts'
import { verifyToken } from '../../protocol/token.ts'
import { type ComputeContext } from './context.ts'
import { type TokenEntry } from './request.ts'

/**
 * Rule: TOKEN-7, DID-3.
 * @throws {ProtocolError} SIGNATURE_INVALID
 * @throws {OpenInquiry} when another host must be asked first
 */
export function verifySignature(
  { askable }: Pick<ComputeContext, 'askable'>,
  token: SignedToken,
  { answers = NO_ANSWERS }: Pick<TokenEntry, 'answers'>,
): void {
  if (askable.webKeys && isDidWeb(token.issuer) && answers.webKey === undefined)
    throw new OpenInquiry({ kind: 'webKey', didUrl: token.issuerUrl })
  verifyToken(token, answers)
}
