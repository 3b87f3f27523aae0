/** OPTIONS on paths of public spaces · out: 204, with what any page may do there: read (reference-behaviour §1.2, §6.5). */
import { PUBLIC_PREFLIGHT } from '../cors.ts'
import { type Exchange } from '../exchange.ts'

export function answerPublicPreflight(exchange: Exchange): void {
  exchange.openToAll()
  exchange.send(204, PUBLIC_PREFLIGHT, new Uint8Array(0))
}
