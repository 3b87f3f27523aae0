import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { Allowlist, urlOfSpace } from '../../../src/main/network/allowlist.ts'
import { parseCid, RAW_CODEC, BLAKE3_CODE } from '../../../src/protocol/cid.ts'
import { blake3 } from '../../../src/protocol/crypto/blake3.ts'
import { answerWith, type AskedHost, openAskedHost } from '../../_util/asked-host.ts'
import { SPACE } from '../../_util/credentials.ts'

const QUESTION = { space: SPACE, client: '192.0.2.1' } as const

const clock = { ms: 0 }
let host: AskedHost
let allowlist: Allowlist
let faults: string[]

beforeEach(async () => {
  clock.ms = 0
  faults = []
  host = await openAskedHost(answerWith(200, SPACE))
  allowlist = openAllowlist(`${host.url}/spaces`)
})
afterEach(async () => {
  allowlist.close()
  await host.close()
})

const openAllowlist = (url: string, timeoutMs = 2000): Allowlist =>
  new Allowlist({
    url: new URL(url),
    nowMs: () => clock.ms,
    onFault: ({ message }) => faults.push(message),
    timeoutMs,
  })

describe('the question (HOST-4)', () => {
  it('names the space by the CID of its id: CIDv1, raw, BLAKE3-256, base58btc', () => {
    const url = urlOfSpace(new URL('https://list.example/a'), SPACE)
    expect(url.href).toMatch(/^https:\/\/list\.example\/a\/z[1-9A-HJ-NP-Za-km-z]+$/)
    const cid = parseCid(url.pathname.slice('/a/'.length))
    expect([cid.codec, cid.hashCode]).toEqual([RAW_CODEC, BLAKE3_CODE])
    expect(Buffer.from(cid.digest)).toEqual(Buffer.from(blake3(Buffer.from(SPACE))))
  })

  it.each(['https://list.example', 'https://list.example/', 'https://list.example//'])(
    'is one level below %s',
    (base) => {
      expect(urlOfSpace(new URL(base), SPACE).pathname).toMatch(/^\/z[^/]+$/)
    },
  )

  it('is asked once, however many wait for it', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => allowlist.isAllowed(QUESTION)))
    expect(answers).toEqual([true, true, true])
    expect(host.paths).toEqual([urlOfSpace(new URL(`${host.url}/spaces`), SPACE).pathname])
  })
})

describe('a yes (HOST-4)', () => {
  it.each([
    ['the id', SPACE],
    ['the id and a line end', `${SPACE}\n`],
    ['the id and the line end of another system', `${SPACE}\r\n`],
  ])('is 2xx with %s', async (_, body) => {
    host.reaction = answerWith(200, body)
    expect(await allowlist.isAllowed(QUESTION)).toBe(true)
  })

  it('is believed for 60 s', async () => {
    await allowlist.isAllowed(QUESTION)
    host.reaction = answerWith(404)
    clock.ms = 59_999
    expect(await allowlist.isAllowed(QUESTION)).toBe(true)
    clock.ms = 60_000
    expect(await allowlist.isAllowed(QUESTION)).toBe(false)
  })
})

describe('anything else is a no (HOST-4)', () => {
  it.each([
    ['404 with the id', answerWith(404, SPACE)],
    ['500 with the id', answerWith(500, SPACE)],
    ['304', answerWith(304)],
    ['200 without a body', answerWith(200)],
    ['204', answerWith(204)],
    ['another id', answerWith(200, `${SPACE}x`)],
    ['the id in lower case', answerWith(200, SPACE.toLowerCase())],
    ['the id twice', answerWith(200, `${SPACE}\n${SPACE}\n`)],
    ['the id in quotes', answerWith(200, JSON.stringify(SPACE))],
    ['a page that holds the id', answerWith(200, `<p>${SPACE}</p>`)],
    ['a body without end', answerWith(200, SPACE.padEnd(1024 * 1024, '\n'))],
    [
      'an answer that breaks off',
      (_request, response) => {
        response.writeHead(200, { 'content-length': String(SPACE.length + 1) })
        response.write(SPACE, () => response.destroy())
      },
    ],
    ['a closed connection', (_request, response) => response.destroy()],
  ] satisfies [string, AskedHost['reaction']][])('%s', async (_, reaction) => {
    host.reaction = reaction
    expect(await allowlist.isAllowed(QUESTION)).toBe(false)
  })

  it('a redirect, which is not followed', async () => {
    const other = await openAskedHost(answerWith(200, SPACE))
    host.reaction = answerWith(302, SPACE, { location: `${other.url}/x` })
    expect(await allowlist.isAllowed(QUESTION)).toBe(false)
    expect(other.paths).toEqual([])
    await other.close()
  })

  it('no answer in time, which is told to the log', async () => {
    host.reaction = () => undefined
    const impatient = openAllowlist(host.url, 50)
    expect(await impatient.isAllowed(QUESTION)).toBe(false)
    expect(faults).toEqual(['no answer within 50 ms'])
    impatient.close()
  })

  it('a body that never ends', async () => {
    host.reaction = (_request, response) => void response.writeHead(200).write(SPACE)
    const impatient = openAllowlist(host.url, 50)
    expect(await impatient.isAllowed(QUESTION)).toBe(false)
    impatient.close()
  })

  it('nobody there', async () => {
    await host.close()
    expect(await allowlist.isAllowed(QUESTION)).toBe(false)
    expect(faults).toHaveLength(1)
  })

  it('and is believed for 10 s, a fault for 2 s', async () => {
    host.reaction = answerWith(404)
    expect(await allowlist.isAllowed(QUESTION)).toBe(false)
    host.reaction = answerWith(503)
    clock.ms = 9999
    await allowlist.isAllowed(QUESTION)
    expect(host.paths).toHaveLength(1)
    clock.ms = 10_000
    await allowlist.isAllowed(QUESTION)
    expect(faults).toEqual(['the allowlist answered 503'])
    host.reaction = answerWith(200, SPACE)
    clock.ms = 11_999
    expect(await allowlist.isAllowed(QUESTION)).toBe(false)
    clock.ms = 12_000
    expect(await allowlist.isAllowed(QUESTION)).toBe(true)
    expect(host.paths).toHaveLength(3)
  })

  it('ends when the node stops', async () => {
    host.reaction = () => undefined
    const asked = allowlist.isAllowed(QUESTION)
    while (host.paths.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    allowlist.close()
    expect(await asked).toBe(false)
  })
})
