/**
 * Connections of the HTTP edge: how many there may be, how long nothing may happen on them, and what becomes of one
 * whose client has said its last word.
 */
import { type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import { type Socket } from 'node:net'

const CONNECTIONS_MAX = 4096

/** Tests use smaller ones. */
export interface ConnectionLimits {
  /** A connection on which nothing moves for this long is closed, also in the middle of an answer. */
  readonly idleMs: number
  /** As `idleMs`, from when the client has closed its side: it waits for answers, and sends nothing more. */
  readonly halfClosedIdleMs: number
  /** What was written, 1 MiB at most, must be taken by the client within this time, however it trickles. */
  readonly takeMs: number
  /** All heads that have begun and not ended, together. */
  readonly unfinishedHeadBytesMax: number
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  idleMs: 120_000,
  halfClosedIdleMs: 30_000,
  takeMs: 300_000,
  unfinishedHeadBytesMax: 64 * 1024 * 1024,
}

export function limitConnections(
  server: HttpServer,
  { idleMs, halfClosedIdleMs }: ConnectionLimits,
): void {
  server.maxConnections = CONNECTIONS_MAX
  // Node drops surplus header fields silently; here they are counted and refused.
  server.maxHeadersCount = 0
  server.setTimeout(idleMs)
  // The continuation is sent by whoever reads the body.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response)
  })
  // HTTP-11. Else Node closes the other side too, and the answers to what was sent before are lost. Its documents do not
  // name the property, which every version has; a test watches over it.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('connection', (socket: Socket) => {
    socket.once('end', () => socket.setTimeout(halfClosedIdleMs))
  })
}

/** What the parser itself refuses: no head was understood, so the answer is a bare status line. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
}
