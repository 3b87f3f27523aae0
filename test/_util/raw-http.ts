/** HTTP as bytes on a socket: for requests that no client library would send, and for those that never end. */
import { connect, type Socket } from 'node:net'

/** Longer than any of the node's answers takes; a test that waits this long fails. */
const ANSWER_TIMEOUT_MS = 10_000

export interface RawConversation {
  readonly socket: Socket
  /** Resolves with all that came when the text has arrived `count` times; `undefined` when the connection ended before. */
  until(text: string, count?: number): Promise<string | undefined>
  /** Resolves with all that came when the node has closed the connection. */
  closed(): Promise<string>
  end(): void
}

/** Opens a connection. Errors of the socket count as its end. */
export function openRaw(url: string, timeoutMs: number = ANSWER_TIMEOUT_MS): RawConversation {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  let received = ''
  let isEnded = false
  const changed = new EventTarget()
  const notify = (): boolean => changed.dispatchEvent(new Event('change'))
  socket.setEncoding('latin1')
  socket.on('data', (part: string) => {
    received += part
    notify()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isEnded = true
    notify()
  })
  const wait = (isDone: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        changed.removeEventListener('change', look)
        reject(new Error(`no answer within ${timeoutMs} ms; received: ${received}`))
      }, timeoutMs)
      function look(): void {
        if (!isDone()) return
        clearTimeout(timer)
        changed.removeEventListener('change', look)
        resolve()
      }
      changed.addEventListener('change', look)
      look()
    })
  return {
    socket,
    async until(text, count = 1) {
      const isThere = (): boolean => received.split(text).length > count
      await wait(() => isEnded || isThere())
      return isThere() ? received : undefined
    },
    async closed() {
      await wait(() => isEnded)
      return received
    },
    end: () => socket.destroy(),
  }
}

/** The status of the first answer in what was received; 0 when there is none. */
export const statusOf = (received: string): number =>
  Number(/^HTTP\/1\.[01] (\d{3})/.exec(received)?.[1] ?? 0)

/** Sends bytes on a connection of their own and waits until the answer's head has arrived, or the end without one. */
export async function sendRaw(url: string, bytes: string | Uint8Array): Promise<string> {
  const conversation = openRaw(url)
  conversation.socket.write(bytes)
  const received = await conversation.until('\r\n\r\n')
  conversation.end()
  return received ?? ''
}
