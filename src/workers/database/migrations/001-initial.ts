/**
 * The first schema, in SQLite's dialect. The logical schema is the same on every engine: numbers, texts, byte strings
 * that compare as bytes, and no rule that only one engine has.
 *
 * Row ids are run number × 2^32 + counter. Every table but `kv_current` and those named by a hash appends.
 */
import { type Migration } from './migration.ts'

const RUNS_AND_FILES = [
  // What the node remembers about itself: fingerprint of its secret, bound of the replay purge.
  `CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    content BLOB NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // One start of the program. Every group updates its own row where it has not ended: a run that was declared dead
  // cannot commit. pack_bytes is the committed length of the active pack, object_mark the highest object number used.
  `CREATE TABLE run (
    run_no INTEGER NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    started_at REAL NOT NULL,
    group_no INTEGER NOT NULL,
    pack_no INTEGER,
    pack_bytes INTEGER NOT NULL,
    object_mark INTEGER NOT NULL,
    ended_at REAL,
    cleaned_at REAL
  ) STRICT`,
  // file_bytes is the committed length once the pack is no longer the active one of its run; index_bytes of them are its
  // index. live_bytes are named by rows that need them, history_bytes of those are records of statements.
  `CREATE TABLE pack (
    pack_no INTEGER NOT NULL PRIMARY KEY,
    run_no INTEGER NOT NULL,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    first_row_id INTEGER NOT NULL,
    file_bytes INTEGER NOT NULL,
    live_bytes INTEGER NOT NULL,
    dead_since REAL,
    history_bytes INTEGER NOT NULL,
    index_bytes INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX pack_by_state ON pack (state)`,
  // A large value in a file of its own. object_no is run number × 2^32 + number within the run: it gives the path.
  `CREATE TABLE object (
    object_no INTEGER NOT NULL PRIMARY KEY,
    value_bytes INTEGER NOT NULL,
    segments BLOB NOT NULL,
    dead_since REAL
  ) STRICT`,
  // With the lengths, so that what is live and dead is counted without a look at the rows and their segments.
  `CREATE INDEX object_by_death ON object (dead_since, value_bytes)`,
]

const DAMAGE = [
  // What was found broken, by a read, the scrub or a verification: kept, reported, and never served.
  `CREATE TABLE quarantine (
    kind TEXT NOT NULL,
    row_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    found_at REAL NOT NULL,
    PRIMARY KEY (kind, row_id)
  ) STRICT, WITHOUT ROWID`,
]

const SPACES_AND_HISTORY = [
  // hosted_at is null for a space that delegations name and nobody hosts here.
  `CREATE TABLE space (
    space_no INTEGER NOT NULL PRIMARY KEY,
    space_id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    hosted_at REAL,
    next_seq INTEGER NOT NULL,
    heads BLOB NOT NULL,
    last_epoch_no INTEGER,
    last_event_no INTEGER,
    live_bytes INTEGER NOT NULL,
    history_bytes INTEGER NOT NULL
  ) STRICT`,
  // The history record of one command: the CAR section of its token, then those of its operations, in one stretch.
  `CREATE TABLE statement (
    statement_no INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    statement_id BLOB NOT NULL,
    pack_no INTEGER NOT NULL,
    pack_offset INTEGER NOT NULL,
    pack_length INTEGER NOT NULL,
    token_length INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE epoch (
    epoch_no INTEGER NOT NULL PRIMARY KEY,
    space_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    block BLOB NOT NULL,
    previous_no INTEGER
  ) STRICT`,
  `CREATE TABLE event (
    event_no INTEGER NOT NULL PRIMARY KEY,
    space_no INTEGER NOT NULL,
    epoch_no INTEGER NOT NULL,
    epoch_seq INTEGER NOT NULL,
    statement_no INTEGER NOT NULL,
    previous_no INTEGER
  ) STRICT`,
]

const VALUES = [
  // digest is that of the value, or of the value that a deletion removed.
  `CREATE TABLE kv_version (
    version_no INTEGER NOT NULL PRIMARY KEY,
    space_no INTEGER NOT NULL,
    kv_key BLOB NOT NULL,
    event_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    epoch_seq INTEGER NOT NULL,
    previous_no INTEGER,
    is_deleted INTEGER NOT NULL,
    digest BLOB NOT NULL,
    value_bytes INTEGER NOT NULL,
    pack_no INTEGER,
    pack_offset INTEGER,
    pack_length INTEGER,
    object_no INTEGER,
    headers TEXT NOT NULL,
    operation_index INTEGER NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE kv_current (
    space_no INTEGER NOT NULL,
    is_deleted INTEGER NOT NULL,
    kv_key BLOB NOT NULL,
    version_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (space_no, is_deleted, kv_key)
  ) STRICT, WITHOUT ROWID`,
]

const RIGHTS = [
  `CREATE TABLE delegation (
    delegation_no INTEGER NOT NULL PRIMARY KEY,
    statement_id BLOB NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    encoding TEXT NOT NULL,
    delegator TEXT NOT NULL,
    delegatee TEXT NOT NULL,
    not_before REAL,
    expires_at REAL,
    issued_at REAL,
    effective_not_before REAL,
    effective_expires_at REAL,
    is_terminal INTEGER NOT NULL,
    capabilities BLOB NOT NULL,
    parents BLOB NOT NULL,
    closure BLOB NOT NULL,
    accounts TEXT NOT NULL,
    statement_no INTEGER NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT`,
  // Every spelling of a stored delegation, the first one included.
  `CREATE TABLE delegation_cid (
    digest BLOB NOT NULL PRIMARY KEY,
    delegation_no INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // event_no is null where the space was not hosted when the delegation came.
  `CREATE TABLE delegation_space (
    space_no INTEGER NOT NULL,
    delegation_no INTEGER NOT NULL,
    event_no INTEGER,
    PRIMARY KEY (space_no, delegation_no)
  ) STRICT, WITHOUT ROWID`,
  // What accounts gave and received, in the order of their lists: position sorts by bytes, the latest issue first.
  `CREATE TABLE account_delegation (
    account TEXT NOT NULL,
    direction TEXT NOT NULL,
    position BLOB NOT NULL,
    delegation_no INTEGER NOT NULL,
    PRIMARY KEY (account, direction, position)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE revocation (
    target_statement_id BLOB NOT NULL PRIMARY KEY,
    revocation_no INTEGER NOT NULL,
    target_digest BLOB NOT NULL,
    revoker TEXT NOT NULL,
    revoked_at REAL NOT NULL,
    statement_no INTEGER NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // In order of expiry, so that it appends and is purged by range.
  `CREATE TABLE replay (
    expires_at REAL NOT NULL,
    statement_id BLOB NOT NULL,
    PRIMARY KEY (expires_at, statement_id)
  ) STRICT, WITHOUT ROWID`,
  // A signed URL that may still be used. ticket_id is a keyed hash of what the URL carries.
  `CREATE TABLE signed_kv_ticket (
    ticket_id BLOB NOT NULL PRIMARY KEY,
    signer TEXT NOT NULL,
    space_no INTEGER NOT NULL,
    kv_key BLOB NOT NULL,
    digest BLOB NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    closure BLOB NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX signed_kv_ticket_by_expiry ON signed_kv_ticket (expires_at)`,
]

export const MIGRATION_001: Migration = {
  number: 1,
  statements: [...RUNS_AND_FILES, ...DAMAGE, ...SPACES_AND_HISTORY, ...VALUES, ...RIGHTS],
}
