/** A host that the node asks: an HTTP server on loopback that answers as the test says and keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'

export type Reaction = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

export interface AskedHost {
  readonly url: string
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

export async function openAskedHost(reaction: Reaction): Promise<AskedHost> {
  const paths: string[] = []
  const host = { reaction }
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => host.reaction(request, response, Buffer.concat(chunks)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
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
