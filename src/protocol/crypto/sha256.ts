import { hash } from 'node:crypto'
import { plainBytes } from '../bytes.ts'

/** 32 bytes. Node's own is the fastest there is, so there is no choice of backends. */
export const sha256 = (bytes: Uint8Array): Uint8Array => plainBytes(hash('sha256', bytes, 'buffer'))
