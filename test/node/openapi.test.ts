/**
 * Whether a running node answers as `/openapi.json` says (HTTP-10): every route is driven to each of its answers, and every
 * answer is looked up in the document.
 */
import Database from 'better-sqlite3'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Grants } from '../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { SIGNED_URLS_PER_SPACE_MAX } from '../../src/protocol/limits.ts'
import {
  type Account,
  assertOk,
  type Connections,
  type Holder,
  issueInvocation,
  issueKv,
  issueShare,
  KV_ABILITIES,
  kvResource,
  newKey,
  newNonce,
  nowS,
  openAccount,
  postDelegation,
  type Reply,
  type RequestOptions,
  revokeByKey,
} from '../_util/client.ts'
import { DescribedNode, type Method, METHODS, type Operation } from '../_util/described-node.ts'
import { FORM_TYPE, formatForm, partOf } from '../_util/multipart.ts'
import { membersOf } from '../_util/narrow.ts'
import { issueQuestion } from '../_util/questions.ts'
import { useRunningNode } from '../_util/running-node.ts'
import { issueSigning, openUrl, readSignedUrl } from '../_util/signed-urls.ts'
import { databaseOf } from '../_util/stored-node.ts'

const node = useRunningNode('openapi', {
  environment: { TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_BURST: '1000' },
})
const narrow = useRunningNode('openapi-narrow', {
  environment: {
    TINYCLOUD_STORAGE_HISTORY_LIMIT: '6 KiB',
    TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_PER_MINUTE: '1',
    TINYCLOUD_PUBLIC_SPACES__RATE_LIMIT_BURST: '1',
  },
})

const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = { 'content-type': 'application/json' }
const ETAG = `"blake3-${'0'.repeat(64)}"`
const LIST = ['tinycloud.delegation/list']
const STATUS = ['tinycloud.delegation/status']
const READ = ['tinycloud.capabilities/read']

/** Answers that need a fault or a full machine. */
const UNPROVOKED = /^(?!options).* (408|500|503|507)$|^options .* 500$/

let described: DescribedNode
let account: Account
let inPublic: Account

/** A session of the account with every right that the tests use. */
async function openSession({ wallet, space }: Account): Promise<Holder> {
  const key = newKey()
  const token = signSessionDelegation(wallet, {
    domain: 'tests.example',
    nonce: newNonce().replaceAll(/[^a-z0-9]/g, ''),
    issuedAtS: nowS(),
    expiresAtS: nowS() + 7200,
    audience: key.didUrl,
    abilities: {
      [kvResource(space)]: KV_ABILITIES,
      [`${space}/capabilities`]: READ,
      [`${space}/delegation`]: [...LIST, ...STATUS],
      [`${space}/sql`]: ['tinycloud.sql/read'],
    },
  })
  assertOk(await postDelegation(node.connections, token), 'session')
  return { ...token, key, space }
}

async function openDescription(): Promise<DescribedNode> {
  const reply = await node.connections.request('/openapi.json', { method: 'GET' })
  return new DescribedNode(membersOf(JSON.parse(reply.text())))
}

beforeAll(async () => {
  described = await openDescription()
  account = await openAccount(node.connections)
  account = { ...account, ...(await openSession(account)) }
  inPublic = await openAccount(node.connections, 'public')
})

interface Ask extends Omit<RequestOptions, 'method'> {
  readonly path?: string
  readonly title?: string
  readonly at?: Connections
}

/** Sends a request to an operation, and finds the answer in the document. */
async function ask(
  method: Method,
  pattern: string,
  { path = pattern, title, at = node.connections, ...options }: Ask = {},
): Promise<Reply> {
  const reply = await at.request(path, { ...options, method: METHODS[method] })
  return described.check({ method, pattern }, reply, title)
}

const run = async (
  grants: Grants,
  options: Ask & { readonly facts?: unknown[]; readonly lifetimeS?: number } = {},
): Promise<Reply> => {
  const { facts, lifetimeS, ...rest } = options
  const issuing = { ...(facts && { facts }), ...(lifetimeS !== undefined && { lifetimeS }) }
  const { authorization } = issueInvocation(account, grants, issuing)
  return ask('post', '/invoke', { authorization, ...rest })
}

const kv = (action: string, key: string, options: Ask = {}): Promise<Reply> =>
  run({ [kvResource(account.space, key)]: [`tinycloud.kv/${action}`] }, options)

/** The token of a question about nothing. */
const issueAnyQuestion = (): string =>
  issueQuestion({ key: account.key, grants: { 'urn:cid:x': STATUS }, proofs: [account.cid] })

const statusOf = async (reply: Promise<Reply>): Promise<number> => (await reply).status

describe('routes about the node (HTTP-10)', () => {
  it.each(['/healthz', '/health', '/version', '/info', '/openapi.json'])('%s', async (path) => {
    for (const method of ['get', 'head', 'options'] as const)
      expect(await statusOf(ask(method, path))).toBe(200)
  })

  it('/peer/generate/{space}', async () => {
    const pattern = '/peer/generate/{space}'
    for (const method of ['get', 'head'] as const) {
      expect(
        await statusOf(ask(method, pattern, { path: `/peer/generate/${account.space}` })),
      ).toBe(200)
      expect(await statusOf(ask(method, pattern, { path: '/peer/generate/x' }))).toBe(400)
    }
  })

  it('/openapi.json is the document for web apps too, with its length (HTTP-2)', async () => {
    const headers = { origin: 'https://app.example' }
    const reply = await ask('get', '/openapi.json', { headers })
    expect(reply.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(reply.bytes.length),
      'access-control-allow-origin': headers.origin,
    })
  })
})

/** A path of the pattern. */
const fill = (pattern: string, part: string): string => pattern.replaceAll(/\{\w+\}/g, part)

/** The statuses of one request to each of the operations. */
async function statusesOf(
  operations: readonly Operation[],
  part: string,
  options: Ask = {},
): Promise<number[]> {
  const statuses = new Set<number>()
  for (const { method, pattern } of operations)
    statuses.add(await statusOf(ask(method, pattern, { path: fill(pattern, part), ...options })))
  return [...statuses].toSorted((one, other) => one - other)
}

describe('every operation (HTTP-10)', () => {
  it('refuses a head with too many fields', async () => {
    const headers = Object.fromEntries(
      Array.from({ length: 101 }, (_, index) => [`x-field-${index}`, 'x']),
    )
    expect(await statusesOf(described.operations, 'x', { headers })).toEqual([431])
  })

  it('refuses a path with an escape that is none', async () => {
    const operations = described.operations.filter(({ pattern }) => pattern.includes('{'))
    expect(await statusesOf(operations, '%zz')).toEqual([400])
  })

  it('answers OPTIONS', async () => {
    const operations = described.operations.filter(({ method }) => method === 'options')
    expect(await statusesOf(operations, 'x')).toEqual([200, 204])
  })

  it('that takes a token refuses without, in the words that are preferred', async () => {
    const operations = described.operations.filter(({ method }) => method === 'post')
    for (const accept of ['application/json', 'text/html'])
      for (const token of [{}, { authorization: 'x' }]) {
        const headers = { ...JSON_TYPE, accept }
        expect(await statusesOf(operations, '', { headers, body: '{}', ...token })).toEqual([401])
      }
  })
})

describe('/delegate and /revoke (HTTP-10)', () => {
  it('store, refuse and end delegations', async () => {
    const share = issueShare(account, { path: 'a' })
    expect(await statusOf(ask('post', '/delegate', share))).toBe(200)
    const stranger = { ...account, space: inPublic.space }
    expect(await statusOf(ask('post', '/delegate', issueShare(stranger)))).toBe(401)
    const check = async (holder: Holder): Promise<number> => {
      const reply = await revokeByKey(node.connections, holder, share.cid)
      return described.check({ method: 'post', pattern: '/revoke' }, reply).status
    }
    expect(await check({ ...share, key: newKey() })).toBe(403)
    expect(await check(account)).toBe(200)
  })
})

describe('/delegation/status (HTTP-10)', () => {
  const pattern = '/delegation/status'
  const about = (cid: string, body: unknown = { cid }, key = account.key): Promise<Reply> => {
    const authorization = issueQuestion({ key, grants: { [`urn:cid:${cid}`]: STATUS } })
    return ask('post', pattern, { authorization, headers: JSON_TYPE, body: JSON.stringify(body) })
  }

  it('tells the state, and nothing to strangers', async () => {
    expect(await statusOf(about(account.cid))).toBe(200)
    expect(await statusOf(about(account.cid, undefined, newKey()))).toBe(404)
    expect(await statusOf(about('x'))).toBe(400)
    expect(await statusOf(about(account.cid, { cid: 'x' }))).toBe(403)
  })

  it('takes exactly the bodies that the document allows', async () => {
    const cid = account.cid
    const bodies = [{ cid }, { cid, x: 1 }, {}, { cid: 5 }, { cid: null }, { cid: [cid] }, 'x', 5]
    for (const body of bodies) {
      const isTaken = (await about(cid, body)).status !== 422
      expect([body, isTaken]).toEqual([
        body,
        described.allowsBody({ method: 'post', pattern }, body),
      ])
    }
  })
})

describe('/delegation/query (HTTP-10)', () => {
  const pattern = '/delegation/query'
  const query = (body: unknown, space = account.space): Promise<Reply> => {
    const grants = { [`${space}/delegation/`]: LIST }
    const authorization = issueQuestion({ key: account.key, grants, proofs: [account.cid] })
    return ask('post', pattern, { authorization, headers: JSON_TYPE, body: JSON.stringify(body) })
  }

  it('pages through what was granted, revoked ones too', async () => {
    const page = membersOf(JSON.parse((await query({ limit: 1 })).text()))
    expect(page['nextCursor']).toEqual(expect.any(String))
    expect(await statusOf(query({ cursor: page['nextCursor'] }))).toBe(200)
    const revoked = await query({ status: 'revoked' })
    expect(revoked.text()).toContain('revokedBy')
    expect(await statusOf(query({}, inPublic.space))).toBe(403)
  })

  it('takes exactly the bodies that the document allows', async () => {
    const nothing = { direction: null, status: null, space: null, limit: null, cursor: null }
    const good = [{}, nothing, { direction: 'all' }, { status: 'pending' }, { space: 'default' }]
    const limits = [1, 100, 0, 101, -1, 1.5, '10', true, [], 1e300].map((limit) => ({ limit }))
    const names = ['', 'sideways', 5, []].flatMap((name) => [{ direction: name }, { status: name }])
    const others = [{ space: '' }, { space: 5 }, { cursor: 5 }, { extra: 1 }, 'x', 5, true]
    for (const body of [...good, ...limits, ...names, ...others]) {
      const { status } = await query(body)
      const isAllowed = described.allowsBody({ method: 'post', pattern }, body)
      expect([body, status === 200]).toEqual([body, isAllowed])
    }
  })
})

describe('bodies of JSON (HTTP-10)', () => {
  it('are of one type, of a length that is taken, and JSON', async () => {
    for (const pattern of ['/delegation/status', '/delegation/query', '/signed/kv']) {
      const send = (body: string, headers: Record<string, string> = JSON_TYPE): Promise<number> =>
        statusOf(ask('post', pattern, { authorization: issueAnyQuestion(), headers, body }))
      expect(await send('{}', { 'content-type': 'text/plain' })).toBe(404)
      expect(await send('x'.repeat(1024 * 1024 + 1))).toBe(413)
      expect(await send('{')).toBe(400)
      expect(await send('5')).toBe(422)
    }
  })
})

/** One ability on two keys. */
const both = (action: string): Grants => ({
  [kvResource(account.space, 'a')]: [`tinycloud.kv/${action}`],
  [kvResource(account.space, 'b')]: [`tinycloud.kv/${action}`],
})

describe('/invoke (HTTP-10)', () => {
  it('puts, gets and deletes one value', async () => {
    expect(await statusOf(kv('get', 'a'))).toBe(404)
    expect(await statusOf(kv('put', 'a', { body: 'one', headers: JSON_TYPE }))).toBe(200)
    expect(await statusOf(kv('metadata', 'a'))).toBe(200)
    expect(await statusOf(kv('put', 'a', { body: '"one"', headers: JSON_TYPE }))).toBe(200)
    const whole = await kv('get', 'a')
    expect(whole.text()).toBe('"one"')
    const etag = String(whole.headers['etag'])
    expect(await statusOf(kv('get', 'a', { headers: { 'if-none-match': etag } }))).toBe(304)
    expect(await statusOf(kv('get', 'a', { headers: { range: 'bytes=0-0' } }))).toBe(206)
    expect(await statusOf(kv('get', 'a', { headers: { range: 'bytes=99-' } }))).toBe(416)
    const narrowed = { 'x-tinycloud-max-response-bytes': '1' }
    expect(await statusOf(kv('get', 'a', { headers: narrowed }))).toBe(413)
    expect(await statusOf(kv('del', 'a', { headers: { 'if-match': ETAG } }))).toBe(412)
    expect(await statusOf(kv('del', 'never'))).toBe(404)
    expect(await statusOf(kv('del', 'a'))).toBe(200)
  })

  it('answers documents of their own for several keys, lists and rights', async () => {
    const body = formatForm([partOf('a', 'one'), partOf('b', 'two')])
    const headers = { 'content-type': FORM_TYPE }
    const title = 'kv/put of several keys'
    expect(await statusOf(run(both('put'), { body, headers, title }))).toBe(200)
    const read = 'kv/get or kv/metadata of several keys'
    for (const action of ['get', 'metadata'])
      expect(await statusOf(run(both(action), { title: read }))).toBe(200)
    await kv('del', 'b')
    expect((await run(both('get'), { title: read })).text()).toContain('KV_NOT_FOUND')
    const page = { 'x-tinycloud-limit': '1' }
    expect(await statusOf(kv('list', '', { title: 'kv/list', headers: page }))).toBe(200)
    const rights = { [`${account.space}/capabilities/all`]: READ }
    expect(await statusOf(run(rights, { title: 'capabilities/read' }))).toBe(200)
    const facts = [{ capabilitiesReadParams: { type: 'chain', delegation_cid: account.cid } }]
    const chain = 'capabilities/read of one chain'
    expect((await run(rights, { title: chain, facts })).text()).toContain('"raw"')
  })

  it('refuses', async () => {
    expect(await statusOf(kv('get', 'a', { headers: { 'if-match': ETAG } }))).toBe(400)
    const put = issueKv(account, 'put', 'c')
    expect(await statusOf(ask('post', '/invoke', { ...put, body: 'x' }))).toBe(200)
    expect(await statusOf(ask('post', '/invoke', { ...put, body: 'x' }))).toBe(409)
    const sql = { [`${account.space}/sql/x`]: ['tinycloud.sql/read'] }
    expect(await statusOf(run(sql))).toBe(501)
  })
})

describe('/signed/kv (HTTP-10)', () => {
  const pattern = '/signed/kv'
  const sign = (body: unknown, path = 's'): Promise<Reply> => {
    const { authorization } = issueSigning(account, path)
    return ask('post', pattern, { authorization, headers: JSON_TYPE, body: JSON.stringify(body) })
  }

  it('makes URLs, which give the value', async () => {
    const { space } = account
    expect(await statusOf(sign({ space, path: 's' }))).toBe(404)
    const put = await kv('put', 's', { body: 'one' })
    const etag = String(put.headers['etag'])
    const { url } = readSignedUrl(await sign({ space, path: 's' }))
    expect(await statusOf(sign({ space, path: 'other' }))).toBe(403)
    const { url: lost } = await openUrl(node.connections, account, 's')
    const read = (method: 'get' | 'head', path: string, headers = {}): Promise<number> =>
      statusOf(ask(method, '/signed/kv/{ticket}', { path, headers }))
    for (const method of ['get', 'head'] as const) {
      expect(await read(method, url)).toBe(200)
      expect(await read(method, url, { 'if-none-match': etag })).toBe(304)
      expect(await read(method, `${url}A`)).toBe(401)
    }
    expect(await read('get', url, { range: 'bytes=0-0' })).toBe(206)
    expect(await read('get', url, { range: 'bytes=99-' })).toBe(416)
    await kv('put', 's', { body: 'two' })
    for (const method of ['get', 'head'] as const) expect(await read(method, lost)).toBe(412)
    await kv('del', 's')
    for (const method of ['get', 'head'] as const) expect(await read(method, lost)).toBe(404)
  })

  it('ends at the limit of a space', async () => {
    await kv('put', 's', { body: 'one' })
    const body = { space: account.space, path: 's' }
    expect(await statusOf(sign(body))).toBe(200)
    // Ten thousand signatures would take long: the count is raised under the node's hands, and lowered again.
    const database = new Database(databaseOf(node.directory))
    const raise = database.prepare('UPDATE signed_kv_ticket_count SET tickets = tickets + ?')
    raise.run(SIGNED_URLS_PER_SPACE_MAX)
    const refused = await sign(body).finally(() => raise.run(-SIGNED_URLS_PER_SPACE_MAX))
    database.close()
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '60'])
    expect(await statusOf(sign(body))).toBe(200)
  })

  it('takes exactly the bodies that the document allows', async () => {
    await kv('put', 's', { body: 'one' })
    const named = { space: account.space, path: 's' }
    const numbers = [60, null, 1.5, '60', 2 ** 53].flatMap((seconds) => [
      { ...named, ttlSeconds: seconds },
      { ...named, ttl_seconds: seconds },
    ])
    const texts = [null, 5, []].flatMap((text) => [
      { ...named, contentHash: text },
      { ...named, content_hash: text },
      { ...named, etag: text },
    ])
    const others = [named, { ...named, extra: 1 }, { ...named, maxUses: null }, {}, { space: 5 }, 5]
    for (const body of [...numbers, ...texts, ...others, { ...named, maxUses: '1' }]) {
      const isTaken = (await sign(body)).status !== 422
      expect([body, isTaken]).toEqual([
        body,
        described.allowsBody({ method: 'post', pattern }, body),
      ])
    }
  })
})

describe('public spaces (HTTP-10)', () => {
  const list = '/public/{space}/kv'
  const value = '/public/{space}/kv/{key}'

  it('give values and lists', async () => {
    const put = issueKv(inPublic, 'put', 'a')
    const { headers: stored } = await ask('post', '/invoke', { ...put, body: 'one' })
    const path = `/public/${inPublic.space}/kv`
    const read = (
      method: 'get' | 'head',
      key: string,
      headers: Record<string, string> = {},
      space = inPublic.space,
    ): Promise<number> =>
      statusOf(ask(method, value, { path: `/public/${space}/kv/${key}`, headers }))
    for (const method of ['get', 'head'] as const) {
      expect(await read(method, 'a')).toBe(200)
      expect(await read(method, 'a', { 'if-none-match': String(stored['etag']) })).toBe(304)
      expect(await read(method, 'never')).toBe(404)
      expect(await read(method, 'a', {}, account.space)).toBe(403)
      expect(await statusOf(ask(method, list, { path }))).toBe(200)
      const hidden = `/public/${account.space}/kv`
      expect(await statusOf(ask(method, list, { path: hidden }))).toBe(403)
    }
    expect(await read('get', 'a', { range: 'bytes=0-0' })).toBe(206)
    expect(await read('get', 'a', { range: 'bytes=99-' })).toBe(416)
  })

  it('are limited for each client', async () => {
    const at = narrow.connections
    const path = `/public/${inPublic.space}/kv`
    await at.request(path, { method: 'GET' })
    for (const method of ['get', 'head'] as const) {
      expect(await statusOf(ask(method, list, { path, at }))).toBe(429)
      expect(await statusOf(ask(method, value, { path: `${path}/a`, at }))).toBe(429)
    }
  })
})

describe('a space that is full (HTTP-10)', () => {
  it('takes no value and no delegation', async () => {
    const at = narrow.connections
    const small = await openAccount(at)
    const put = async (): Promise<number> =>
      statusOf(ask('post', '/invoke', { ...issueKv(small, 'put', 'a'), body: 'x', at }))
    const share = async (): Promise<number> =>
      statusOf(ask('post', '/delegate', { ...issueShare(small), at }))
    for (const send of [put, share]) {
      const statuses = new Set<number>()
      for (let sent = 0; sent < 60 && !statuses.has(402); sent++) statuses.add(await send())
      expect(statuses).toContain(402)
    }
  })
})

describe('the comparison', () => {
  it('finds a status, a header, a type and a body that the document does not have', async () => {
    // Of its own, because what it is shown was never answered.
    const judge = await openDescription()
    const operation = { method: 'get', pattern: '/info' } as const
    const reply = await ask('get', '/info')
    const other = (changes: Partial<Reply>, text = reply.text()): Reply => ({
      ...reply,
      bytes: Buffer.from(text),
      text: () => text,
      ...changes,
    })
    const { 'tinycloud-trace-id': _, ...headers } = reply.headers
    for (const [changed, reason] of [
      [other({ status: 418 }), 'get /info 418 is not described'],
      [other({ headers }), 'get /info 200 has no tinycloud-trace-id'],
      [other({ headers: { ...reply.headers, 'content-type': 'text/csv' } }), 'of type text/csv'],
      [other({}, '{"protocol":1}'), "must have required property 'version'"],
      [
        other({}, reply.text().replace('"protocol":1', '"protocol":2')),
        'must be equal to constant',
      ],
      [other({}, reply.text().replace('{', '{"more":1,')), 'must NOT have additional properties'],
    ] as const)
      expect(() => judge.check(operation, changed)).toThrow(reason)
    const head = { method: 'head', pattern: '/info' } as const
    expect(() => judge.check(head, reply)).toThrow('head /info 200 has a body')
    const refusal = { method: 'post', pattern: '/delegation/query' } as const
    const worded = (text: string): Reply =>
      other(
        { status: 403, headers: { ...headers, 'tinycloud-trace-id': 'x', 'content-type': TEXT } },
        text,
      )
    judge.check(refusal, worded('Delegation query proof is not authorized'))
    expect(() => judge.check(refusal, worded('No'))).toThrow('must be equal to constant')
  })
})

describe('the document (HTTP-10)', () => {
  it('describes no answer that the node was not driven to', () => {
    const missing = described.described.filter((name) => !described.seen.has(name))
    expect(missing.filter((name) => !UNPROVOKED.test(name))).toEqual([])
  })
})
