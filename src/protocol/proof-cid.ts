/** Cited proofs. A session cites the same delegation in every request, so its CID is decoded once. */
import { BLAKE3_CODE, DIGEST_BYTES, parseCid } from './cid.ts'
import { ProtocolError } from './error.ts'
import { TOKEN_PROOFS_MAX } from './limits.ts'
import { LruMap } from './lru.ts'

/** A CID and its digest take some 200 bytes in the cache. */
const DIGESTS_CACHED_MAX = 4096
const digests = new LruMap<string, Uint8Array>(DIGESTS_CACHED_MAX)

/** Stands for a proof hashed with another function: nothing is stored under it. */
const NO_DIGEST: Uint8Array = new Uint8Array(DIGEST_BYTES)

/**
 * The BLAKE3 digests of proofs; the codec of a CID does not matter (reference-behaviour §2.4).
 *
 * Ownership: shared with the cache, never written to.
 * Rule: TOKEN-8.
 * @throws {ProtocolError} TOKEN_MALFORMED: not a CID, more than `TOKEN_PROOFS_MAX`
 */
export function parseProofs(cids: readonly string[]): Uint8Array[] {
  if (cids.length > TOKEN_PROOFS_MAX) {
    throw new ProtocolError('TOKEN_MALFORMED', 'too many proofs')
  }
  return cids.map(parseProof)
}

function parseProof(cid: string): Uint8Array {
  const known = digests.get(cid)
  if (known) return known
  const { hashCode, digest } = parseCid(cid)
  const isOurs = hashCode === BLAKE3_CODE && digest.length === DIGEST_BYTES
  const proof = isOurs ? Uint8Array.from(digest) : NO_DIGEST
  digests.set(cid, proof)
  return proof
}
