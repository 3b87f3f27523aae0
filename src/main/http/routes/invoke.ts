/**
 * POST /invoke · in: a signed invocation in `Authorization`, a body where the ability takes one · out: what the ability
 * answers · errors: reference-behaviour §1.7
 */
import { type Exchange } from '../exchange.ts'
import { type SignedRequests } from '../signed-requests.ts'

export function answerInvoke(exchange: Exchange, signed: SignedRequests): Promise<void> {
  return signed.handle(exchange, 'invoke')
}
