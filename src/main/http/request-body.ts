/**
 * Bodies of requests: what their headers say, reading a small one whole, and dropping one that nobody wants.
 *
 * A client that is refused early is still sending: closing at once would make it see a reset instead of the answer. So
 * the rest is read and dropped, within limits of bytes and time (HTTP-4, sdk-contract §8.6).
 */
import { type IncomingMessage } from 'node:http'

import { type Exchange } from './exchange.ts'

/** A body that is read whole must arrive within this time. */
const WHOLE_BODY_TIMEOUT_MS = 60_000
/** After an early answer at most this much more is read and dropped… */
const DROPPED_BYTES_MAX = 256 * 1024 * 1024
/** …within this time; then the connection is closed. */
const DROP_TIMEOUT_MS = 30_000

/** Length of the body in bytes; undefined when only its end will tell. */
export function declaredBytes(request: IncomingMessage): number | undefined {
  if (request.headers['transfer-encoding'] !== undefined) return undefined
  // The parser has refused everything but digits.
  return Number(request.headers['content-length'] ?? 0)
}

/** Tells a client that waits for it (`Expect: 100-continue`) to send its body. Call it only when the body will be read. */
export function continueIfAsked({ request, response }: Exchange): void {
  const { expect } = request.headers
  if (expect?.toLowerCase() === '100-continue' && request.httpVersionMinor > 0) {
    response.writeContinue()
  }
}

export type WholeBody =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  | { readonly kind: 'gone' }
  | { readonly kind: 'late' }
  | { readonly kind: 'large' }

/**
 * Reads a small body: up to its declared length, or to its end when that is all that tells. Never rejects; `large` comes
 * with the first byte beyond `bytesMax`.
 */
export function readWholeBody(
  request: IncomingMessage,
  {
    lengthBytes,
    bytesMax,
  }: { readonly lengthBytes: number | undefined; readonly bytesMax: number },
): Promise<WholeBody> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = []
    let receivedBytes = 0
    const settle = (body: WholeBody): void => {
      clearTimeout(timer)
      request.off('data', keep)
      request.off('end', finish)
      resolve(body)
    }
    const finish = (): void => {
      const [first] = chunks
      const bytes = first && chunks.length === 1 ? first : Buffer.concat(chunks)
      settle({ kind: 'whole', bytes })
    }
    const keep = (chunk: Uint8Array): void => {
      chunks.push(chunk)
      receivedBytes += chunk.length
      if (receivedBytes > bytesMax) settle({ kind: 'large' })
      else if (receivedBytes === lengthBytes) finish()
    }
    const timer = setTimeout(settle, WHOLE_BODY_TIMEOUT_MS, { kind: 'late' })
    request.on('data', keep)
    request.once('end', finish)
    // Comes after every request; only before the last byte does it mean that the client went away.
    request.once('close', () => settle({ kind: 'gone' }))
  })
}

/** Reads and drops what is still to come of the body, then leaves the connection to the next request. */
export function dropBody({ request }: Exchange): void {
  if (request.complete || request.destroyed || declaredBytes(request) === 0) return
  let droppedBytes = 0
  const close = (): void => {
    request.socket.destroy()
  }
  const timer = setTimeout(close, DROP_TIMEOUT_MS)
  request.on('data', (chunk: Uint8Array) => {
    droppedBytes += chunk.length
    if (droppedBytes > DROPPED_BYTES_MAX) close()
  })
  request.once('close', () => clearTimeout(timer))
  request.once('end', () => clearTimeout(timer))
  request.resume()
}
