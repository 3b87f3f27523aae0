/** Rows of the tables without a checksum: the run, its files, the spaces and their history. */

export interface RunRow {
  readonly runNo: number
  readonly runId: string
  readonly startedAtS: number
  readonly groupNo: number
  /** The active pack; null until the first one exists. */
  readonly packNo: number | null
  /** Committed length of the active pack. */
  readonly packBytes: number
  /** Highest object number within the run that a commit knows; 0: none. */
  readonly objectMark: number
  readonly endedAtS: number | null
  /** Its tails are cut, its packs sealed, its orphans removed. */
  readonly cleanedAtS: number | null
}

/** `active`: values and history as they arrive. The others are written by compaction. */
export type PackKind = 'active' | 'value' | 'history'
export type PackState = 'writing' | 'sealed' | 'dead'

export interface PackRow {
  readonly packNo: number
  readonly runNo: number
  readonly state: PackState
  readonly kind: PackKind
  /** Every row that the pack serves has this id or a later one. */
  readonly firstRowId: number
  /** Committed length once it is not the active pack of its run. */
  readonly fileBytes: number
  readonly liveBytes: number
}

export interface SpaceRow {
  readonly spaceNo: number
  readonly spaceId: string
  readonly owner: string
  readonly hostedAtS: number | null
  /** `seq` of the next epoch: the number of epochs so far. */
  readonly nextSeq: number
  /** Digests of the epochs that no other one names as parent, 32 bytes each. */
  readonly heads: Uint8Array
  readonly lastEpochNo: number | null
  readonly lastEventNo: number | null
  readonly liveBytes: number
  readonly historyBytes: number
}

export interface StatementRow {
  readonly statementNo: number
  readonly kind: 'invocation' | 'delegation' | 'revocation'
  readonly digest: Uint8Array
  readonly statementId: Uint8Array
  readonly packNo: number
  readonly packOffset: number
  readonly packLength: number
  /** Of the token's section, the first of the record. */
  readonly tokenLength: number
}

export interface EpochRow {
  readonly epochNo: number
  readonly spaceNo: number
  readonly seq: number
  readonly digest: Uint8Array
  /** Canonical DAG-CBOR (protocol/history.ts). */
  readonly block: Uint8Array
  readonly previousNo: number | null
  /** By the clock of the node, Unix seconds; null: it was written before times were kept. */
  readonly writtenAtS: number | null
}

export interface EventRow {
  readonly eventNo: number
  readonly spaceNo: number
  readonly epochNo: number
  readonly epochSeq: number
  readonly statementNo: number
  readonly previousNo: number | null
}

export interface ObjectRow {
  readonly objectNo: number
  readonly valueBytes: number
  readonly segments: Uint8Array
}

/** A mutating invocation that took effect. */
export interface ReplayRow {
  readonly expiresAtS: number
  readonly statementId: Uint8Array
}
