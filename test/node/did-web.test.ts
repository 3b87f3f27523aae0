/** Issuers whose keys lie on the web, on a running node whose names all mean loopback: DID-3. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type IssuedToken } from '../../src/protocol/client/issued-token.ts'
import {
  signInvocation,
  signKeyDelegation,
  signKeyRevocation,
} from '../../src/protocol/client/key-tokens.ts'
import { type SessionKey } from '../../src/protocol/client/session-key.ts'
import { formatSpaceId } from '../../src/protocol/resource.ts'
import { answerWith, type AskedHost, openAskedHost } from '../_util/asked-host.ts'
import {
  assertOk,
  type Connections,
  invoke,
  KV_ABILITIES,
  newKey,
  newNonce,
  nowS,
  postDelegation,
  type Reply,
} from '../_util/client.ts'
import { useNodeInProcess } from '../_util/node-in-process.ts'
import { verifyDirectory } from '../_util/verify-directory.ts'
import { createWebKey, documentOf, loopbackReach, WEB_TLS } from '../_util/web-documents.ts'

const node = useNodeInProcess('did-web', {
  environment: () => ({ TINYCLOUD_DID_WEB: 'true' }),
  reach: loopbackReach(),
})
const closed = useNodeInProcess('did-web-off', {
  environment: () => ({}),
  reach: loopbackReach(),
})

let host: AskedHost
/** Documents by path. */
const documents = new Map<string, unknown>()

beforeAll(async () => {
  host = await openAskedHost((request, response, body) => {
    const document = documents.get(request.url ?? '')
    const reaction = document ? answerWith(200, JSON.stringify(document)) : answerWith(404)
    reaction(request, response, body)
  }, WEB_TLS)
})
afterAll(() => host.close())
beforeEach(() => void (host.paths.length = 0))

/** A key with a document of its own: what is cached of one says nothing of another. */
function publishKey(fragment?: string): SessionKey {
  const seed = randomBytes(32)
  const user = randomBytes(6).toString('hex')
  const did = `did:web:web.example%3A${host.port}:${user}`
  documents.set(`/${user}/did.json`, documentOf(did, seed))
  return createWebKey(did, seed, fragment)
}

const times = () => ({ nonce: newNonce(), expiresAtS: Math.floor(nowS() + 120) })

async function hostSpace(connections: Connections, owner: SessionKey): Promise<string> {
  const space = formatSpaceId(owner.did, 'default')
  const path = `/peer/generate/${encodeURIComponent(space)}`
  const peer = assertOk(await connections.request(path, { method: 'GET' }), 'peer')
  const grants = { [`${space}/space`]: ['tinycloud.space/host'] }
  const token = signKeyDelegation(owner, { ...times(), audience: peer.text(), grants })
  const reply = assertOk(await postDelegation(connections, token), 'host')
  expect(JSON.parse(reply.text())).toMatchObject({ activated: [space] })
  return space
}

const put = (key: SessionKey, space: string, proofs: readonly string[] = []): IssuedToken =>
  signInvocation(key, { ...times(), proofs, grants: { [`${space}/kv/a`]: ['tinycloud.kv/put'] } })

const outcome = (reply: Reply): [number, string] => [reply.status, reply.text()]

const INVALID: [number, string] = [401, 'Failed to verify signature']

describe('a did:web', () => {
  it('owns a space, uses it, passes rights on and takes them back', async () => {
    const owner = publishKey()
    const space = await hostSpace(node.connections, owner)
    const body = 'a value'
    expect((await invoke(node.connections, put(owner, space), { body })).status).toBe(200)

    const guest = newKey()
    const grants = { [`${space}/kv`]: KV_ABILITIES }
    const share = signKeyDelegation(owner, { ...times(), audience: guest.did, grants })
    assertOk(await postDelegation(node.connections, share), 'share')
    expect((await invoke(node.connections, put(guest, space, [share.cid]), { body })).status).toBe(
      200,
    )

    const revocation = signKeyRevocation(owner, { ...times(), cid: share.cid })
    const { authorization } = revocation
    assertOk(await node.connections.request('/revoke', { authorization }), 'revoke')
    expect((await invoke(node.connections, put(guest, space, [share.cid]), { body })).status).toBe(
      401,
    )
    // All of that with one look at the document.
    expect(host.paths).toHaveLength(1)
  })

  it('uploads what does not fit in memory', async () => {
    const owner = publishKey()
    const space = await hostSpace(node.connections, owner)
    const body = randomBytes(600 * 1024)
    expect((await invoke(node.connections, put(owner, space), { body })).status).toBe(200)
    const get = signInvocation(owner, {
      ...times(),
      grants: { [`${space}/kv/a`]: ['tinycloud.kv/get'] },
    })
    const reply = await invoke(node.connections, get)
    expect(reply.bytes.equals(body)).toBe(true)
  })

  it('is refused with the key of another, or under a name that its document does not have', async () => {
    const owner = publishKey()
    const space = await hostSpace(node.connections, owner)
    const stranger = newKey()
    const forged: SessionKey = { ...owner, sign: (message) => stranger.sign(message) }
    expect(outcome(await invoke(node.connections, put(forged, space)))).toEqual(INVALID)
    const elsewhere = { ...owner, didUrl: `${owner.did}#key-2` }
    expect(outcome(await invoke(node.connections, put(elsewhere, space)))).toEqual(INVALID)
    expect(host.paths).toHaveLength(1)
  })

  it('is refused without a document, in the words of each route', async () => {
    const owner = publishKey()
    documents.clear()
    const space = formatSpaceId(owner.did, 'default')
    const { connections } = node
    expect(outcome(await invoke(connections, put(owner, space)))).toEqual(INVALID)
    const { authorization } = signKeyRevocation(owner, { ...times(), cid: put(owner, space).cid })
    const revoked = await connections.request('/revoke', { authorization })
    expect([revoked.status, revoked.text()]).toEqual([403, 'Failed to verify signature'])
    expect(host.paths).toHaveLength(1)
  })

  it('is not asked about for a token out of its time', async () => {
    const owner = publishKey()
    const space = formatSpaceId(owner.did, 'default')
    const grants = { [`${space}/kv/a`]: ['tinycloud.kv/get'] }
    const late = signInvocation(owner, { ...times(), expiresAtS: nowS() - 10, grants })
    expect((await invoke(node.connections, late)).text()).toMatch(/expired/)
    expect(host.paths).toEqual([])
  })

  it('leaves data that a verification finds sound', async () => {
    await hostSpace(node.connections, publishKey())
    const { problems, checked } = await verifyDirectory(node.directory, { isServed: true })
    expect(problems).toBe(0)
    expect(checked['signature']).toBeGreaterThan(0)
  })

  it('is refused, and nobody is asked, on a node that is not configured for it', async () => {
    const owner = publishKey()
    const space = formatSpaceId(owner.did, 'default')
    expect(outcome(await invoke(closed.connections, put(owner, space)))).toEqual(INVALID)
    expect(host.paths).toEqual([])
  })
})
