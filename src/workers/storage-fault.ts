/** A fault of the node's own storage, met by a reader or a writer. Never the caller's: it answers 5xx without detail. */
import { type ErrorCode } from '../protocol/error.ts'
import { type Damage, type DamageKind } from './storage/request.ts'

export type StorageFaultCode = Extract<
  ErrorCode,
  'STORAGE_UNAVAILABLE' | 'STORAGE_FULL' | 'VALUE_CORRUPT' | 'VALUE_MISSING' | 'INTERNAL'
>

/** What is damaged, where a fault is that of one row or block. */
export interface DamagedRow {
  readonly kind: DamageKind
  readonly rowId: string | number
}

export class StorageFault extends Error {
  override readonly name = 'StorageFault'
  readonly code: StorageFaultCode
  /** For the quarantine; undefined: nothing stored is damaged, or it is known already. */
  readonly damage: Damage | undefined

  constructor(
    code: StorageFaultCode,
    message: string,
    { damaged, ...options }: ErrorOptions & { readonly damaged?: DamagedRow } = {},
  ) {
    super(message, options)
    this.code = code
    this.damage = damaged && {
      kind: damaged.kind,
      rowId: String(damaged.rowId),
      reason: message,
    }
  }
}
