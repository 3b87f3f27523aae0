/** Signatures of tokens: most of the time that a verification takes. */
import { type SignedToken } from '../../../protocol/authority.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { verifyToken } from '../../../protocol/token.ts'
import { type Findings, type Subject } from './findings.ts'

export interface SignatureChecks {
  check(token: SignedToken, subject: Subject): Promise<void> | undefined
}

/** Verifies at once, on this thread. */
export function createSignatureChecks(findings: Findings): SignatureChecks {
  return {
    check(token, subject) {
      findings.expect(isSigned(token), 'signature', subject, 'its signature is not its issuer’s')
      return undefined
    },
  }
}

function isSigned(token: SignedToken): boolean {
  try {
    verifyToken(token)
    return true
  } catch (error) {
    if (error instanceof ProtocolError) return false
    throw error
  }
}
