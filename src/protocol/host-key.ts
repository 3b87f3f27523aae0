/** Keys of the node, all derived from its one secret (reference-behaviour §5.5): nothing is kept per space. */
import { utf8, concatBytes } from './bytes.ts'
import { blake3 } from './crypto/blake3.ts'
import { ed25519PublicKey } from './crypto/ed25519.ts'
import { formatDidKey } from './did.ts'

const NODE_IDENTITY_LABEL = 'tinycloud/node/identity'

/**
 * blake3(secret ‖ label), 32 bytes.
 *
 * Space ids and inner labels share one namespace; they cannot meet, because a space id begins with `tinycloud:` and a
 * label never does.
 */
export const deriveSeed = (secret: Uint8Array, label: string): Uint8Array =>
  blake3(concatBytes([secret, utf8(label)]))

/** The `did:key` that a host delegation for this space names. Rule: HOST-3, from reference-behaviour §1.4. */
export const hostDid = (secret: Uint8Array, spaceId: string): string =>
  didOfSeed(deriveSeed(secret, spaceId))

/** The `did:key` of the node itself (`nodeId`, reference-behaviour §1.3). */
export const nodeDid = (secret: Uint8Array): string =>
  didOfSeed(deriveSeed(secret, NODE_IDENTITY_LABEL))

const didOfSeed = (seed: Uint8Array): string => formatDidKey('Ed25519', ed25519PublicKey(seed))
