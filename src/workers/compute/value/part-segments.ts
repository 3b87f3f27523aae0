/**
 * Parts of large values. A segment is the unit that is verified, so the first and the last one of a part are read whole,
 * and then cut.
 */
import { SEGMENT_BYTES } from '../../../protocol/limits.ts'
import { type BytePart } from './byte-range.ts'

/** The segments that hold a part. */
export function segmentsOf({ first, last }: BytePart): {
  readonly first: number
  readonly count: number
} {
  const firstSegment = Math.floor(first / SEGMENT_BYTES)
  return { first: firstSegment, count: Math.floor(last / SEGMENT_BYTES) + 1 - firstSegment }
}

/** What some bytes of the value, which begin at `offset` of it, hold of the part. A view into them. */
export function cutPart(bytes: Uint8Array, offset: number, { first, last }: BytePart): Uint8Array {
  const start = Math.max(0, first - offset)
  const end = Math.min(bytes.length, last + 1 - offset)
  return bytes.subarray(start, end)
}
