/** Signatures of tokens: most of the time that a verification takes. */
import { type SignedToken } from '../../../protocol/authority.ts'
import { isDidWeb } from '../../../protocol/did-web.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { contractSignatureOf } from '../../../protocol/signature.ts'
import { verifyToken } from '../../../protocol/token.ts'
import { type UnconfirmedSignatures } from '../request.ts'
import { type Findings, type Subject } from './findings.ts'

export class SignatureChecks {
  readonly #findings: Findings
  #didWeb = 0
  #contractWallets = 0

  constructor(findings: Findings) {
    this.#findings = findings
  }

  get unconfirmed(): UnconfirmedSignatures {
    return { didWeb: this.#didWeb, contractWallets: this.#contractWallets }
  }

  /**
   * What only a network can confirm is counted, whatever network is configured now: it was asked when the token came, and
   * a chain that is no longer configured damages nothing.
   */
  check(token: SignedToken, subject: Subject): void {
    this.#findings.count('signature')
    if (isDidWeb(token.issuer)) this.#didWeb += 1
    else if (isSigned(token)) return
    else if (contractSignatureOf(token)) this.#contractWallets += 1
    else this.#findings.report('signature', subject, 'it is not signed by its issuer')
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
