/** Reads the fault that a start-up step throws, so that a test can look at each of its three sentences. */
import { StartFault, type Fault } from '../../src/workers/storage/request.ts'

export function catchFault(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    if (error instanceof StartFault) return error.fault
    throw error
  }
  throw new Error('no fault was thrown')
}
