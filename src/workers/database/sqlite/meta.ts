/** The table `meta`: its names, and how a name is read and written. */
import { type Statement } from 'better-sqlite3'
import { type Connection } from './connection.ts'

/** Largest expiry of a purged replay row: 8 bytes, a little-endian double. */
export const REPLAY_BOUND = 'replay-bound'
/** Fingerprint of the node secret, 32 bytes. */
export const SECRET_FINGERPRINT = 'secret-fingerprint'
/** The rule of `storage.history`, as text, that all kept versions are known to keep to. */
export const SETTLED_RULE = 'settled-history'
/** Where the scrub is in its cycle: two little-endian doubles, a row id and the Unix seconds of its begin. */
export const SCRUB_POSITION = 'scrub-position'

export const prepareMetaRead = (connection: Connection): Statement<[name: string], Buffer> =>
  connection.prepare<[string], Buffer>('SELECT content FROM meta WHERE name = ?').pluck()

/** In place of what the name had. */
export const prepareMetaWrite = (
  connection: Connection,
): Statement<[name: string, content: Uint8Array]> =>
  connection.prepare<[string, Uint8Array]>(
    'INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET content = excluded.content',
  )
