/** Where a block lies. Rows hold places; nothing is found by its hash (DESIGN §4). */

/** A CAR section (length varint, CID, data) inside a pack. */
export interface PackPlace {
  readonly packNo: number
  /** Of the section's first byte in the pack file. */
  readonly offset: number
  /** Of the whole section. */
  readonly lengthBytes: number
}

/** A large value in a file of its own. */
export interface ObjectPlace {
  readonly objectNo: number
  readonly valueBytes: number
  /** BLAKE3-256 of each SEGMENT_BYTES of the value, 32 bytes each, concatenated. */
  readonly segments: Uint8Array
}

export type ValuePlace =
  | ({ readonly kind: 'pack' } & PackPlace)
  | ({ readonly kind: 'object' } & ObjectPlace)

/** An upload that arrived whole and is on stable storage, or small enough to travel in memory. */
export type StagedValue =
  | { readonly kind: 'inline'; readonly digest: Uint8Array; readonly bytes: Uint8Array }
  | {
      readonly kind: 'file'
      readonly digest: Uint8Array
      readonly valueBytes: number
      readonly segments: Uint8Array
      /** Number of the staging file within the run: `staging/<run>/<stagingNo>`. Used once. */
      readonly stagingNo: number
    }
