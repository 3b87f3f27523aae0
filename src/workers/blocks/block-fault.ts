/** What a system error means to whoever reads a block. */
import { StorageFault } from '../storage-fault.ts'
import { systemCode } from './file-system.ts'

/**
 * A file that is not there may have been replaced since its row was read: the row is read again, once, and only then
 * is it a fault (DESIGN §4).
 */
export function blockFault(cause: unknown, what: string): StorageFault {
  return systemCode(cause) === 'ENOENT'
    ? new StorageFault('VALUE_MISSING', `${what} is missing`, { cause })
    : new StorageFault('STORAGE_UNAVAILABLE', `${what} cannot be read`, { cause })
}
