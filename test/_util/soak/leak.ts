/**
 * Loaded into the program before its own modules (`node --import`), to prove that the soak can fail: each thread keeps
 * memory and a descriptor more every moment.
 */
import { openSync } from 'node:fs'

const EVERY_MS = 20
const kept: unknown[] = []

setInterval(() => {
  kept.push(Buffer.alloc(512 * 1024, kept.length), openSync('/dev/null', 'r'))
}, EVERY_MS).unref()
