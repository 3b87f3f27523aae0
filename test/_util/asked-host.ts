/** A host that the node asks: an HTTP server on loopback that answers as the test says and keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createRawServer, type Server } from 'node:net'

export type Reaction = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

export interface AskedHost {
  readonly url: string
  readonly port: number
  /** Paths in the order in which they were asked for. */
  readonly paths: string[]
  reaction: Reaction
  close(): Promise<void>
}

export const answerWith =
  (
    status: number,
    body: string | Uint8Array = '',
    headers: Record<string, string> = {},
  ): Reaction =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body)

/** `tls`: key and certificate in PEM. */
export async function openAskedHost(
  reaction: Reaction,
  tls?: { readonly key: string; readonly cert: string },
): Promise<AskedHost> {
  const paths: string[] = []
  const host = { reaction }
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    paths.push(request.url ?? '')
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => host.reaction(request, response, Buffer.concat(chunks)))
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  const port = await listen(server)
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    paths,
    get reaction() {
      return host.reaction
    },
    set reaction(changed) {
      host.reaction = changed
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A host that takes connections and never says a word. */
export async function openSilentHost(): Promise<{ readonly port: number; close(): void }> {
  const server = createRawServer((socket) => socket.unref())
  return { port: await listen(server), close: () => void server.close() }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port is open')
  return address.port
}
