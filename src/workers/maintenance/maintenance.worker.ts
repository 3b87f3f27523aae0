/**
 * Entry of a maintenance thread: MaintenanceOptions come as workerData, MaintenanceEvents go out. It may be ended at any
 * moment: it reads, and what a verification of a stopped node writes is one transaction.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { StartFault } from '../storage/request.ts'
import { type MaintenanceEvent, type MaintenanceOptions } from './request.ts'
import { runScrubCycle } from './scrub/run-scrub-cycle.ts'
import { runVerify } from './verify/run-verify.ts'

const port = parentPort
if (!port) throw new Error('maintenance.worker runs as a worker thread')

const post = (event: MaintenanceEvent): void => port.postMessage(event)
const nowS = (): number => Date.now() / 1000
const nowMs = (): number => performance.now()

const options: MaintenanceOptions = workerData
try {
  if (options.task === 'verify')
    post({ kind: 'report', report: await runVerify(options, { post, nowS, nowMs }) })
  else await runScrubCycle(options, { post, nowS, nowMs })
} catch (error) {
  if (!(error instanceof StartFault)) throw error
  post({ kind: 'fault', fault: error.fault })
}
port.close()
