import { createServer, type RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { summariseLatencies } from '../../bench/load/latency.ts'
import { assertLoopback, type LoadRequests, openLoader } from '../../bench/load/loader.ts'

const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

function open(url: string, connections: number): ReturnType<typeof openLoader> {
  const loader = openLoader(url, connections)
  closers.push(() => loader.close())
  return loader
}

const requests = (length: number): LoadRequests => ({
  length,
  at: () => ({ path: '/invoke', headers: {}, body: undefined }),
})

describe('the closed loop', () => {
  it('sends every request once and counts its answers', async () => {
    let taken = 0
    const url = await serve((_request, response) => {
      response.statusCode = ++taken % 4 === 0 ? 409 : 200
      response.end()
    })
    const report = await open(url, 4).runClosedLoop(requests(40), 10)
    expect(taken).toBe(40)
    expect(report.requests).toBe(40)
    expect(report.statuses).toEqual({ '200': 30, '409': 10 })
  })

  it('tells a 503 that does not say when to come back from one that does', async () => {
    let taken = 0
    const url = await serve((_request, response) => {
      if (++taken % 2 === 0) response.setHeader('retry-after', '1')
      response.statusCode = 503
      response.end()
    })
    const { statuses } = await open(url, 1).runClosedLoop(requests(4), 10)
    expect(statuses).toEqual({ '503': 2, '503 without retry-after': 2 })
  })

  it('counts broken connections by their code', async () => {
    const url = await serve((request) => request.socket.destroy())
    const { statuses } = await open(url, 1).runClosedLoop(requests(2), 10)
    expect(Object.keys(statuses)).toEqual([expect.stringMatching(/^(UND_ERR_SOCKET|ECONNRESET)$/)])
  })
})

describe('the constant rate', () => {
  it('charges a pause of the server to every request that was due in it', async () => {
    const PAUSE_MS = 300
    let firstMs: number | undefined
    const url = await serve((_request, response) => {
      firstMs ??= performance.now()
      const restMs = firstMs + PAUSE_MS - performance.now()
      if (restMs > 0) setTimeout(() => response.end(), restMs)
      else response.end()
    })
    // One connection: a closed loop would have sent one slow request and 29 fast ones.
    const { latencyMs, requests: sent } = await open(url, 1).runConstantRate(requests(30), 100, 0.3)
    expect(sent).toBe(30)
    expect(latencyMs.max).toBeGreaterThan(PAUSE_MS * 0.9)
    expect(latencyMs.p50).toBeGreaterThan(PAUSE_MS * 0.3)
  })

  it('keeps to the rate', async () => {
    const url = await serve((_request, response) => response.end())
    const { seconds, requests: sent } = await open(url, 8).runConstantRate(requests(99), 200, 0.25)
    expect(sent).toBe(50)
    expect(seconds).toBeGreaterThan(0.24)
  })
})

describe('where load goes', () => {
  it.each(['http://127.0.0.1:8000', 'http://localhost', 'http://[::1]:8000', 'http://127.9.9.9'])(
    '%s',
    (url) => expect(() => assertLoopback(url)).not.toThrow(),
  )

  it.each([
    'http://example.com',
    'http://127.0.0.1.example.com',
    'http://127.example',
    'https://127.0.0.1',
    'http://10.0.0.1',
    'http://0.0.0.0',
  ])('never %s', (url) => expect(() => assertLoopback(url)).toThrow(/loopback/))
})

describe('latencies', () => {
  it('are summarised by rank', () => {
    const latencies = Array.from({ length: 1000 }, (_, index) => 1000 - index)
    expect(summariseLatencies(latencies)).toEqual({
      p50: 501,
      p90: 901,
      p99: 991,
      p999: 1000,
      max: 1000,
    })
  })
})
