/**
 * POST /delegation/status · in: a signed question in `Authorization`, JSON `{cid}` · out: 200 or 404, JSON `{cid, status,
 * exists, active, revoked, expired}` · errors: 400, 401, 403, 404, 413, 422, 503 (reference-behaviour §1.8)
 */
import { type Exchange } from '../exchange.ts'
import { type SignedRequests } from '../signed-requests.ts'

export function answerDelegationStatus(exchange: Exchange, signed: SignedRequests): Promise<void> {
  return signed.handle(exchange, 'status')
}
