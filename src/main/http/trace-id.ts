/** Names of requests, for the `tinycloud-trace-id` header and the log: 32 random hex digits. */
import { randomFillSync } from 'node:crypto'

const ID_BYTES = 16
/** Random bytes are drawn for this many ids at once: one by one they cost more than the rest of the answer's headers. */
const IDS_PER_DRAW = 256

const pool = Buffer.alloc(ID_BYTES * IDS_PER_DRAW)
let offset = pool.length

export function createTraceId(): string {
  if (offset === pool.length) {
    randomFillSync(pool)
    offset = 0
  }
  offset += ID_BYTES
  return pool.toString('hex', offset - ID_BYTES, offset)
}
