/**
 * POST /signed/kv · in: a signed invocation in `Authorization`, JSON `{space, path, ttlSeconds?, contentHash?, etag?}` ·
 * out: 200 JSON `{url, ticketId, expiresAt}` · errors: 400, 401, 403, 404, 413, 422, 503 (reference-behaviour §6.6)
 */
import { type Exchange } from '../exchange.ts'
import { type SignedRequests } from '../signed-requests.ts'

export function answerSignKv(exchange: Exchange, signed: SignedRequests): Promise<void> {
  return signed.handle(exchange, 'sign')
}
