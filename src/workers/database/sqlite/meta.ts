/** Names in the table `meta`. */

/** Largest expiry of a purged replay row: 8 bytes, a little-endian double. */
export const REPLAY_BOUND = 'replay-bound'
/** Fingerprint of the node secret, 32 bytes. */
export const SECRET_FINGERPRINT = 'secret-fingerprint'
/** The rule of `storage.history`, as text, that all kept versions are known to keep to. */
export const SETTLED_RULE = 'settled-history'
/** Where the scrub is in its cycle: two little-endian doubles, a row id and the Unix seconds of its begin. */
export const SCRUB_POSITION = 'scrub-position'
