/**
 * Sends signed requests over kept-alive connections: as fast as answers come (closed loop), or at a constant rate, where
 * latency counts from the moment at which a request was due, not from the one at which a connection was free for it
 * (no coordinated omission). Loopback only.
 */
import { isIPv4 } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { finished } from 'node:stream/promises'
import { Pool } from 'undici'
import { LoadLog, type LoadReport } from './latency.ts'

const ANSWER_TIMEOUT_MS = 30_000
/** What no connection is free for waits in the pool, up to this many requests; more would only measure memory. */
const BACKLOG_REQUESTS_MAX = 50_000

export interface LoadRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
}

/** Bodies are made on demand: a load of some seconds would not fit in memory. */
export interface LoadRequests {
  readonly length: number
  at(index: number): LoadRequest
}

export interface Loader {
  runClosedLoop(requests: LoadRequests, secondsMax: number): Promise<LoadReport>
  runConstantRate(requests: LoadRequests, ratePerS: number, seconds: number): Promise<LoadReport>
  close(): Promise<void>
}

/** @throws {Error} for an address that is not on this machine */
export function assertLoopback(url: string): void {
  const { hostname, protocol } = new URL(url)
  const isLoopback =
    hostname === '[::1]' ||
    hostname === 'localhost' ||
    (isIPv4(hostname) && hostname.startsWith('127.'))
  if (protocol !== 'http:' || !isLoopback)
    throw new Error(`load goes to loopback addresses over http only, not to ${url}`)
}

export function openLoader(url: string, connections: number): Loader {
  assertLoopback(url)
  const pool = new Pool(new URL(url).origin, {
    connections,
    pipelining: 1,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  })
  const send = async ({ path, headers, body }: LoadRequest): Promise<string> => {
    try {
      const answer = await pool.request({ path, method: 'POST', headers, body: body ?? null })
      answer.body.resume()
      await finished(answer.body)
      if (answer.statusCode === 503 && answer.headers['retry-after'] === undefined)
        return '503 without retry-after'
      return String(answer.statusCode)
    } catch (error) {
      return error instanceof Error ? nameOf(error) : 'unknown error'
    }
  }
  const sendDue = async (request: LoadRequest, dueMs: number, log: LoadLog): Promise<void> => {
    const outcome = await send(request)
    log.add(outcome, performance.now() - dueMs)
  }
  return {
    async runClosedLoop(requests, secondsMax) {
      const log = new LoadLog()
      const startedMs = performance.now()
      const deadlineMs = startedMs + secondsMax * 1000
      let next = 0
      const lane = async (): Promise<void> => {
        while (next < requests.length && performance.now() < deadlineMs) {
          const request = requests.at(next++)
          const sentMs = performance.now()
          const outcome = await send(request)
          log.add(outcome, performance.now() - sentMs)
        }
      }
      await Promise.all(Array.from({ length: connections }, lane))
      return log.report((performance.now() - startedMs) / 1000)
    },
    async runConstantRate(requests, ratePerS, seconds) {
      const log = new LoadLog()
      const startedMs = performance.now()
      const total = Math.min(requests.length, Math.floor(ratePerS * seconds))
      const waiting = new Set<Promise<void>>()
      let next = 0
      while (next < total) {
        const dueNow = Math.min(total, ((performance.now() - startedMs) / 1000) * ratePerS)
        while (next < dueNow) {
          const dueMs = startedMs + (next / ratePerS) * 1000
          if (waiting.size >= BACKLOG_REQUESTS_MAX) {
            log.add('not sent: backlog full', performance.now() - dueMs)
          } else {
            const sent = sendDue(requests.at(next), dueMs, log)
            waiting.add(sent)
            void sent.finally(() => waiting.delete(sent))
          }
          next++
        }
        await sleep(1)
      }
      await Promise.all(waiting)
      return log.report((performance.now() - startedMs) / 1000)
    },
    close: () => pool.destroy(),
  }
}

const nameOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.name
