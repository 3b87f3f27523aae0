const COMPRESSED_BYTES = 33
const UNCOMPRESSED_BYTES = 65

/**
 * Whether bytes have one of the two forms of a point that every backend takes (SEC 1 §2.3.3): compressed, or both
 * coordinates. The hybrid form (06, 07), which some libraries take, is none. Not whether the point is on a curve.
 */
export function hasPointForm(publicKey: Uint8Array): boolean {
  const kind = publicKey[0]
  if (publicKey.length === COMPRESSED_BYTES) return kind === 0x02 || kind === 0x03
  return publicKey.length === UNCOMPRESSED_BYTES && kind === 0x04
}
