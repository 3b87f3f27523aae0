/**
 * POST /delegation/query · in: a signed question in `Authorization`, a JSON filter · out: 200 JSON `{schemaVersion, items,
 * nextCursor?}` · errors: 400, 401, 403, 404, 413, 422, 503 (reference-behaviour §1.9)
 */
import { type Exchange } from '../exchange.ts'
import { type SignedRequests } from '../signed-requests.ts'

export function answerDelegationQuery(exchange: Exchange, signed: SignedRequests): Promise<void> {
  return signed.handle(exchange, 'query')
}
