import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { corsHeaders, preflightHeaders } from '../../../src/main/http/cors.ts'
import { openStandInNode, type StandInNode } from '../../_util/stand-in-node.ts'

const ORIGIN = 'https://app.example'

const listed = (value: string | null): string[] =>
  (value ?? '').split(',').map((name) => name.trim())

describe('CORS (HTTP-2)', () => {
  let node: StandInNode
  beforeAll(async () => {
    node = await openStandInNode()
  })
  afterAll(() => node.close())

  it('is on every answer, refusals included', async () => {
    const headers = { origin: ORIGIN }
    const answers = [
      await fetch(`${node.url}/version`, { headers }),
      await fetch(`${node.url}/nothing/here`, { headers }),
      await fetch(`${node.url}/peer/generate/nonsense`, { headers }),
      await fetch(`${node.url}/invoke`, { method: 'POST', headers }),
      await node.post('fail NODE_BUSY', { headers }),
      await node.post('echo', { headers }),
      await node.post('download 10', { headers }),
      await node.post('listing 1', { headers }),
    ]
    expect(answers.map((answer) => answer.status)).toEqual([200, 404, 400, 401, 503, 200, 200, 200])
    for (const answer of answers) {
      expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN)
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
      expect(answer.headers.get('vary')).toBe('origin')
      expect(listed(answer.headers.get('access-control-expose-headers'))).toContain('etag')
      expect(answer.headers.get('access-control-expose-headers')).not.toContain('*')
      await answer.arrayBuffer()
    }
  })

  it('exposes the stored headers of the answer by name', async () => {
    const answer = await node.post('claim 00', { headers: { origin: ORIGIN } })
    expect(listed(answer.headers.get('access-control-expose-headers'))).toContain(
      'x-tinycloud-meta-mood',
    )
  })

  it('lets a request without an origin pass with a wildcard and no credentials', async () => {
    const answer = await fetch(`${node.url}/version`)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('vary')).toBe('origin')
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  })

  it('answers a preflight on any path with the methods and headers that are allowed', async () => {
    for (const path of [
      '/',
      '/invoke',
      '/version',
      '/nothing/here',
      '/peer/generate/x',
      '/a/%2F/b?c=d',
    ]) {
      const answer = await fetch(node.url + path, {
        method: 'OPTIONS',
        headers: {
          origin: ORIGIN,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization, X-Tinycloud-Meta-Mood, x-secret',
        },
      })
      expect(answer.status).toBe(200)
      expect(await answer.text()).toBe('')
      expect(listed(answer.headers.get('access-control-allow-methods'))).toEqual([
        'POST',
        'PUT',
        'GET',
        'OPTIONS',
        'DELETE',
      ])
      const allowed = listed(answer.headers.get('access-control-allow-headers'))
      for (const name of [
        'authorization',
        'content-type',
        'if-match',
        'if-none-match',
        'x-tinycloud-meta-mood',
      ]) {
        expect(allowed).toContain(name)
      }
      expect(allowed).not.toContain('x-secret')
      expect(allowed).not.toContain('*')
    }
  })

  it('says nothing when it is switched off', async () => {
    const silent = await openStandInNode({ cors: false })
    const headers = { origin: ORIGIN }
    for (const answer of [
      await fetch(`${silent.url}/version`, { headers }),
      await fetch(`${silent.url}/version`, { method: 'OPTIONS', headers }),
    ]) {
      expect(answer.status).toBe(200)
      expect(
        [...answer.headers.keys()].filter((name) => name.startsWith('access-control')),
      ).toEqual([])
    }
    await silent.close()
  })
})

describe('corsHeaders and preflightHeaders', () => {
  it('take no header name from the caller that is not a token', () => {
    const hostile = 'x-tinycloud-a b, x-tinycloud-\r\nset-cookie: a, x-tinycloud-ok, x-tinycloud-"'
    const [, allowed] = preflightHeaders(hostile)
    expect(allowed?.[1].endsWith('pragma, x-tinycloud-ok')).toBe(true)
  })

  it('look at no list of requested names that is too long', () => {
    const [, allowed] = preflightHeaders(`x-tinycloud-${'a'.repeat(5000)}`)
    expect(allowed?.[1].endsWith('pragma')).toBe(true)
  })

  it('add a name to the exposed ones only when it was stored with the value', () => {
    const flat = corsHeaders(ORIGIN, [
      ['x-tinycloud-meta-a', '1'],
      ['x-other', '2'],
    ])
    const exposed = flat[flat.indexOf('access-control-expose-headers') + 1]
    expect(exposed).toContain('x-tinycloud-meta-a')
    expect(exposed).not.toContain('x-other')
  })
})
