/** Tokens: nothing but a refusal comes out of a bad one, and nothing is valid that its issuer did not sign. */
import * as fc from 'fast-check'
import { type Capability, type SignedToken } from '../../src/protocol/authority.ts'
import { equalBytes, toHex } from '../../src/protocol/bytes.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { normalizePrincipal } from '../../src/protocol/did.ts'
import { TOKEN_CAPABILITIES_MAX, TOKEN_PROOFS_MAX } from '../../src/protocol/limits.ts'
import { revocationTarget } from '../../src/protocol/revocation.ts'
import { assertTimeWindow, parseToken, statementId, verifyToken } from '../../src/protocol/token.ts'
import { effectOf } from '../../src/workers/compute/invoke/effects.ts'
import { NOW_S } from '../_util/credentials.ts'
import { describeValueFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, verdictOf } from '../_util/fuzz/refusal.ts'
import {
  cacaoTexts,
  plausibleTexts,
  type SignedText,
  ucanTexts,
} from '../_util/fuzz/signed-texts.ts'
import { isDeepStrictEqual } from 'node:util'

const TIMES = ['notBeforeS', 'expiresAtS', 'issuedAtS'] as const

function assertOrder(capabilities: readonly Capability[]): void {
  const texts = capabilities.map(({ resource, ability }) => `${resource.text} ${ability}`)
  assertTrue(isDeepStrictEqual(texts, [...new Set(texts)].toSorted()), 'sorted, each once')
}

/** What holds of every token that was decoded, verified or not. */
function assertDecoded(token: SignedToken, text: string): void {
  assertTrue(token.text === text, 'the text is kept')
  assertTrue(equalBytes(token.digest, blake3(token.bytes)), 'the digest is that of the bytes')
  assertTrue(normalizePrincipal(token.issuer) === token.issuer, 'the issuer is a principal')
  assertTrue(token.proofs.length <= TOKEN_PROOFS_MAX, 'proofs are limited')
  assertTrue(token.capabilities.length <= TOKEN_CAPABILITIES_MAX, 'capabilities are limited')
  assertTrue(
    token.proofs.every(({ length }) => length === 32),
    'a proof is a digest',
  )
  for (const name of TIMES)
    assertTrue(token[name] === undefined || Number.isFinite(token[name]), 'a time is a number')
  assertOrder(token.capabilities)
  assertTrue(statementId(token).length === 32, 'a statement has an id')
}

/** What else is asked of a token, which may refuse but never break. */
function assertUsable(token: SignedToken): void {
  verdictOf(['INVOCATION_TIME'], () => assertTimeWindow(token, NOW_S, 0, 'INVOCATION_TIME'))
  verdictOf(['OUTCOMES_MIXED', 'OPTION_INVALID', 'KEY_TOO_LONG'], () => effectOf(token))
  verdictOf(['REVOCATION_TARGETS', 'TOKEN_MALFORMED', 'REVOCATION_TARGET_NOT_FOUND'], () =>
    revocationTarget(token),
  )
}

/** True: it was valid. */
function checkToken({ text, statement, signers }: SignedText): boolean {
  const { value: token } = verdictOf(
    ['TOKEN_MALFORMED', 'TOKEN_TOO_LARGE', 'SIWE_STATEMENT_INVALID'],
    () => parseToken(text),
  )
  if (!token) return false
  assertDecoded(token, text)
  assertUsable(token)
  const { code } = verdictOf(['SIGNATURE_INVALID'], () => verifyToken(token))
  if (code !== undefined) return false
  assertTrue(toHex(token.signingInput) === statement, 'valid is only what was signed')
  assertTrue(signers.includes(token.issuer), 'valid is only what the issuer signed')
  return true
}

describeValueFuzz<SignedText>({
  name: 'ucan',
  inputs: fc.oneof(ucanTexts, plausibleTexts),
  check: checkToken,
})
describeValueFuzz<SignedText>({ name: 'cacao', inputs: cacaoTexts, check: checkToken })
