/** Why the node cannot start, in the three sentences that its user needs. Thrown only while starting. */
import { type Fault } from './storage/request.ts'

export class StartFault extends Error {
  override readonly name = 'StartFault'
  readonly fault: Fault

  constructor(fault: Fault, options?: ErrorOptions) {
    super(`${fault.what}: ${fault.why}`, options)
    this.fault = fault
  }
}
