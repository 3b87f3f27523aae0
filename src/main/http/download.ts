/**
 * Answers that do not fit in memory, in windows that are pulled as the client takes them: large values from the worker
 * that holds their descriptor, and lists that go on from any worker. Whatever fails on the way resets the connection: a
 * broken answer must never look like a whole one.
 */
import { releaseBytes } from '../../protocol/release-bytes.ts'
import { type StreamTasks } from '../../workers/compute/request.ts'
import { type ComputeClient, type ComputeWorker } from '../compute-client.ts'
import { type Outcome } from '../pipeline/dispatcher.ts'
import { type Exchange } from './exchange.ts'

type Download = Extract<Outcome, { kind: 'download' }>
type ListPart = StreamTasks['listWindow']['result']
type Listing = Extract<Outcome, { kind: 'listing' }>

/** Sends a large value. The next window is read while the present one is on its way out. */
export async function sendDownload(
  exchange: Exchange,
  compute: ComputeClient,
  worker: ComputeWorker,
  download: Download,
): Promise<void> {
  const { answer, streamId, bodyBytes } = download
  const { response } = exchange
  const pull = (): Promise<StreamTasks['window']['result']> =>
    compute.runStreamTask(worker, 'window', { streamId })
  const release = compute.pinStream(worker)
  let missingBytes = bodyBytes
  try {
    if (!exchange.startStream(answer.status, answer.headers, bodyBytes)) return
    let next = pull()
    while (missingBytes > 0) {
      const window = await next
      if (!window.ok || exchange.isGone) return
      const { bytes, isLast } = window.value
      missingBytes -= bytes.length
      if (isLast !== (missingBytes === 0)) return
      if (!isLast) next = pull()
      const hasRoom = response.write(bytes, (error) => {
        if (!error) releaseBytes(bytes)
      })
      if (!hasRoom) await exchange.drained()
    }
    response.end()
  } finally {
    release()
    if (missingBytes > 0) {
      void compute.runStreamTask(worker, 'discard', { streamId })
      exchange.reset()
    }
  }
}

/** Sends a list whose length nobody knows yet. */
export async function sendListing(
  exchange: Exchange,
  compute: ComputeClient,
  listing: Listing,
): Promise<void> {
  const { response } = exchange
  const { answer } = listing
  let isComplete = false
  let continuation: Uint8Array | undefined = new Uint8Array(listing.continuation)
  try {
    if (!exchange.startStream(answer.status, answer.headers, undefined)) return
    if (!response.write(answer.body)) await exchange.drained()
    while (continuation) {
      const worker = compute.workerForStream()
      if (!worker || exchange.isGone) return
      const part: ListPart = await compute.runStreamTask(worker, 'listWindow', { continuation })
      if (!part.ok) return
      continuation = part.value.continuation
      if (!response.write(part.value.bytes)) await exchange.drained()
    }
    isComplete = true
    response.end()
  } finally {
    if (!isComplete) exchange.reset()
  }
}
