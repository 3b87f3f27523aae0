/** Thread that sends back every buffer that it gets, by transfer. */
import { parentPort } from 'node:worker_threads'

const port = parentPort
if (!port) throw new Error('the echo runs in a worker thread')
port.on('message', (batch: ArrayBuffer) => port.postMessage(batch, [batch]))
