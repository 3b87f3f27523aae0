/** Hosting behind an allowlist, on a running node: HOST-4. */
import { type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { urlOfSpace } from '../../src/main/network/allowlist.ts'
import { answerWith, type AskedHost, openAskedHost } from '../_util/asked-host.ts'
import {
  assertOk,
  type Connections,
  type Holder,
  issueHosting,
  issueSession,
  kv,
  newWallet,
  openConnections,
  postDelegation,
  type Reply,
} from '../_util/client.ts'
import { present } from '../_util/narrow.ts'
import {
  createDirectory,
  type NodeProcess,
  removeDirectory,
  startNodeProcess,
} from '../_util/node-process.ts'

/** Questions to the list that are under way for one client at most. */
const OWN_FLIGHTS_MAX = 16

let list: AskedHost
let directory: string
let node: NodeProcess
let connections: Connections
/** Ids that the list knows. */
const allowed = new Set<string>()

beforeAll(async () => {
  list = await openAskedHost(answerWith(404))
  directory = await createDirectory('allowlist')
  node = await startNodeProcess({
    directory,
    environment: { TINYCLOUD_SPACES_ALLOWLIST: `${list.url}/spaces` },
  })
  connections = openConnections(node.url, 16)
})
afterAll(async () => {
  await connections.close()
  const { code } = await node.stop()
  if (code !== 0) throw new Error(`the node ended with ${code}:\n${node.output()}`)
  await list.close()
  await removeDirectory(directory)
})
beforeEach(() => {
  list.paths.length = 0
  list.reaction = (request, response, body) => {
    const space = [...allowed].find((id) => pathOf(id) === request.url)
    answerWith(space === undefined ? 404 : 200, space)(request, response, body)
  }
})

const pathOf = (space: string): string => urlOfSpace(new URL(`${list.url}/spaces`), space).pathname

/** A key with all rights on the values of a space that is on the list. */
async function openHolder(): Promise<Holder> {
  const wallet = newWallet()
  const space = wallet.spaceId('default')
  allowed.add(space)
  assertOk(
    await postDelegation(connections, await issueHosting(connections, wallet, space)),
    'host',
  )
  const { key, token } = issueSession(wallet, space)
  assertOk(await postDelegation(connections, token), 'session')
  return { space, key, ...token }
}

const json = (reply: Reply): unknown => JSON.parse(reply.text())

describe('a space that is not hosted', () => {
  it('is hosted if the list knows it', async () => {
    const wallet = newWallet()
    const space = wallet.spaceId('default')
    allowed.add(space)
    const hosting = await issueHosting(connections, wallet, space)
    const reply = assertOk(await postDelegation(connections, hosting), 'host')
    expect(json(reply)).toEqual({ cid: hosting.cid, activated: [space], skipped: [] })
    expect(list.paths).toEqual([pathOf(space)])
    const { key, token } = issueSession(wallet, space)
    assertOk(await postDelegation(connections, token), 'session')
    const put = await kv(connections, { space, key, ...token }, 'put', 'a', { body: 'value' })
    expect(put.status).toBe(200)
  })

  it('is skipped if the list does not know it; the delegation is stored', async () => {
    const wallet = newWallet()
    const space = wallet.spaceId('default')
    const hosting = await issueHosting(connections, wallet, space)
    const reply = assertOk(await postDelegation(connections, hosting), 'host')
    expect(json(reply)).toEqual({ cid: hosting.cid, activated: [], skipped: [space] })
    const { key, token } = issueSession(wallet, space)
    assertOk(await postDelegation(connections, token), 'session')
    const put = await kv(connections, { space, key, ...token }, 'put', 'a', { body: 'value' })
    expect([put.status, put.text()]).toEqual([404, 'Space not found'])
  })

  it.each([
    ['breaks', answerWith(500)],
    ['closes the connection', (_request, response) => response.destroy()],
    ['sends elsewhere', answerWith(307, '', { location: '/elsewhere' })],
    ['says yes to another space', answerWith(200, newWallet().spaceId('default'))],
  ] satisfies [string, AskedHost['reaction']][])(
    'is skipped if the list %s',
    async (_, reaction) => {
      list.reaction = reaction
      const wallet = newWallet()
      const space = wallet.spaceId('default')
      const hosting = await issueHosting(connections, wallet, space)
      const reply = assertOk(await postDelegation(connections, hosting), 'host')
      expect(json(reply)).toMatchObject({ activated: [], skipped: [space] })
      expect(list.paths).toEqual([pathOf(space)])
    },
  )

  it('is skipped for ever by the same token: what is stored is not looked at again (CHAIN-9)', async () => {
    const wallet = newWallet()
    const space = wallet.spaceId('default')
    const refused = await issueHosting(connections, wallet, space)
    assertOk(await postDelegation(connections, refused), 'host')
    allowed.add(space)
    expect(json(await postDelegation(connections, refused))).toMatchObject({ skipped: [space] })
    expect(list.paths).toHaveLength(1)
  })

  it('is asked for once by many at the same time', async () => {
    const wallet = newWallet()
    const space = wallet.spaceId('default')
    allowed.add(space)
    const tokens = await Promise.all(
      Array.from({ length: 8 }, () => issueHosting(connections, wallet, space)),
    )
    const replies = await Promise.all(tokens.map((token) => postDelegation(connections, token)))
    for (const reply of replies) expect(json(reply)).toMatchObject({ activated: [space] })
    expect(list.paths).toEqual([pathOf(space)])
  })
})

describe('a list that is slow', () => {
  it('is asked 16 questions at a time for one client; what comes then is 503, and nothing is stored', async () => {
    const many = openConnections(node.url, OWN_FLIGHTS_MAX + 1)
    const held: ServerResponse[] = []
    list.reaction = (_request, response) => void held.push(response)
    const tokens = await Promise.all(
      Array.from({ length: OWN_FLIGHTS_MAX + 1 }, () => {
        const wallet = newWallet()
        return issueHosting(many, wallet, wallet.spaceId('default'))
      }),
    )
    const asked = tokens.slice(0, -1).map((token) => postDelegation(many, token))
    while (held.length < OWN_FLIGHTS_MAX) await sleep(5)
    const last = present(tokens.at(-1))
    const refused = await postDelegation(many, last)
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
    for (const response of held) response.writeHead(404).end()
    for (const reply of await Promise.all(asked))
      expect(json(reply)).toMatchObject({ activated: [] })
    allowed.clear()
    list.reaction = answerWith(404)
    list.paths.length = 0
    expect(json(await postDelegation(many, last))).toMatchObject({ activated: [] })
    // Had it been stored the first time, nobody would have been asked.
    expect(list.paths).toHaveLength(1)
    await many.close()
  })

  it('keeps nobody else waiting', async () => {
    const held: ServerResponse[] = []
    const account = await openHolder()
    list.reaction = (_request, response) => void held.push(response)
    const wallet = newWallet()
    const hosting = await issueHosting(connections, wallet, wallet.spaceId('default'))
    const slow = postDelegation(connections, hosting)
    while (held.length === 0) await sleep(5)
    for (let round = 0; round < 20; round++)
      assertOk(await kv(connections, account, 'put', `k${round}`, { body: 'x' }), 'put')
    expect(held).toHaveLength(1)
    held[0]?.writeHead(404).end()
    expect((await slow).status).toBe(200)
  })
})

describe('nothing is asked', () => {
  it('for a space that is hosted already, and the list cannot end it', async () => {
    const wallet = newWallet()
    const space = wallet.spaceId('default')
    allowed.add(space)
    assertOk(await postDelegation(connections, await issueHosting(connections, wallet, space)), 'a')
    list.paths.length = 0
    list.reaction = answerWith(404)
    const again = await issueHosting(connections, wallet, space)
    expect(json(await postDelegation(connections, again))).toMatchObject({ activated: [space] })
    expect(list.paths).toEqual([])
  })

  it('for a token that is refused, or that hosts nothing here', async () => {
    const [wallet, stranger] = [newWallet(), newWallet()]
    const space = wallet.spaceId('default')
    const { authorization } = await issueHosting(connections, wallet, space)
    const forged = authorization.replace(/.{8}$/, 'AAAAAAA=')
    expect((await postDelegation(connections, { authorization: forged })).status).toBe(401)
    const foreign = await issueHosting(connections, stranger, space)
    expect((await postDelegation(connections, foreign)).status).toBe(401)
    assertOk(await postDelegation(connections, issueSession(wallet, space).token), 'session')
    expect(list.paths).toEqual([])
  })
})
