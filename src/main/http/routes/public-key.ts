/**
 * GET, HEAD /public/‹space›/kv/‹key› · in: no token; the segments decoded once, empty ones dropped · out: the value, 200, 206
 * or 304, for any page and any cache · errors: 400, 403, 404, 416, 429 (reference-behaviour §6.5)
 */
import { type Exchange } from '../exchange.ts'
import { type OpenReads } from '../open-reads.ts'
import { readSegments } from '../path-segments.ts'

export const answerPublicKey = (exchange: Exchange, reads: OpenReads): Promise<void> =>
  reads.handlePublic(exchange, (url) => {
    const [, space = '', , ...key] = readSegments(url)
    return { kind: 'publicKey', space, key: key.join('/') }
  })
