/** What a client holds after signing: the header that it sends, and the name by which it is cited. */
import { blake3 } from '../crypto/blake3.ts'
import { formatRawCid } from '../cid.ts'

export interface IssuedToken {
  /** The value of the `Authorization` header. */
  readonly authorization: string
  /** `bafkr4i…` */
  readonly cid: string
}

/** `bytes`: what the CID is the hash of (reference-behaviour §2.4). */
export const issuedToken = (authorization: string, bytes: Uint8Array): IssuedToken => ({
  authorization,
  cid: formatRawCid(blake3(bytes)),
})
