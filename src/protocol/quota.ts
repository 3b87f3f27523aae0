/** Room of a space: what is said to a change that needs more, and how it travels between threads. */
import { type Failure } from './answer.ts'
import { type PackedReader, type PackedWriter } from './packed.ts'

/** What a space had left for one value when it was authorised. */
export interface UploadRoom {
  readonly space: string
  /** Live bytes of the space. */
  readonly usedBytes: number
  /** Those of them that the change removes. */
  readonly creditBytes: number
  readonly limitBytes: number
}

/**
 * A change that lets a space grow from `usedBytes` by `grownBytes`. What does not grow it is welcome also where it is
 * over its limit already.
 *
 * Rule: QUOTA-1, QUOTA-2, from reference-behaviour §3.6 and §1.7.
 */
export function findQuotaRefusal(
  usedBytes: number,
  grownBytes: number,
  bytesMax: number,
): Failure | undefined {
  if (grownBytes <= 0 || usedBytes + grownBytes <= bytesMax) return undefined
  const code = usedBytes >= bytesMax ? 'QUOTA_EXCEEDED' : 'QUOTA_REMAINDER'
  return { code, detail: describeUse(usedBytes, bytesMax) }
}

/** Clients look for these words (sdk-contract §1.15). */
export const describeUse = (usedBytes: number, bytesMax: number): string =>
  `Used: ${usedBytes} bytes, Limit: ${bytesMax} bytes`

export function writeUploadRoom(writer: PackedWriter, room: UploadRoom | undefined): void {
  writer.u8(room ? 1 : 0)
  if (room) writer.text(room.space).f64(room.usedBytes).f64(room.creditBytes).f64(room.limitBytes)
}

export function readUploadRoom(reader: PackedReader): UploadRoom | undefined {
  if (reader.u8() === 0) return undefined
  return {
    space: reader.text(),
    usedBytes: reader.f64(),
    creditBytes: reader.f64(),
    limitBytes: reader.f64(),
  }
}
