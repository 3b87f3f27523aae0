/** The demo against hosts that are no node or a broken one. Against a real node it runs in test/node/serve.test.ts. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'

import { runInProcess } from '../../_util/command-run.ts'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** The URL of a host that answers as `listener` does. */
const host = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

const INFO = JSON.stringify({ protocol: 1, version: '1.0.0', features: ['kv'] })

describe('a host that is no node', () => {
  it('that nobody listens on is named, with how to start a node', async () => {
    const url = await host(() => undefined)
    servers.splice(0).map((server) => server.close())
    const { exitCode, output, errors } = await runInProcess(['demo', url])
    expect(exitCode).toBe(1)
    expect(output).toBe('')
    expect(errors).toContain(`✗ No node answers at ${url}`)
    expect(errors).toContain('ECONNREFUSED')
    expect(errors).toContain('npm start')
  })

  it('is the configured one unless a URL is given', async () => {
    const { errors } = await runInProcess(['demo'], {
      environment: { TINYCLOUD_PORT: '9', TINYCLOUD_ADDRESS: '0.0.0.0' },
    })
    expect(errors).toContain('No node answers at http://127.0.0.1:9')
    const six = await runInProcess(['demo'], {
      environment: { TINYCLOUD_PORT: '9', TINYCLOUD_ADDRESS: '::' },
    })
    expect(six.errors).toContain('No node answers at http://[::1]:9')
  })

  it.each([
    ['another protocol', '{"protocol":2,"version":"9"}', 'this is no node of protocol 1'],
    ['a page', '<html>', 'expected a JSON object'],
    ['null', 'null', 'expected a JSON object'],
    ['nothing', '', 'expected a JSON object'],
  ])('that answers with %s fails the first step', async (_name, body, text) => {
    const { exitCode, output, errors } = await runInProcess([
      'demo',
      await host((_request, response) => response.end(body)),
    ])
    expect(exitCode).toBe(1)
    expect(output).toBe('')
    expect(errors).toContain('✗ node')
    expect(errors).toContain(text)
  })

  it('that redirects, breaks off, or answers without end fails', async () => {
    const redirecting = await host((_request, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    )
    expect((await runInProcess(['demo', redirecting])).errors).toContain('redirect')

    const breaking = await host((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{')
      setImmediate(() => response.destroy())
    })
    expect((await runInProcess(['demo', breaking])).errors).toContain('✗ No node answers')

    const endless = await host((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024)
      const write = (): void => {
        while (!response.destroyed && response.write(chunk));
        response.once('drain', write)
      }
      write()
    })
    expect((await runInProcess(['demo', endless])).errors).toContain('1048576 bytes')
  })
})

describe('a node that refuses', () => {
  it('ends the demo at that step, with what it answered', async () => {
    const url = await host((request, response) => {
      if (request.url === '/info') response.end(INFO)
      else response.writeHead(503).end('The node is busy; retry the request')
    })
    const { exitCode, output, errors } = await runInProcess(['demo', `${url}/`])
    expect(exitCode).toBe(1)
    expect(output.split('\n').map((line) => line.slice(0, 9).trim())).toEqual([
      '✓ node',
      '✓ wallet',
      '',
    ])
    expect(errors).toBe(
      '✗ host     expected 200, but the node answered 503 The node is busy; retry the request\n',
    )
  })

  it('and does not host the space is not believed', async () => {
    const url = await host((request, response) => {
      if (request.url === '/info') response.end(INFO)
      else if (request.url?.startsWith('/peer/generate/'))
        response.end('did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK')
      else response.end('{"cid":"b","activated":[],"skipped":["x"]}')
    })
    const { errors } = await runInProcess(['demo', url])
    expect(errors).toContain('the node does not host the space')
  })
})

describe('--verbose', () => {
  it('shows requests and answers, and in words what was signed', async () => {
    const url = await host((request, response) => {
      if (request.url === '/info') response.end(INFO)
      else if (request.method === 'GET')
        response.end('did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK')
      else response.writeHead(401).end('no')
    })
    const { output } = await runInProcess(['demo', '--verbose', url])
    expect(output).toContain(`  → GET /info\n  ← 200\n    ${INFO}\n✓ node`)
    expect(output).toMatch(
      /→ GET \/peer\/generate\/tinycloud%3Apkh%3Aeip155%3A1%3A0x[0-9a-fA-F]{40}%3Ademo\n/,
    )
    expect(output).toMatch(/→ POST \/delegate\n {4}authorization: \S{60}… \(\d+ characters\)\n/)
    expect(output).toContain(
      `| ${new URL(url).host} wants you to sign in with your Ethereum account:`,
    )
    expect(output).toContain("'host' for 'tinycloud:pkh:eip155:1:0x")
    expect(output).toContain('  ← 401\n    no')
  })
})
