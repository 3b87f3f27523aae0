/** Hosting behind an allowlist, on a running node: HOST-4. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { urlOfSpace } from '../../src/main/network/allowlist.ts'
import { answerWith, type AskedHost, openAskedHost } from '../_util/asked-host.ts'
import {
  assertOk,
  type Connections,
  issueHosting,
  issueSession,
  kv,
  newWallet,
  openConnections,
  postDelegation,
  type Reply,
} from '../_util/client.ts'
import {
  createDirectory,
  type NodeProcess,
  removeDirectory,
  startNodeProcess,
} from '../_util/node-process.ts'

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
