/** The metrics listener: any path answers with what is counted, on a port of its own (reference-behaviour §1.17). */
import { createServer, type Server } from 'node:http'

import { type Metrics } from '../metrics.ts'
import { readPort } from './server.ts'

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface MetricsServer {
  readonly port: number
  close(): Promise<void>
}

/** @throws the operating system's error when the port cannot be opened */
export async function openMetricsServer(
  metrics: Metrics,
  listen: { host: string; port: number },
): Promise<MetricsServer> {
  const server = createServer((_request, response) => {
    void metrics.format().then((text) => {
      response.writeHead(200, { 'content-type': CONTENT_TYPE })
      response.end(text)
      return undefined
    })
  })
  await listening(server, listen)
  return {
    port: readPort(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listening(server: Server, listen: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
