import { verify } from 'node:crypto'
import { publicKeyObject } from './key-object.ts'
import { type P256Backend } from './p256.ts'
import { parseHex } from '../bytes.ts'

/** SPKI of RFC 5480 up to the point, for either form of it. */
const SPKI_HEAD_COMPRESSED = parseHex('3039301306072a8648ce3d020106082a8648ce3d030107032200')
const SPKI_HEAD_UNCOMPRESSED = parseHex('3059301306072a8648ce3d020106082a8648ce3d030107034200')
const COMPRESSED_BYTES = 33

/** OpenSSL by node:crypto. */
export function loadNodeP256(): P256Backend {
  return {
    name: 'node:crypto',
    verify: (compact, message, publicKey) => {
      const isCompressed = publicKey.length === COMPRESSED_BYTES
      const key = publicKeyObject(
        isCompressed ? SPKI_HEAD_COMPRESSED : SPKI_HEAD_UNCOMPRESSED,
        publicKey,
      )
      if (key === undefined) return false
      return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, compact)
    },
  }
}
