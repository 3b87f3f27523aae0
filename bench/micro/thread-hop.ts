/** What a batch costs that goes to another thread and back, by transfer, with nothing done to it there. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type MicroTasks } from './task.ts'

/** A batch of one entry, and of 16 with a value of 1 KiB each. */
const BATCH_BYTES = [2 * 1024, 32 * 1024]

export async function openThreadHop(): Promise<MicroTasks> {
  const worker = new Worker(new URL('echo.worker.ts', import.meta.url))
  await once(worker, 'online')
  return {
    tasks: BATCH_BYTES.map((batchBytes) => ({
      name: `thread hop and back, ${batchBytes / 1024} KiB`,
      async run() {
        const batch = new ArrayBuffer(batchBytes)
        worker.postMessage(batch, [batch])
        await once(worker, 'message')
      },
    })),
    async close() {
      await worker.terminate()
    },
  }
}
