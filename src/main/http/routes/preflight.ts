/** OPTIONS on any path · out: 200, empty, with the cross-origin permissions (reference-behaviour §1.2). */
import { preflightHeaders } from '../cors.ts'
import { type Exchange } from '../exchange.ts'

export function answerPreflight(exchange: Exchange, isCorsOn: boolean): void {
  const requested = exchange.request.headers['access-control-request-headers']
  const headers = isCorsOn ? preflightHeaders(requested) : []
  exchange.send(200, headers, new Uint8Array(0))
}
