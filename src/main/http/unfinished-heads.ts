/**
 * Heads that have begun and not ended. A parser keeps what has come of each, 576 KiB at most, before anybody can say
 * whose request it is: on every connection that there may be it would be 2.3 GiB. So they have one budget, and beyond it
 * the longest go (HTTP-6). What a token of the greatest length takes arrives in one go, and is counted for a moment only.
 */
import { type IncomingMessage } from 'node:http'
import { type Socket } from 'node:net'

import { declaredBytes } from './request-body.ts'

/** Between two counts. Meanwhile no more comes than the line gives: 120 MiB at 10 Gbit/s. */
const COUNT_INTERVAL_MS = 100
const REFUSAL =
  'HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'

/** Behind a body of which only its end will tell how long it is. */
const UNKNOWN = Infinity

export class UnfinishedHeads {
  readonly #bytesMax: number
  /** By connection: bytes that had been read when its next head could begin. */
  readonly #starts = new Map<Socket, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** A connection was made. It is forgotten when it closes. */
  add(socket: Socket): void {
    this.#starts.set(socket, 0)
    socket.once('close', () => this.#starts.delete(socket))
    this.#timer ??= setInterval(() => this.#count(), COUNT_INTERVAL_MS).unref()
  }

  /** A head has ended. The next one begins behind its body; some of that, and of a chunk, may have been read. */
  end(request: IncomingMessage): void {
    const { socket } = request
    if (!this.#starts.has(socket)) return
    const bodyBytes = declaredBytes(request)
    this.#starts.set(socket, bodyBytes === undefined ? UNKNOWN : socket.bytesRead + bodyBytes)
    // What comes right behind a body of unknown length, before it is read, is not counted.
    if (bodyBytes === undefined) request.once('end', () => this.#restart(socket))
  }

  #restart(socket: Socket): void {
    if (this.#starts.has(socket)) this.#starts.set(socket, socket.bytesRead)
  }

  #count(): void {
    if (this.#starts.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    let totalBytes = 0
    const begun: { readonly socket: Socket; readonly headBytes: number }[] = []
    for (const [socket, startBytes] of this.#starts) {
      const headBytes = socket.bytesRead - startBytes
      if (headBytes <= 0) continue
      totalBytes += headBytes
      begun.push({ socket, headBytes })
    }
    if (totalBytes <= this.#bytesMax) return
    for (const { socket, headBytes } of begun.toSorted((a, b) => b.headBytes - a.headBytes)) {
      if (totalBytes <= this.#bytesMax) return
      totalBytes -= headBytes
      this.#starts.delete(socket)
      socket.write(REFUSAL)
      socket.destroySoon()
    }
  }
}
