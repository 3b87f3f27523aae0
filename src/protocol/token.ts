/** Signed tokens of both encodings: decoding, verification, identity and time. */
import { type SignedToken } from './authority.ts'
import { blake3 } from './crypto/blake3.ts'
import { type IsContractChain, parseCacao } from './cacao.ts'
import { ProtocolError } from './error.ts'
import { type NetworkAnswers, NO_ANSWERS } from './inquiry.ts'
import { TOKEN_BYTES_MAX } from './limits.ts'
import { isSignedByIssuer } from './signature.ts'
import { parseUcan } from './ucan.ts'

const STATEMENT_KIND = { ucan: 1, cacao: 2 } as const satisfies Record<
  SignedToken['encoding'],
  number
>

export type TimeRefusal = 'DELEGATION_TIME' | 'INVOCATION_TIME' | 'REVOCATION_TIME'

/**
 * Decodes an `Authorization` value: a text with a dot is a UCAN, any other a CACAO. Nothing is verified.
 *
 * Shape: `isContractChain` says of which chains (decimal ids) signatures of contract wallets are taken; none by itself.
 * Rule: TOKEN-1, TOKEN-2, TOKEN-5 (docs/protocol.md), from reference-behaviour §2.1 and §2.4.
 * @throws {ProtocolError} TOKEN_TOO_LARGE | TOKEN_MALFORMED | SIWE_STATEMENT_INVALID
 */
export function parseToken(text: string, isContractChain?: IsContractChain): SignedToken {
  // What is not ASCII is no token, so characters count as bytes.
  if (text.length > TOKEN_BYTES_MAX) throw new ProtocolError('TOKEN_TOO_LARGE')
  return text.includes('.') ? parseUcan(text) : parseCacao(text, isContractChain)
}

/**
 * Checks the signature over the received bytes with the issuer's key.
 *
 * Shape: `answers` is what the network said about this token, where its issuer needs that.
 * Rule: TOKEN-7.
 * @throws {ProtocolError} SIGNATURE_INVALID
 */
export function verifyToken(token: SignedToken, answers: NetworkAnswers = NO_ANSWERS): void {
  if (!isSignedByIssuer(token, answers)) throw new ProtocolError('SIGNATURE_INVALID')
}

/**
 * What was signed, whatever its spelling: 32 bytes, BLAKE3 of kind ‖ issuer ‖ 0x00 ‖ signing input.
 *
 * Rule: TOKEN-6, from DESIGN §3. One signature has several spellings (the other `s`, `v` as 0 or 27, a CACAO map in
 * another order), each with a CID of its own; replay, "already stored" and revocation go by this id. It says something
 * only once the signature was verified.
 */
export function statementId({ encoding, issuer, signingInput }: SignedToken): Uint8Array {
  const issuerBytes = issuer.length
  const statement = Buffer.allocUnsafe(issuerBytes + signingInput.length + 2)
  statement[0] = STATEMENT_KIND[encoding]
  // A DID is ASCII.
  statement.write(issuer, 1, 'latin1')
  statement[1 + issuerBytes] = 0
  statement.set(signingInput, issuerBytes + 2)
  return blake3(statement)
}

/**
 * Checks that a token is in its own time window.
 *
 * Units: Unix seconds, fractions count; `skewS` widens the window on both sides.
 * Rule: CACAO-3 and CHAIN-8, from reference-behaviour §2.3, §2.8. `exp` is inclusive; `nbf` is inclusive in a UCAN and
 * exclusive in a CACAO.
 * @throws {ProtocolError} the refusal given
 */
export function assertTimeWindow(
  { encoding, notBeforeS, expiresAtS }: SignedToken,
  nowS: number,
  skewS: number,
  refusal: TimeRefusal,
): void {
  const latestS = nowS + skewS
  const isEarly =
    notBeforeS !== undefined && (encoding === 'ucan' ? latestS < notBeforeS : latestS <= notBeforeS)
  const isLate = expiresAtS !== undefined && nowS - skewS > expiresAtS
  if (isEarly || isLate) throw new ProtocolError(refusal)
}
