/** Signatures of tokens: most of the time that a verification takes. */
import { type SignedToken } from '../../../protocol/authority.ts'
import { isDidWeb } from '../../../protocol/did-web.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { contractSignatureOf } from '../../../protocol/signature.ts'
import { verifyToken } from '../../../protocol/token.ts'
import { type Findings, type Subject } from './findings.ts'

export class SignatureChecks {
  readonly #findings: Findings
  readonly #contractChains: ReadonlySet<string>
  #unconfirmed = 0

  /** `contractChains`: decimal ids of the chains whose contract wallets may sign. */
  constructor(findings: Findings, contractChains: readonly string[]) {
    this.#findings = findings
    this.#contractChains = new Set(contractChains)
  }

  /** Signatures that only a network could confirm: it was asked when the token came, and is not asked again. */
  get unconfirmed(): number {
    return this.#unconfirmed
  }

  check(token: SignedToken, subject: Subject): void {
    this.#findings.count('signature')
    if (isDidWeb(token.issuer)) this.#unconfirmed += 1
    else if (!isSigned(token)) this.#checkContract(token, subject)
  }

  /** What is no signature of the account itself may be one of its contract. */
  #checkContract(token: SignedToken, subject: Subject): void {
    const contract = contractSignatureOf(token)
    if (contract && this.#contractChains.has(contract.chainId)) this.#unconfirmed += 1
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
