/**
 * POST /delegate · in: a signed delegation in `Authorization`, the body is ignored · out: 200 JSON `{cid, activated,
 * skipped}` · errors: 401, 404, 503 (reference-behaviour §1.5)
 */
import { type Exchange } from '../exchange.ts'
import { type SignedRequests } from '../signed-requests.ts'

export function answerDelegate(exchange: Exchange, signed: SignedRequests): Promise<void> {
  return signed.handle(exchange, 'delegate')
}
