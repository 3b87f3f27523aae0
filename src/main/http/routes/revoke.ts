/**
 * POST /revoke · in: a signed revocation in `Authorization`, the body is ignored · out: 200 JSON `{revoked, cid}` ·
 * errors: 401, 403, 503 (reference-behaviour §1.6)
 */
import { type Exchange } from '../exchange.ts'
import { type SignedRequests } from '../signed-requests.ts'

export function answerRevoke(exchange: Exchange, signed: SignedRequests): Promise<void> {
  return signed.handle(exchange, 'revoke')
}
