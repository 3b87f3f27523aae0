/**
 * One question to one HTTP server: no redirect is followed, and time and size of the answer have limits. Whatever keeps
 * an answer from arriving whole is a NetworkFault.
 *
 * Each question has a connection of its own. They are rare, and one that was kept could have ended unnoticed.
 */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps, type RequestOptions } from 'node:https'

export interface HostQuestion {
  /** http: or https:. */
  readonly url: URL
  readonly accept: string
  /** Asked with POST, as JSON. */
  readonly body?: Uint8Array
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number
  /** Longest body of an answer that counts. */
  readonly answerBytesMax: number
  /** Ends the question. */
  readonly signal: AbortSignal
  /** Of `node:https` and `node:net`: how names become addresses, which authorities are believed. */
  readonly connection?: Pick<RequestOptions, 'lookup' | 'ca'>
  /** Asked about the address that was connected to, before the question is sent there. */
  readonly isAllowedPeer?: (address: string) => boolean
}

export interface HostAnswer {
  readonly status: number
  /** Empty unless the status is 2xx. */
  readonly body: Uint8Array
}

/** The answer did not come, or not as it must. The message is for the log and names no secret. */
export class NetworkFault extends Error {
  override readonly name = 'NetworkFault'
}

const NO_BODY = new Uint8Array(0)

/** @throws {NetworkFault} */
export function askHost(question: HostQuestion): Promise<HostAnswer> {
  const { url, accept, body, timeoutMs, signal, connection, isAllowedPeer } = question
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  const headers: Record<string, string> = {
    accept,
    'accept-encoding': 'identity',
    'user-agent': 'tinycloud',
  }
  if (body) Object.assign(headers, jsonHeaders(body))
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      ...connection,
      method: body ? 'POST' : 'GET',
      // A new one, which keeps no connection.
      agent: false,
      signal,
      headers,
      rejectUnauthorized: true,
    })
    const timer = setTimeout(
      () => outgoing.destroy(new NetworkFault(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    )
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      settle()
    }
    if (isAllowedPeer) refusePeers(outgoing, isAllowedPeer)
    outgoing.on('error', (error) => finish(() => reject(toFault(error))))
    outgoing.once('response', (incoming) => {
      readAnswer(incoming, question.answerBytesMax).then(
        (answer) => finish(() => resolve(answer)),
        (error: unknown) => {
          finish(() => reject(toFault(error)))
          outgoing.destroy()
        },
      )
    })
    outgoing.end(body)
  })
}

/** Looks once more at where the connection went. */
function refusePeers(outgoing: ClientRequest, isAllowed: (address: string) => boolean): void {
  outgoing.once('socket', (socket) => {
    socket.once('connect', () => {
      if (!isAllowed(socket.remoteAddress ?? ''))
        outgoing.destroy(new NetworkFault('an address that is not allowed'))
    })
  })
}

const jsonHeaders = (body: Uint8Array): Record<string, string> => ({
  'content-type': 'application/json',
  'content-length': String(body.length),
})

async function readAnswer(incoming: IncomingMessage, bytesMax: number): Promise<HostAnswer> {
  const status = incoming.statusCode ?? 0
  if (status < 200 || status > 299) {
    // What a refusal says does not matter; its connection is not worth keeping.
    incoming.destroy()
    return { status, body: NO_BODY }
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    if (!(chunk instanceof Buffer)) throw new NetworkFault('an answer that is no bytes')
    bytes += chunk.length
    if (bytes > bytesMax) throw new NetworkFault(`an answer of more than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  if (!incoming.complete) throw new NetworkFault('an answer that breaks off')
  return { status, body: Buffer.concat(chunks) }
}

function toFault(error: unknown): NetworkFault {
  if (error instanceof NetworkFault) return error
  const message = error instanceof Error ? error.message : String(error)
  return new NetworkFault(message, { cause: error })
}
