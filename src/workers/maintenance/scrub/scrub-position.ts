/** Where the scrub is, in the form in which it is kept between two starts. */
import { type ScrubPosition } from '../request.ts'

const POSITION_BYTES = 16

export function formatScrubPosition({ afterNo, cycleStartedAtS }: ScrubPosition): Uint8Array {
  const bytes = new Uint8Array(POSITION_BYTES)
  const view = new DataView(bytes.buffer)
  view.setFloat64(0, afterNo, true)
  view.setFloat64(8, cycleStartedAtS, true)
  return bytes
}

/** Undefined: what was kept is of no use, and the scrub begins anew. */
export function readScrubPosition(bytes: Uint8Array | undefined): ScrubPosition | undefined {
  if (bytes?.length !== POSITION_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const afterNo = view.getFloat64(0, true)
  const cycleStartedAtS = view.getFloat64(8, true)
  if (!Number.isSafeInteger(afterNo) || afterNo < 0 || !Number.isFinite(cycleStartedAtS))
    return undefined
  return { afterNo, cycleStartedAtS }
}
