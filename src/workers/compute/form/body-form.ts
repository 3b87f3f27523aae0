/**
 * How the body of a change becomes values: all of it the value of one key, or multipart/form-data with a part for each
 * key. Settled with the authorisation, and used wherever the body then arrives.
 */
import { ProtocolError } from '../../../protocol/error.ts'
import { FORM_BOUNDARY_CHARS_MAX } from '../../../protocol/limits.ts'
import { type StagedValue } from '../../blocks/place.ts'
import { type StoredHeaders, withoutImplicitText } from '../invoke/metadata.ts'
import { readHeaderParameters } from './header-parameters.ts'

export type BodyForm =
  | {
      readonly kind: 'value'
      readonly headers: StoredHeaders
      /** The type that `fetch` invents is not stored with JSON (META-2). */
      readonly dropsImplicitText: boolean
    }
  | {
      readonly kind: 'parts'
      readonly boundary: string
      /** Texts of the signed keys, in the order of the operations. */
      readonly keys: readonly string[]
    }

/** A value on its way into an operation. */
export interface StagedPut {
  /** What is stored with it. */
  readonly headers: StoredHeaders
  readonly value: StagedValue
}

export const isFormData = (contentType: string | undefined): boolean =>
  contentType !== undefined && readHeaderParameters(contentType).type === 'multipart/form-data'

/** Characters of a boundary, the last of them no blank (RFC 2046 §5.1.1). */
const BOUNDARY = /^[\w'()+,./:=? -]*[\w'()+,./:=?-]$/

/**
 * Rule: BATCH-6.
 * @throws {ProtocolError} OPTION_INVALID
 */
export function parseBoundary(contentType: string | undefined): string {
  if (contentType === undefined || !isFormData(contentType))
    throw new ProtocolError('OPTION_INVALID', 'Missing multipart content-type')
  const boundary = readHeaderParameters(contentType).parameters.get('boundary') ?? ''
  if (!BOUNDARY.test(boundary) || boundary.length > FORM_BOUNDARY_CHARS_MAX)
    throw new ProtocolError('OPTION_INVALID', 'Missing or invalid multipart boundary')
  return boundary
}

/** The put of a body that is one value. */
export function valuePut(
  { headers, dropsImplicitText }: Extract<BodyForm, { kind: 'value' }>,
  value: StagedValue,
): StagedPut {
  const isShort = value.kind === 'inline'
  const stored = dropsImplicitText && isShort ? withoutImplicitText(headers, value.bytes) : headers
  return { headers: stored, value }
}
