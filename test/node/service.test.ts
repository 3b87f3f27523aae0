/** What anybody may ask a running node: who it is, whether it is well, and which DID hosts a space. */
import { describe, expect, it } from 'vitest'
import { parseDidKey } from '../../src/protocol/did.ts'
import { assertOk, issueKv, newWallet, openAccount, type Reply } from '../_util/client.ts'
import { membersOf, textsOf } from '../_util/narrow.ts'
import { openRaw } from '../_util/raw-http.ts'
import { useRunningNode } from '../_util/running-node.ts'

const node = useRunningNode('service')

const get = (path: string): Promise<Reply> => node.connections.request(path, { method: 'GET' })

describe('GET /version and GET /info', () => {
  it('are one document, with what clients look for (HTTP-9)', async () => {
    const version = assertOk(await get('/version'), 'version')
    const info = assertOk(await get('/info'), 'info')
    expect(info.text()).toBe(version.text())
    expect(info.headers['content-type']).toBe('application/json')
    const members = membersOf(JSON.parse(info.text()))
    expect(members).toMatchObject({
      protocol: 1,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      inTEE: false,
    })
    expect(textsOf(members['features']).slice(0, 3)).toEqual(['kv', 'delegation', 'sharing'])
    expect(parseDidKey(String(members['nodeId']))).toMatchObject({ type: 'Ed25519' })
  })

  it('answer HEAD with the head of GET (HTTP-7)', async () => {
    const head = await node.connections.request('/info', { method: 'HEAD' })
    const whole = await get('/info')
    expect([head.status, head.text()]).toEqual([200, ''])
    for (const name of ['content-type', 'content-length'])
      expect(head.headers[name]).toBe(whole.headers[name])
  })
})

describe('GET /healthz and GET /health', () => {
  it.each(['/healthz', '/health', '/healthz?write=1', '/health?write=1', '/healthz/'])(
    '%s is 200 and empty (HTTP-1)',
    async (path) => {
      const reply = await get(path)
      expect([reply.status, reply.text()]).toEqual([200, ''])
    },
  )
})

describe('GET /peer/generate/:space', () => {
  it('gives one DID for a space, whatever its spelling, and another for another (HOST-3, DID-1)', async () => {
    const space = newWallet().spaceId('default')
    const did = async (id: string): Promise<string> =>
      assertOk(await get(`/peer/generate/${encodeURIComponent(id)}`), 'peer').text()
    const first = await did(space)
    expect(parseDidKey(first)).toMatchObject({ type: 'Ed25519' })
    expect(await did(space)).toBe(first)
    expect(await did(space.toLowerCase())).toBe(first)
    expect(assertOk(await get(`/peer/generate/${space}`), 'raw colons').text()).toBe(first)
    expect(await did(`${space}2`)).not.toBe(first)
    expect(await did(newWallet().spaceId('default'))).not.toBe(first)
  })

  it('takes every name that a segment of a URI can be, dots included (HOST-3)', async () => {
    const space = newWallet().spaceId('')
    for (const name of ['.', '..', 'a%20b', "a!$&'()*+,;=@b", 'A', 'a', '%2F', 'x'.repeat(1000)]) {
      const reply = await get(`/peer/generate/${encodeURIComponent(space + name)}`)
      expect([name, reply.status]).toEqual([name, 200])
    }
  })
})

describe('a client that closes its side once its request is sent, as `nc -N` does', () => {
  it('gets its answer (HTTP-11)', async () => {
    const account = await openAccount(node.connections)
    const ask = async (action: 'put' | 'get', body: string): Promise<string> => {
      const { authorization } = issueKv(account, action, 'half-closed')
      const conversation = openRaw(node.process.url)
      conversation.socket.end(
        `POST /invoke HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      )
      return conversation.closed()
    }
    expect(await ask('put', 'a value')).toMatch(/^HTTP\/1\.1 200 /)
    expect(await ask('get', '')).toMatch(/^HTTP\/1\.1 200 [^]*a value$/)
  })
})
