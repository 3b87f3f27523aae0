/**
 * Entry of the storage thread: binds the actor to its port. StorageOptions come as workerData, StorageMessages in,
 * StorageEvents out. If this thread dies the process must exit: outcomes are unknown, and it is never restarted inside
 * the process (DESIGN §2).
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  StartFault,
  type StorageEvent,
  type StorageMessage,
  type StorageOptions,
} from './request.ts'
import { SAMPLE_INTERVAL_S } from './space-guard.ts'
import { type RunningStorage, startStorage } from './start-storage.ts'
import { startTending } from './tending.ts'

const port = parentPort
if (!port) throw new Error('storage.worker runs as a worker thread')

function post(event: StorageEvent): void {
  port?.postMessage(event, event.kind === 'replies' ? [event.batch] : [])
}

/** An uncaught error ends the thread, and main the process. */
function die(error: unknown): void {
  setImmediate(() => {
    throw error
  })
}

async function close(storage: RunningStorage): Promise<void> {
  await storage.close()
  post({ kind: 'closed' })
  port?.close()
}

function receive(storage: RunningStorage, message: StorageMessage): void {
  const { actor } = storage
  switch (message.kind) {
    case 'commands':
      actor.submit(message.batch)
      break
    case 'probe':
      actor.probe(message.probeId, message.write)
      break
    case 'counters':
      post({ kind: 'counters', counters: actor.counters })
      break
    case 'quarantine':
      actor.quarantine(message.damages)
      break
    case 'scrub-position':
      actor.keepScrubPosition(message.position)
      break
    case 'close':
      close(storage).catch(die)
      break
  }
}

const nowS = (): number => Date.now() / 1000
const options: StorageOptions = workerData
try {
  const storage = await startStorage(options, { post, die, nowS })
  startTending(storage.actor)
  // A disk fills and empties also while nobody writes here.
  setInterval(() => storage.spaceGuard.check(nowS()), SAMPLE_INTERVAL_S * 1000).unref()
  port.on('message', (message: StorageMessage) => {
    receive(storage, message)
  })
  post({ kind: 'ready', run: storage.run })
} catch (error) {
  if (!(error instanceof StartFault)) throw error
  post({ kind: 'fault', fault: error.fault })
}
