import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { type Reach, WebKeys } from '../../../src/main/network/web-keys.ts'
import { isPublicAddress } from '../../../src/main/network/public-address.ts'
import { createSessionKey } from '../../../src/protocol/client/session-key.ts'
import { parseDidKey } from '../../../src/protocol/did.ts'
import {
  answerWith,
  type AskedHost,
  openAskedHost,
  openSilentHost,
} from '../../_util/asked-host.ts'
import { documentOf, loopbackReach, WEB_TLS } from '../../_util/web-documents.ts'

const SEED = new Uint8Array(32).fill(5)
const KEY = parseDidKey(createSessionKey(SEED).did)

const askFor = (didUrl: string): { didUrl: string; client: string } => ({
  didUrl,
  client: '192.0.2.1',
})

const clock = { ms: 0 }
const opened: WebKeys[] = []
let host: AskedHost
let did: string

beforeEach(async () => {
  clock.ms = 0
  host = await openAskedHost(answerWith(404), WEB_TLS)
  did = `did:web:web.example%3A${host.port}`
  host.reaction = answerWith(200, JSON.stringify(documentOf(did, SEED)))
})
afterEach(async () => {
  for (const keys of opened.splice(0)) keys.close()
  await host.close()
})

function openKeys(reach: Partial<Reach> = {}, timeoutMs = 2000): WebKeys {
  const keys = new WebKeys({
    nowMs: () => clock.ms,
    timeoutMs,
    reach: { ...loopbackReach(), ...reach },
  })
  opened.push(keys)
  return keys
}

describe('a document (DID-3)', () => {
  it('is asked for once, for all fragments, and believed for 300 s', async () => {
    const keys = openKeys()
    const urls = [`${did}#key-1`, did, `${did}#other`]
    expect(await Promise.all(urls.map((url) => keys.find(askFor(url))))).toEqual([KEY, KEY, null])
    expect(host.paths).toEqual(['/.well-known/did.json'])
    host.reaction = answerWith(404)
    clock.ms = 299_999
    expect(await keys.find(askFor(did))).toEqual(KEY)
    clock.ms = 300_000
    expect(await keys.find(askFor(did))).toBeNull()
    expect(host.paths).toHaveLength(2)
  })

  it('lies below a path where the DID has one', async () => {
    const user = `${did}:user:alice`
    host.reaction = answerWith(200, JSON.stringify(documentOf(user, SEED)))
    expect(await openKeys().find(askFor(user))).toEqual(KEY)
    expect(host.paths).toEqual(['/user/alice/did.json'])
  })

  it('has at most 64 KiB', async () => {
    const text = JSON.stringify(documentOf(did, SEED))
    host.reaction = answerWith(200, text.padEnd(64 * 1024))
    expect(await openKeys().find(askFor(did))).toEqual(KEY)
    host.reaction = answerWith(200, text.padEnd(64 * 1024 + 1))
    expect(await openKeys().find(askFor(did))).toBeNull()
  })

  it.each([
    ['404', answerWith(404)],
    ['203', answerWith(203, '{}')],
    ['no JSON', answerWith(200, 'x')],
    [
      'a document of somebody else',
      answerWith(200, JSON.stringify(documentOf('did:web:a.b', SEED))),
    ],
    ['no end', (_request, response) => void response.writeHead(200).write('{')],
    ['nothing', () => undefined],
    ['a closed connection', (_request, response) => response.destroy()],
  ] satisfies [string, AskedHost['reaction']][])('gives no key for %s', async (_, reaction) => {
    host.reaction = reaction
    expect(await openKeys({}, 100).find(askFor(did))).toBeNull()
  })

  it('is not looked for where a redirect leads', async () => {
    const body = JSON.stringify(documentOf(did, SEED))
    host.reaction = answerWith(301, body, { location: `${host.url}/elsewhere` })
    expect(await openKeys().find(askFor(did))).toBeNull()
    expect(host.paths).toEqual(['/.well-known/did.json'])
  })

  it('that cannot be had is asked for again after 30 s', async () => {
    const keys = openKeys()
    const { reaction } = host
    host.reaction = answerWith(500)
    expect(await keys.find(askFor(did))).toBeNull()
    host.reaction = reaction
    clock.ms = 29_999
    expect(await keys.find(askFor(did))).toBeNull()
    clock.ms = 30_000
    expect(await keys.find(askFor(did))).toEqual(KEY)
  })
})

/** A resolver that counts, and says where connections may go. */
function resolving(addresses: readonly string[]): { names: string[]; reach: Partial<Reach> } {
  const names: string[] = []
  const resolve = (name: string): Promise<readonly string[]> => {
    names.push(name)
    return Promise.resolve(addresses)
  }
  return { names, reach: { resolve, isAllowedAddress: isPublicAddress } }
}

describe('the host (DID-3)', () => {
  it.each([
    ['loopback', ['127.0.0.1']],
    ['a private network', ['10.0.0.1']],
    ['the metadata service of a cloud', ['169.254.169.254']],
    ['loopback in IPv6', ['::1']],
    ['loopback, mapped', ['::ffff:127.0.0.1']],
    ['a public and a private address', ['93.184.216.34', '192.168.0.1']],
    ['no address', []],
  ])('is not connected to when its name means %s', async (_, addresses) => {
    const { names, reach } = resolving(addresses)
    expect(await openKeys(reach).find(askFor(did))).toBeNull()
    expect(names).toEqual(['web.example'])
    expect(host.paths).toEqual([])
  })

  it('is connected to at the address that was checked, whatever the name means then', async () => {
    const { names, reach } = resolving(['127.0.0.1'])
    const keys = openKeys({ ...reach, isAllowedAddress: () => true })
    expect(await keys.find(askFor(did))).toEqual(KEY)
    expect(names).toHaveLength(1)
  })

  it('is looked at once more when it is connected, before anything is sent', async () => {
    const verdicts = [true, false]
    const asked: string[] = []
    const isAllowedAddress = (address: string): boolean => {
      asked.push(address)
      return verdicts.shift() ?? false
    }
    expect(await openKeys({ isAllowedAddress }).find(askFor(did))).toBeNull()
    expect(asked).toEqual(['127.0.0.1', '127.0.0.1'])
    expect(host.paths).toEqual([])
  })

  it('must have a certificate that is believed, for its name', async () => {
    const untrusting = new WebKeys({
      nowMs: () => clock.ms,
      reach: { resolve: loopbackReach().resolve, isAllowedAddress: () => true },
    })
    opened.push(untrusting)
    expect(await untrusting.find(askFor(did))).toBeNull()
    const other = did.replace('web.example', 'other.example')
    host.reaction = answerWith(200, JSON.stringify(documentOf(other, SEED)))
    expect(await openKeys().find(askFor(other))).toBeNull()
    expect(host.paths).toEqual([])
  })

  it('must speak TLS', async () => {
    const plain = await openAskedHost(host.reaction)
    const keys = openKeys()
    expect(await keys.find(askFor(`did:web:web.example%3A${plain.port}`))).toBeNull()
    expect(plain.paths).toEqual([])
    await plain.close()
  })

  it.each(['did:web:127.0.0.1', 'did:web:localhost', 'did:web:web.example%3A22'])(
    'is not even resolved for %s',
    async (refused) => {
      const { names, reach } = resolving(['127.0.0.1'])
      expect(await openKeys(reach).find(askFor(refused))).toBeNull()
      expect(names).toEqual([])
    },
  )

  it('has a limit of time, from its name to its last byte', async () => {
    const never = openKeys({ resolve: () => new Promise(() => undefined) }, 50)
    expect(await never.find(askFor(did))).toBeNull()
    const broken = openKeys({ resolve: () => Promise.reject(new Error('ENOTFOUND')) })
    expect(await broken.find(askFor(did))).toBeNull()
    const silent = await openSilentHost()
    expect(await openKeys({}, 50).find(askFor(`did:web:web.example%3A${silent.port}`))).toBeNull()
    silent.close()
  })
})
