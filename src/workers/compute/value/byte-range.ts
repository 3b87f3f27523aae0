/**
 * The part of a value that `Range` and `If-Range` ask for (RFC 9110 §14, reference-behaviour §6.6). Only one range in
 * bytes is understood; whatever else stands there is ignored, as the RFC allows, and the whole value is the answer.
 */

/** Both ends inclusive, as in `Content-Range`. */
export interface BytePart {
  readonly first: number
  readonly last: number
}

export type WantedPart =
  | { readonly kind: 'whole' }
  | ({ readonly kind: 'part' } & BytePart)
  /** It begins at or after the end of the value. */
  | { readonly kind: 'outside' }

export interface RangeHeaders {
  readonly range: string | undefined
  readonly ifRange: string | undefined
}

const ONE_RANGE = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i

const WHOLE: WantedPart = { kind: 'whole' }
const OUTSIDE: WantedPart = { kind: 'outside' }

/**
 * Rule: RANGE-1, RANGE-2. A condition holds only for exactly the value's own strong ETag: a date, a weak tag and a list
 * name no version for certain.
 */
export function wantedPart(
  { range, ifRange }: RangeHeaders,
  value: { readonly etag: string; readonly valueBytes: number },
): WantedPart {
  if (range === undefined) return WHOLE
  if (ifRange !== undefined && ifRange.trim() !== value.etag) return WHOLE
  const match = ONE_RANGE.exec(range.trim())
  if (!match) return WHOLE
  const [, first, last, suffix] = match
  const { valueBytes } = value
  if (suffix !== undefined) return lastBytes(Number(suffix), valueBytes)
  const start = Number(first)
  const end = last === '' ? Infinity : Number(last)
  if (end < start) return WHOLE
  if (start >= valueBytes) return OUTSIDE
  return { kind: 'part', first: start, last: Math.min(end, valueBytes - 1) }
}

function lastBytes(count: number, valueBytes: number): WantedPart {
  if (count === 0 || valueBytes === 0) return OUTSIDE
  return { kind: 'part', first: Math.max(0, valueBytes - count), last: valueBytes - 1 }
}
