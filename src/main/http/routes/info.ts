/** GET /version, GET /info · out: what the node is and serves (HTTP-9, reference-behaviour §1.3). */
import { jsonAnswer } from '../../../protocol/answer.ts'
import { type Exchange } from '../exchange.ts'

/** Names as clients of the protocol know them: spellings are mixed on purpose. */
export interface NodeInfo {
  readonly protocol: 1
  readonly version: string
  /** Never empty: clients take an empty list for "everything". */
  readonly features: readonly string[]
  readonly nodeId: string
  readonly inTEE: boolean
}

export function answerInfo(exchange: Exchange, info: NodeInfo): void {
  exchange.sendAnswer(jsonAnswer(info))
}
