/** The signature of a token, with what the network said about it, or the inquiry that is needed first (DESIGN §2). */
import { type SignedToken } from '../../protocol/authority.ts'
import { type IsContractChain } from '../../protocol/cacao.ts'
import { isDidWeb } from '../../protocol/did-web.ts'
import { ProtocolError } from '../../protocol/error.ts'
import { NO_ANSWERS, OpenInquiry } from '../../protocol/inquiry.ts'
import { contractSignatureOf } from '../../protocol/signature.ts'
import { verifyToken } from '../../protocol/token.ts'
import { type ComputeContext } from './context.ts'
import { type TokenEntry } from './request.ts'

type Asking = Pick<ComputeContext, 'askable'>

/**
 * Rule: TOKEN-7, DID-3, CACAO-4.
 * @throws {ProtocolError} SIGNATURE_INVALID
 * @throws {OpenInquiry} when another host must be asked first
 */
export function verifySignature(
  context: Asking,
  token: SignedToken,
  { answers = NO_ANSWERS }: Pick<TokenEntry, 'answers'>,
): void {
  if (context.askable.webKeys && isDidWeb(token.issuer) && answers.webKey === undefined)
    throw new OpenInquiry({ kind: 'webKey', didUrl: token.issuerUrl })
  try {
    verifyToken(token, answers)
  } catch (error) {
    if (!(error instanceof ProtocolError) || answers.isContractSignature !== undefined) throw error
    const contract = contractSignatureOf(token)
    if (!contract || !isContractChainOf(context)(contract.chainId)) throw error
    throw new OpenInquiry({ kind: 'contractSignature', ...contract })
  }
}

/** Of which chains contract wallets may sign. */
export const isContractChainOf =
  ({ askable: { contractChains } }: Asking): IsContractChain =>
  (chainId) =>
    contractChains.includes(chainId)
