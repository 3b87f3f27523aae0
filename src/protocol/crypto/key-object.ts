import { createPublicKey, type KeyObject } from 'node:crypto'
import { concatBytes, viewOf, toLatin1 } from '../bytes.ts'
import { LruMap } from '../lru.ts'

/** Making a `KeyObject` takes about as long as a verification, and clients come back. */
const KEY_OBJECTS_MAX = 4096

const keyObjects = new LruMap<string, KeyObject>(KEY_OBJECTS_MAX)

/** Node's form of a public key: SPKI up to the key, then the key. Undefined if it is no key, such as a point off its curve. */
export function publicKeyObject(
  spkiHead: Uint8Array,
  publicKey: Uint8Array,
): KeyObject | undefined {
  const spki = concatBytes([spkiHead, publicKey])
  const id = toLatin1(spki)
  const known = keyObjects.get(id)
  if (known !== undefined) return known
  try {
    const keyObject = createPublicKey({ key: viewOf(spki), format: 'der', type: 'spki' })
    keyObjects.set(id, keyObject)
    return keyObject
  } catch {
    return undefined
  }
}
