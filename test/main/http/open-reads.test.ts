/** Reads without a token at the edge: admission, rate, what reaches compute, and how answers leave (PUBLIC-4 to PUBLIC-6). */
import { afterEach, describe, expect, it } from 'vitest'

import { parseTrustedProxies } from '../../../src/main/config/proxies.ts'
import {
  openStandInNode,
  type StandInNode,
  type StandInOptions,
  talk,
} from '../../_util/stand-in-node.ts'

let node: StandInNode | undefined

async function open(options: StandInOptions = {}): Promise<StandInNode> {
  node = await openStandInNode(options)
  return node
}

afterEach(async () => {
  const { faults = [] } = node ?? {}
  await node?.close()
  node = undefined
  if (faults.length > 0) throw new Error(`the node met a fault of its own: ${String(faults[0])}`)
})

/** The stand-in worker does what the ticket says. */
const ticketUrl = ({ url }: StandInNode, words: string): string =>
  `${url}/signed/kv/${encodeURIComponent(words)}`

describe('a signed URL at the edge', () => {
  it('takes its conditions and its range to compute, and no other header', async () => {
    const response = await fetch(ticketUrl(await open(), 'headers'), {
      headers: {
        range: 'bytes=0-1',
        'if-range': '"x"',
        'if-none-match': '"y"',
        authorization: 'secret',
        cookie: 'secret',
        'x-forwarded-for': '198.51.100.1',
      },
    })
    const headers = await response.text()
    expect(Object.fromEntries(JSON.parse(headers))).toEqual({
      range: 'bytes=0-1',
      'if-range': '"x"',
      'if-none-match': '"y"',
    })
  })

  it('is refused before any work when the budget is spent (HTTP-3)', async () => {
    const full = await open({ limits: { bytesMax: 1000 } })
    const response = await fetch(ticketUrl(full, 'echo'))
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(full.admission.load.operations).toBe(0)
  })

  it('leaves its place in the budget, whatever comes of it', async () => {
    const one = await open()
    for (const [words, status] of [
      ['echo', 200],
      ['answer 200000', 200],
      ['download 250000', 200],
      ['listing 3', 200],
      ['fail KEY_ABSENT', 404],
      ['throw', 500],
    ] as const) {
      const response = await fetch(ticketUrl(one, words))
      await response.arrayBuffer()
      expect([words, response.status]).toEqual([words, status])
    }
    expect(one.admission.load).toEqual({ operations: 0, bytes: 0, streams: 0 })
    expect(one.admission.holderCount).toBe(0)
  })

  it('is told when its worker dies, and the next one is answered', async () => {
    const one = await open()
    expect((await fetch(ticketUrl(one, 'die'))).status).toBe(503)
    expect((await fetch(ticketUrl(one, 'echo'))).status).toBe(200)
  })

  it('gives way while the node is going down', async () => {
    const one = await open()
    one.setStopping()
    const response = await fetch(ticketUrl(one, 'echo'))
    expect(response.status).toBe(503)
    expect(response.headers.get('connection')).toBe('close')
  })

  it('finds no place for a large value when its client has its share of streams', async () => {
    const one = await open({ limits: { streamsMax: 2, share: 0.5 } })
    const held = talk(
      one.port,
      ['GET /signed/kv/download%20100000000 HTTP/1.1\r\nhost: x\r\n\r\n', 700],
      { untilText: 'never', timeoutMs: 1500 },
    )
    for (let wait = 0; wait < 100 && one.admission.load.streams === 0; wait++)
      await new Promise((wake) => setTimeout(wake, 10))
    expect((await fetch(ticketUrl(one, 'download 250000'))).status).toBe(503)
    expect((await fetch(ticketUrl(one, 'echo'))).status).toBe(200)
    await held
  })
})

const told = async (path: string, options: RequestInit = {}): Promise<unknown> => {
  const response = await fetch(`${node?.url}${path}`, options)
  return response.headers.get('content-type') === null ? response.json() : response.text()
}

describe('a public space at the edge', () => {
  it('is asked for by the texts of the path and the query, decoded once', async () => {
    await open()
    expect(await told('/public/a%3Ab/kv/c%252Fd//e%2Ff/')).toEqual({
      kind: 'publicKey',
      space: 'a:b',
      key: 'c%2Fd/e/f',
      isHead: false,
    })
    expect(await told('/public/a/kv?prefix=c%252Fd')).toEqual({
      kind: 'publicList',
      space: 'a',
      prefix: 'c%2Fd',
      isHead: false,
    })
    expect(await told('/public/a/kv/?x=1')).toEqual({
      kind: 'publicList',
      space: 'a',
      prefix: '',
      isHead: false,
    })
    expect(await told('/public/a/kv?prefix=%FF')).toBe('Invalid prefix')
  })

  it('counts every client by itself behind a proxy of ours (PUBLIC-4, PUBLIC-5)', async () => {
    const one = await open({
      rate: { perMinute: 1, burst: 1 },
      trustedProxies: parseTrustedProxies('127.0.0.0/8'),
    })
    const statusFor = async (client: string): Promise<number> => {
      const headers = { 'x-forwarded-for': client }
      return (await fetch(`${one.url}/public/a/kv`, { headers })).status
    }
    expect([await statusFor('198.51.100.1'), await statusFor('198.51.100.1')]).toEqual([200, 429])
    expect([await statusFor('198.51.100.2'), await statusFor('198.51.100.2')]).toEqual([200, 429])
    expect(await statusFor('2001:db8:1:2::1')).toBe(200)
    expect(await statusFor('2001:db8:1:2::2')).toBe(429)
    expect((await fetch(ticketUrl(one, 'echo'))).status).toBe(200)
  })

  it('is refused over the rate without a place in the budget (PUBLIC-4)', async () => {
    const one = await open({ rate: { perMinute: 1, burst: 0 }, limits: { bytesMax: 1000 } })
    expect((await fetch(`${one.url}/public/a/kv`)).status).toBe(503)
    const response = await fetch(`${one.url}/public/a/kv`)
    expect([response.status, await response.text()]).toEqual([429, 'Rate limit exceeded'])
    expect(response.headers.get('retry-after')).toBe('60')
    expect(one.admission.refusedCount).toBe(1)
  })

  it('is open to all pages, whether or not the node is (PUBLIC-6)', async () => {
    const one = await open({ cors: false })
    const headers = { origin: 'https://app.example' }
    const [shared, closed] = [
      await fetch(`${one.url}/public/a/kv`, { headers }),
      await fetch(ticketUrl(one, 'echo'), { headers }),
    ]
    expect(shared.headers.get('access-control-allow-origin')).toBe('*')
    expect(shared.headers.has('access-control-allow-credentials')).toBe(false)
    expect(closed.headers.has('access-control-allow-origin')).toBe(false)
  })
})
