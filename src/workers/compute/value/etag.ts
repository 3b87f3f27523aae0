/** ETags of values: the digest, so equal values have equal tags on every node (reference-behaviour §3.1, §3.2). */
import { toHex } from '../../../protocol/bytes.ts'

export const etagOf = (digest: Uint8Array): string => `"blake3-${toHex(digest)}"`

/** Does `If-None-Match` of a get name the value? Weak comparison, lists, `*`. Rule: COND-3, from reference-behaviour §3.2. */
export function matchesEtag(header: string, etag: string): boolean {
  if (header.trim() === '*') return true
  return header.split(',').some((part) => {
    const candidate = part.trim()
    return (candidate.startsWith('W/') ? candidate.slice(2) : candidate) === etag
  })
}
