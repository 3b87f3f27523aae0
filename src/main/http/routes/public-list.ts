/**
 * GET /public/‹space›/kv · in: no token; `?prefix=` · out: 200, a JSON array of keys in byte order · errors: 400, 403, 429
 * (reference-behaviour §6.5)
 */
import { type Exchange } from '../exchange.ts'
import { type OpenReads } from '../open-reads.ts'
import { readParameter, readSegments } from '../path-segments.ts'

export const answerPublicList = (exchange: Exchange, reads: OpenReads): Promise<void> =>
  reads.handlePublic(exchange, (url) => {
    const [, space = ''] = readSegments(url)
    return { kind: 'publicList', space, prefix: readParameter(url, 'prefix') ?? '' }
  })
