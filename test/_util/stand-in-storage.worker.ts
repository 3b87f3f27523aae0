/** A storage thread that answers every command of the stand-in compute worker with 200. `workerData` is its script. */
import { parentPort, workerData } from 'node:worker_threads'

import { emptyAnswer } from '../../src/protocol/answer.ts'
import { PackedReader, PackedWriter } from '../../src/protocol/packed.ts'
import {
  type Fault,
  type StorageEvent,
  type StorageMessage,
  writeReply,
} from '../../src/workers/storage/request.ts'

const script: { fault?: Fault; probe?: 'fails' | 'hangs' } = workerData
const post = (event: StorageEvent, transfer: ArrayBuffer[] = []): void =>
  parentPort?.postMessage(event, transfer)

function answerAll(batch: ArrayBuffer): void {
  const commands = new PackedReader(batch)
  const replies = new PackedWriter()
  while (!commands.isDone) {
    const requestId = commands.u32()
    writeReply(replies, { requestId, kind: 'answer', answer: emptyAnswer([['etag', '"stored"']]) })
  }
  const packed = replies.finish()
  post({ kind: 'replies', batch: packed }, [packed])
}

function receive(message: StorageMessage): void {
  switch (message.kind) {
    case 'commands':
      answerAll(message.batch)
      break
    case 'probe':
      if (script.probe === 'hangs') break
      post({
        kind: 'probed',
        probeId: message.probeId,
        failure: script.probe === 'fails' ? { code: 'STORAGE_UNAVAILABLE', detail: '' } : undefined,
      })
      break
    case 'counters':
      post({
        kind: 'counters',
        counters: {
          groups: 1,
          commands: 2,
          packBytes: 3,
          syncs: 4,
          checkpoints: 5,
          quarantined: 0,
          freeBytes: 12,
          mailboxItems: 6,
          liveBytes: 7,
          deadBytes: 8,
          historyBytes: 9,
          reclaimedBytes: 10,
          oldestGarbageS: 11,
        },
      })
      break
    case 'quarantine':
    case 'scrub-position':
      break
    case 'close':
      post({ kind: 'closed' })
      parentPort?.close()
      break
  }
}

if (script.fault) post({ kind: 'fault', fault: script.fault })
else {
  parentPort?.on('message', receive)
  post({ kind: 'ready', run: { runNo: 1, runId: 'run' } })
}
