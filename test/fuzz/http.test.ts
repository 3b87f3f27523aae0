/**
 * The real node under damaged HTTP: heads, paths, tokens, options and bodies. Every request is answered or its connection
 * closed, nothing is ever the node's fault, and afterwards the node is as healthy and nearly as small as before.
 */
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  type Account,
  assertOk,
  issueKv,
  issueSession,
  issueShare,
  kv,
  openAccount,
} from '../_util/client.ts'
import { editedText } from '../_util/fuzz/edits.ts'
import { FUZZ_RUNS, FUZZ_SEED } from '../_util/fuzz/harness.ts'
import { headerLists } from '../_util/fuzz/header-texts.ts'
import { openRaw, statusOf } from '../_util/raw-http.ts'
import { useRunningNode } from '../_util/running-node.ts'

const CONNECTIONS = 16
const REQUESTS_MAX = 1_000_000
/** One request costs a connection. */
const REQUESTS: number = Math.min(Math.ceil(FUZZ_RUNS / 2), REQUESTS_MAX)
const MS_PER_REQUEST_MAX = 50
/** A service, a batch or a version of HTTP that the node does not have; and "not now". */
const HONEST_STATUSES = [501, 503, 505]
const GROWTH_BYTES_MAX = 256 * 1024 * 1024

const node = useRunningNode('fuzz-http')

interface Recipe {
  readonly method: string
  readonly target: string
  readonly token: 'put' | 'get' | 'list' | 'del' | 'metadata' | 'share' | 'session' | 'none'
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly framing: readonly string[]
  readonly body: string
  /** Changes the whole request. */
  readonly damage: (request: string) => string
}

const targets = fc.constantFrom(
  '/invoke',
  '/delegate',
  '/revoke',
  '/delegation/status',
  '/delegation/query',
  '/signed/kv',
  '/signed/kv/AAAA',
  '/public/tinycloud%3Akey%3Ax%3Apublic/kv/a',
  '/peer/generate/tinycloud%3Akey%3Ax%3Aa',
  '/healthz',
  '/info',
  '//invoke/',
  '/%2e%2e/invoke',
  '*',
)
/** The true length, or something else. */
const RIGHT = 'right'
const framings = fc.oneof(
  { weight: 4, arbitrary: fc.constant([RIGHT]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<readonly string[]>(
      [],
      ['content-length: 5'],
      ['content-length: 0'],
      ['content-length: 99'],
      ['content-length: -1'],
      ['transfer-encoding: chunked'],
      ['transfer-encoding: chunked', 'content-length: 5'],
      ['expect: 100-continue', 'content-length: 5'],
    ),
  },
)
const bodies = fc.constantFrom(
  '',
  'hello',
  '{"a":1}',
  '5\r\nhello\r\n0\r\n\r\n',
  'zz\r\n',
  '--x\r\n\r\n--x--',
)

const recipes: fc.Arbitrary<Recipe> = fc.record({
  method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'HEAD', 'PUT', 'OPTIONS', 'post', 'X'),
  target: fc.oneof({ weight: 3, arbitrary: fc.constant('/invoke') }, targets, editedText(targets)),
  token: fc.constantFrom('put', 'get', 'list', 'del', 'metadata', 'share', 'session', 'none'),
  headers: headerLists,
  framing: framings,
  body: bodies,
  damage: fc.oneof(
    { weight: 2, arbitrary: fc.constant((request: string) => request) },
    // The same edits for whatever the request turns out to be.
    fc.nat().map((seed) => (request: string) => {
      const [damaged = request] = fc.sample(editedText(fc.constant(request)), { numRuns: 1, seed })
      return damaged
    }),
  ),
})

function tokenOf(account: Account, kind: Recipe['token']): string | undefined {
  if (kind === 'none') return undefined
  if (kind === 'share') return issueShare(account, { path: 'fuzz' }).authorization
  if (kind === 'session') return issueSession(account.wallet, account.space).token.authorization
  return issueKv(account, kind, 'fuzz/a').authorization
}

function requestOf(account: Account, recipe: Recipe): Buffer {
  const token = tokenOf(account, recipe.token)
  const lines = [
    `${recipe.method} ${recipe.target} HTTP/1.1`,
    'host: x',
    'connection: close',
    ...(token === undefined ? [] : [`authorization: ${token}`]),
    ...recipe.headers.map(([name, value]) => `${name}: ${value}`),
    ...recipe.framing.map((line) =>
      line === RIGHT ? `content-length: ${recipe.body.length}` : line,
    ),
    '',
    recipe.body,
  ]
  return Buffer.from(recipe.damage(lines.join('\r\n')), 'latin1')
}

/** The status, or 0 where the connection was closed without an answer. */
async function send(bytes: Buffer): Promise<number> {
  const conversation = openRaw(node.process.url)
  conversation.socket.end(bytes)
  const received = await conversation.closed()
  conversation.end()
  return statusOf(received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ''))
}

function rssBytes(): number {
  const status = readFileSync(`/proc/${node.process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
}

it(
  'answers damaged requests, and is none the worse for it',
  async () => {
    const account = await openAccount(node.connections)
    assertOk(await kv(node.connections, account, 'put', 'canary', { body: 'alive' }), 'canary')
    const before = rssBytes()
    const statuses = new Map<number, number>()
    let sent = 0
    const lane = async (): Promise<void> => {
      while (sent < REQUESTS) {
        const seed = (FUZZ_SEED + sent++) | 0
        const [recipe] = fc.sample(recipes, { numRuns: 1, seed })
        if (!recipe) continue
        const bytes = requestOf(account, recipe)
        const status = await send(bytes)
        if (status >= 500 && !HONEST_STATUSES.includes(status))
          throw new Error(`${status} for seed ${seed}: ${JSON.stringify(bytes.toString('latin1'))}`)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, lane))

    const table = [...statuses]
      .toSorted(([a], [b]) => a - b)
      .map(([status, count]) => `${status}×${count}`)
    console.log(`fuzz http: ${sent} requests, seed ${FUZZ_SEED}: ${table.join(' ')}`)
    expect(statuses.get(200)).toBeGreaterThan(0)
    expect(statuses.get(400)).toBeGreaterThan(0)
    expect(statuses.get(401)).toBeGreaterThan(0)
    const canary = await kv(node.connections, account, 'get', 'canary')
    expect([canary.status, canary.text()]).toEqual([200, 'alive'])
    const health = await node.connections.request('/healthz?write=1', { method: 'GET' })
    expect(health.status).toBe(200)
    expect(rssBytes() - before).toBeLessThan(GROWTH_BYTES_MAX)
  },
  60_000 + REQUESTS * MS_PER_REQUEST_MAX,
)
