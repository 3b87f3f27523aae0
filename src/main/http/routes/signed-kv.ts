/**
 * GET, HEAD /signed/kv/‹ticket› · in: no token; `Range`, `If-Range`, `If-None-Match` · out: the value, 200, 206 or 304 ·
 * errors: 401, 404, 412, 416 (reference-behaviour §6.6)
 */
import { type Exchange } from '../exchange.ts'
import { type OpenReads } from '../open-reads.ts'
import { readSegments } from '../path-segments.ts'

export const answerSignedKv = (exchange: Exchange, reads: OpenReads): Promise<void> =>
  reads.handleSigned(exchange, (url) => {
    const [, , ticket = ''] = readSegments(url)
    return { kind: 'ticket', ticket }
  })
