/**
 * Everything that must be refused, sent to one running node: each case meets its refusal, and after all of them nothing
 * is stored, nothing has changed, and the node is as healthy and as small as before (TOKEN-2, TOKEN-8, HTTP-6). The same table is
 * the section "Bad input" of docs/protocol.md; `UPDATE_DOCS=1` writes it there.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { TOKEN_BYTES_MAX } from '../../src/protocol/limits.ts'
import { type BadCase, differenceOf, documentLines, type Stage } from '../_util/bad-input.ts'
import { BAD_DELEGATIONS } from '../_util/bad-delegations.ts'
import { BAD_HTTP } from '../_util/bad-http.ts'
import { BAD_UCAN_CLAIMS } from '../_util/bad-ucan-claims.ts'
import { BAD_UCAN_FORMS } from '../_util/bad-ucan-forms.ts'
import { BAD_WALLET_TOKENS } from '../_util/bad-wallet-tokens.ts'
import {
  type Account,
  assertOk,
  type Holder,
  invoke,
  issueInvocation,
  issueKv,
  issueSession,
  issueShare,
  kv,
  nowS,
  openAccount,
  postDelegation,
} from '../_util/client.ts'
import { membersOf, present } from '../_util/narrow.ts'
import { PROJECT_ROOT } from '../_util/paths.ts'
import { chooseSeed, createRandom, type Random } from '../_util/random.ts'
import { openRaw, sendRaw, statusOf } from '../_util/raw-http.ts'
import { useRunningNode } from '../_util/running-node.ts'

const node = useRunningNode('bad-input')

const TABLE: readonly (readonly [title: string, cases: readonly BadCase[]])[] = [
  ['Tokens of keys: form', BAD_UCAN_FORMS],
  ['Tokens of keys: content', BAD_UCAN_CLAIMS],
  ['Tokens of wallets', BAD_WALLET_TOKENS],
  ['Delegations, revocations and options', BAD_DELEGATIONS],
  ['HTTP', BAD_HTTP],
]

/** A session of the victim that may see its delegations. */
function issueSessionThatReads({ wallet, space, key }: Account): Holder {
  const token = signSessionDelegation(wallet, {
    domain: 'tests.example',
    nonce: 'nonce0000',
    issuedAtS: nowS(),
    audience: key.did,
    abilities: { [`${space}/capabilities`]: ['tinycloud.capabilities/read'] },
  })
  return { space, key, ...token }
}

/** Main thread, workers and native memory, when nothing is under way. */
const RSS_BYTES_MAX = 400 * 1024 * 1024

let stage: Stage
let before: unknown
/** CIDs of delegations of the victim that tests posted on purpose. */
const posted: string[] = []

beforeAll(async () => {
  const { connections } = node
  const victim = await openAccount(connections)
  const stranger = await openAccount(connections)
  const share = issueShare(victim, { path: 'shared' })
  assertOk(await postDelegation(connections, share), 'share')
  assertOk(await kv(connections, victim, 'put', 'kept', { body: 'kept' }), 'put')
  stage = { url: node.process.url, connections, victim, stranger, share }
  before = await stateOf()
})

/** What the accounts of the stage can see, and what is left over on disk. */
async function stateOf(): Promise<unknown> {
  const { connections, victim, stranger, share } = stage
  const list = async (holder: Holder, prefix: string): Promise<unknown> =>
    JSON.parse(assertOk(await kv(connections, holder, 'list', prefix), 'list').text())
  const files = await readdir(path.join(node.directory, 'data'), {
    recursive: true,
    withFileTypes: true,
  })
  return {
    value: (await kv(connections, victim, 'get', 'kept')).text(),
    lists: [await list(victim, ''), await list(stranger, ''), await list(share, 'shared')],
    staged: files.filter((file) => file.isFile() && /staging/.test(file.parentPath)),
  }
}

async function rssBytes(): Promise<number> {
  const status = await readFile(`/proc/${node.process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

describe.each(TABLE)('%s', (_, cases) => {
  it.each(cases.map((item) => [`${item.route}: ${item.name}`, item] as const))(
    '%s',
    async (_name, { expected, send }) => {
      expect(differenceOf(expected, await send(stage))).toBeUndefined()
    },
  )
})

describe('one character of a good token exchanged', () => {
  const MUTANTS = 1500
  const CHARACTERS = 'ABCXYZabcxyz0189-_.=+/~ '.split('')

  const mutate = (text: string, random: Random): string => {
    const at = random.below(text.length)
    const other = random.pick(CHARACTERS.filter((character) => character !== text[at]))
    return text.slice(0, at) + other + text.slice(at + 1)
  }

  /** The statuses that mutants of a token meet, by the seed of the run. */
  async function statusesOf(
    route: string,
    good: string,
    seed: number,
  ): Promise<{ readonly seed: number; readonly statuses: readonly number[] }> {
    const random = createRandom(seed)
    const statuses = new Set<number>()
    for (let sent = 0; sent < MUTANTS; sent += 100) {
      const mutants = Array.from({ length: 100 }, () => mutate(good, random))
      const replies = await Promise.all(
        mutants.map((authorization) =>
          stage.connections.request(route, { authorization, body: 'stored' }),
        ),
      )
      for (const { status } of replies) statuses.add(status)
    }
    return { seed, statuses: [...statuses] }
  }

  it('is refused in an invocation, wherever it is', async () => {
    const seed = chooseSeed()
    const { authorization } = issueKv(stage.victim, 'put', 'bad/mutant')
    const outcome = await statusesOf('/invoke', authorization, seed)
    expect(outcome).toEqual({ seed, statuses: [401] })
  })

  it('is refused in a session, unless it spells the same statement', async () => {
    const seed = chooseSeed()
    const { token } = issueSession(stage.victim.wallet, stage.victim.space)
    assertOk(await postDelegation(stage.connections, token), 'session')
    posted.push(token.cid)
    // The letters of an address may be of either case. What is accepted has to be another name of the same delegation,
    // or it appears below.
    const { statuses } = await statusesOf('/delegate', token.authorization, seed)
    expect([seed, statuses.filter((status) => status !== 200)]).toEqual([seed, [401]])
  })
})

describe('bad requests beside good ones', () => {
  it('do not touch the good ones', async () => {
    const { connections, victim } = stage
    const spoiled = (index: number): string => {
      const { authorization } = issueKv(victim, 'put', 'bad/beside')
      return authorization.slice(0, authorization.length - (index % 300) - 1)
    }
    const all = Array.from({ length: 400 }, (_, index) =>
      index % 8 === 0
        ? kv(connections, victim, 'get', 'kept')
        : connections.request('/invoke', { authorization: spoiled(index), body: 'stored' }),
    )
    const replies = await Promise.all(all)
    const good = replies.filter((_, index) => index % 8 === 0)
    expect(new Set(good.map((reply) => reply.text()))).toEqual(new Set(['kept']))
    const bad = replies.filter((_, index) => index % 8 !== 0)
    expect(new Set(bad.map(({ status }) => status))).toEqual(new Set([401]))
  })

  it('of the greatest size, many at once, are refused and forgotten', async () => {
    const authorization = '.'.repeat(TOKEN_BYTES_MAX)
    const replies = await Promise.all(
      Array.from({ length: 256 }, () => stage.connections.request('/invoke', { authorization })),
    )
    for (const { status } of replies) expect([401, 503]).toContain(status)
    expect(replies.some(({ status }) => status === 401)).toBe(true)
  })
})

describe('slow and broken connections', () => {
  /** The node gives a head 30 s, and looks at its connections every 5; the rest is for a slow machine. */
  const HEAD_LIMIT_MS = 60_000

  it('are refused or closed, and delay nobody', async () => {
    const { url } = stage
    const starts = ['', 'POST /invoke HT', 'POST /invoke HTTP/1.1\r\nhost: x\r\nx-a: ']
    const slow = Array.from({ length: 150 }, (_, index) => {
      const conversation = openRaw(url, HEAD_LIMIT_MS)
      conversation.socket.write(starts[index % starts.length] ?? '')
      return conversation
    })
    const drip = setInterval(() => {
      for (const [index, { socket }] of slow.entries())
        if (index % starts.length === 2 && socket.writable) socket.write('a')
    }, 1000)
    const startedMs = performance.now()
    for (let round = 0; round < 20; round++)
      assertOk(await kv(stage.connections, stage.victim, 'get', 'kept'), 'get')
    expect(performance.now() - startedMs).toBeLessThan(5000)
    const ends = await Promise.all(slow.map((conversation) => conversation.closed()))
    clearInterval(drip)
    expect(new Set(ends.map(statusOf))).toEqual(new Set([408]))
    expect(performance.now() - startedMs).toBeGreaterThan(25_000)
  })

  it('with bodies that never come hold up nobody, and leave nothing', async () => {
    const { url, victim, connections } = stage
    const lengths = ['content-length: 100', 'content-length: 900000', 'transfer-encoding: chunked']
    const slow = Array.from({ length: 60 }, (_, index) => {
      const { authorization } = issueKv(victim, 'put', `bad/slow/${index}`)
      const conversation = openRaw(url)
      conversation.socket.write(
        `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n${lengths[index % 3]}\r\n\r\n`,
      )
      conversation.socket.write(index % 3 === 2 ? '5\r\nhel' : 'hel')
      return conversation
    })
    const startedMs = performance.now()
    for (let round = 0; round < 20; round++)
      assertOk(await kv(connections, victim, 'get', 'kept'), 'get')
    expect(performance.now() - startedMs).toBeLessThan(5000)
    for (const conversation of slow) conversation.end()
  })

  it('that end in the middle of a head get no answer', async () => {
    const conversation = openRaw(stage.url)
    conversation.socket.end('POST /invoke HTTP/1.1\r\nhost: ')
    expect([0, 400]).toContain(statusOf(await conversation.closed()))
  })

  it('that are closed on one side after the request still get their answer', async () => {
    const conversation = openRaw(stage.url)
    conversation.socket.end('GET /version HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(await conversation.closed()).toContain('"protocol":1')
  })

  it('of HTTP/1.0 are answered and closed', async () => {
    const conversation = openRaw(stage.url)
    conversation.socket.write('GET /version HTTP/1.0\r\n\r\n')
    const received = await conversation.closed()
    expect(statusOf(received)).toBe(200)
    expect(received).toContain('"protocol":1')
  })

  it('that bring requests ahead of their answers get them in order', async () => {
    const conversation = openRaw(stage.url)
    const paths = ['/version', '/nowhere', '/healthz', '/version']
    conversation.socket.write(
      paths.map((target) => `GET ${target} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''),
    )
    const received = (await conversation.until('HTTP/1.1 ', paths.length)) ?? ''
    conversation.end()
    const statuses = [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)
    expect(statuses).toEqual(['200', '404', '200', '200'])
  })

  it('with all kinds of garbage at once do no harm', async () => {
    const { url } = stage
    const garbage = [
      Buffer.alloc(100_000, 0x00),
      Buffer.alloc(100_000, 0xff),
      Buffer.from('\r\n'.repeat(50_000)),
      Buffer.from(`POST /invoke HTTP/1.1\r\n${'a: b\r\n'.repeat(50_000)}\r\n`),
      Buffer.from('GET /nowhere HTTP/1.1\r\n\r\n'.repeat(200)),
    ]
    const all = Array.from({ length: 50 }, (_, index) => {
      const conversation = openRaw(url)
      conversation.socket.end(present(garbage[index % garbage.length]))
      return conversation.closed()
    })
    for (const received of await Promise.all(all))
      expect([0, 400, 404, 431]).toContain(statusOf(received))
    expect(statusOf(await sendRaw(url, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'))).toBe(200)
  })
})

describe('after all of it', () => {
  it('nothing is stored and nothing has changed', async () => {
    expect(await stateOf()).toEqual(before)
  })

  it('every delegation that was in force is, and no other', async () => {
    const { connections, victim, share } = stage
    const session = issueSessionThatReads(victim)
    assertOk(await postDelegation(connections, session), 'session')
    const token = issueInvocation(session, {
      [`${victim.space}/capabilities/all`]: ['tinycloud.capabilities/read'],
    })
    const map = membersOf(JSON.parse(assertOk(await invoke(connections, token), 'read').text()))
    expect(Object.keys(map).toSorted()).toEqual(
      [victim.hosting.cid, victim.cid, share.cid, session.cid, ...posted].toSorted(),
    )
  })

  it('the node is healthy and small', async () => {
    const reply = await node.connections.request('/healthz?write=1', { method: 'GET' })
    expect(reply.status).toBe(200)
    expect(await rssBytes()).toBeLessThan(RSS_BYTES_MAX)
    expect(node.process.output()).not.toMatch(/fault|Error:/i)
  })
})

describe('docs/protocol.md', () => {
  const DOCUMENT = path.join(PROJECT_ROOT, 'docs/protocol.md')
  const [BEGIN, END] = ['<!-- bad input: begin -->', '<!-- bad input: end -->']

  it('names each case once', () => {
    const names = TABLE.flatMap(([, cases]) => cases.map(({ name, route }) => `${route} ${name}`))
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it('holds this table (`UPDATE_DOCS=1` writes it)', async () => {
    const section = TABLE.flatMap(([title, cases]) => [
      `### ${title}`,
      '',
      '| case | sent to | status | answer |',
      '| --- | --- | --- | --- |',
      ...documentLines(cases),
      '',
    ])
    const text = await readFile(DOCUMENT, 'utf8')
    const [start, end] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)]
    expect(end).toBeGreaterThan(start)
    const written = `${text.slice(0, start)}\n\n${section.join('\n')}\n${text.slice(end)}`
    if (process.env['UPDATE_DOCS'] === '1') await writeFile(DOCUMENT, written)
    expect(await readFile(DOCUMENT, 'utf8')).toBe(written)
  })
})
