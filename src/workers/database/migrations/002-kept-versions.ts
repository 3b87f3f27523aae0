/** Versions that were replaced and are still kept (`storage.history`), and when epochs were written. */
import { type Migration } from './migration.ts'

export const MIGRATION_002: Migration = {
  number: 2,
  statements: [
    // By the clock of the node that wrote it; null for what came before this migration.
    `ALTER TABLE epoch ADD COLUMN written_at REAL`,
    // A replaced value that can still be read. replaced_by_no is the version that took its place, so that rows append.
    // position counts the values of the key that were replaced. value_bytes and object_no are those of the version.
    `CREATE TABLE kv_kept (
      replaced_by_no INTEGER NOT NULL PRIMARY KEY,
      version_no INTEGER NOT NULL,
      space_no INTEGER NOT NULL,
      kv_key BLOB NOT NULL,
      seq INTEGER NOT NULL,
      epoch_seq INTEGER NOT NULL,
      position INTEGER NOT NULL,
      value_bytes INTEGER NOT NULL,
      object_no INTEGER,
      replaced_at REAL NOT NULL,
      crc INTEGER NOT NULL
    ) STRICT`,
    // The versions of a key in their order: a version is found by its key and its name, never by its number alone.
    `CREATE UNIQUE INDEX kv_kept_by_key ON kv_kept (space_no, kv_key, seq, epoch_seq)`,
    // Not the order of the rows: clocks step back.
    `CREATE INDEX kv_kept_by_time ON kv_kept (replaced_at)`,
  ],
}
