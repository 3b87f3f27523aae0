/** Names in the table `meta`. */

/** Largest expiry of a purged replay row: 8 bytes, a little-endian double. */
export const REPLAY_BOUND = 'replay-bound'
/** Fingerprint of the node secret, 32 bytes. */
export const SECRET_FINGERPRINT = 'secret-fingerprint'
