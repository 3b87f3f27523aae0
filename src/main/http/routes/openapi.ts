/** GET /openapi.json · out: the description of every route (HTTP-10). */
import { type Exchange } from '../exchange.ts'

const HEADERS = [['content-type', 'application/json']] as const

/** `document` is shared by all answers. */
export const answerOpenApi = (exchange: Exchange, document: Uint8Array): void =>
  exchange.send(200, HEADERS, document)
