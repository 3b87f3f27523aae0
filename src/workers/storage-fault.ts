/** A fault of the node's own storage, met by a reader or a writer. Never the caller's: it answers 5xx without detail. */
import { type ErrorCode } from '../protocol/error.ts'

export type StorageFaultCode = Extract<
  ErrorCode,
  'STORAGE_UNAVAILABLE' | 'STORAGE_FULL' | 'VALUE_CORRUPT' | 'VALUE_MISSING' | 'INTERNAL'
>

export class StorageFault extends Error {
  override readonly name = 'StorageFault'
  readonly code: StorageFaultCode

  constructor(code: StorageFaultCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
