/**
 * POST /revoke · in: UCAN on `urn:cid:‹cid›` or a wallet's message to `ucan:‹cid›` · out: the command that revokes.
 * Steps: decode → target → signature → time → one snapshot → who may → command (reference-behaviour §2.12).
 * Rule: REVOKE-3. What ends and what is answered: REVOKE-4 and REVOKE-5, in the storage actor.
 */
import { formatCarSection } from '../../protocol/car.ts'
import { proveRevocation, revocationTarget } from '../../protocol/revocation.ts'
import { formatCid, RAW_CODEC } from '../../protocol/cid.ts'
import { ProtocolError } from '../../protocol/error.ts'
import { assertTimeWindow, parseToken, statementId } from '../../protocol/token.ts'
import { type ComputeContext } from './context.ts'
import { toRelied } from './invoke/authorise.ts'
import { type Plan, readRequest } from './plan.ts'
import { type TokenEntry } from './request.ts'
import { spacesOf } from '../../protocol/spaces-of.ts'
import { isContractChainOf, verifySignature } from './verify-signature.ts'

export function planRevoke(context: ComputeContext, entry: TokenEntry): Plan {
  const token = parseToken(entry.authorization, isContractChainOf(context))
  const target = revocationTarget(token)
  verifyRevoker(() => verifySignature(context, token, entry))
  assertTimeWindow(token, context.nowS(), context.clockSkewS, 'REVOCATION_TIME')
  return {
    read: readRequest({ delegations: [target.digest, ...token.proofs] }),
    complete: (facts) => {
      const [stored, ...proofs] = facts.delegations
      if (!stored) throw new ProtocolError('REVOCATION_TARGET_NOT_FOUND')
      const usable = proofs.map((proof) =>
        proof && proof.revokedLink < 0 ? proof.facts : undefined,
      )
      const { relies } = proveRevocation(token, stored.facts, usable, context.nowS())
      return {
        kind: 'command',
        command: {
          kind: 'revoke',
          requestId: entry.requestId,
          statementId: statementId(token),
          digest: token.digest,
          encoding: token.encoding,
          revoker: token.issuer,
          target: { statementId: stored.facts.statementId, digest: stored.facts.digest },
          targetCid: formatCid(target.codec, target.digest, 'base32'),
          relies: relies.map(toRelied),
          spaces: spacesOf(stored.facts.capabilities),
          tokenSection: formatCarSection(RAW_CODEC, token.digest, token.bytes),
        },
      }
    },
  }
}

/** A bad signature on a revocation is 403, not 401 (reference-behaviour §1.6). */
function verifyRevoker(verify: () => void): void {
  try {
    verify()
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'SIGNATURE_INVALID')
      throw new ProtocolError('REVOCATION_SIGNATURE', '', { cause: error })
    throw error
  }
}
