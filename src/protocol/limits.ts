/** Every wire limit of the node: name with unit, value, source. A change is a protocol change (docs/protocol.md). */

// Tokens
/** Longest `Authorization` value. The existing node takes 400 KiB; a delegation of hundreds of resources is long. */
export const TOKEN_BYTES_MAX: number = 512 * 1024
/** Deepest nesting of JSON or CBOR inside a token. */
export const TOKEN_DEPTH_MAX = 32
/** Capabilities (resource and ability pairs) of one token. */
export const TOKEN_CAPABILITIES_MAX = 4096
/** Largest time of a token, before or after 1970: the last one that a calendar in JavaScript can name. */
export const TOKEN_TIME_S_MAX = 8_640_000_000_000
/** Proofs cited by one token. */
export const TOKEN_PROOFS_MAX = 64
/** Distinct spaces named by one token. */
export const TOKEN_SPACES_MAX = 256
/** Longest DID accepted as issuer or audience. */
export const DID_BYTES_MAX = 4096
/** Longest signature of a contract wallet (CACAO-4), in bytes; one of 100 keys takes 6,500. */
export const CONTRACT_SIGNATURE_BYTES_MAX: number = 8 * 1024
/** Longest DID document of a did:web (DID-3), in bytes. */
export const DID_DOCUMENT_BYTES_MAX: number = 64 * 1024
/** Deepest nesting in one, and the most verification methods. */
export const DID_DOCUMENT_DEPTH_MAX = 16
export const DID_DOCUMENT_METHODS_MAX = 64
/** Longest text of a CID: 68 bytes (a hash of 64) in base 16, rounded up. Decoding base58 takes quadratic time. */
export const CID_CHARS_MAX = 144
/** Longest space id. */
export const SPACE_ID_BYTES_MAX = 4096
/** Delegations in the ancestor closure of one delegation, itself included (reference-behaviour §2.8). */
export const CHAIN_DELEGATIONS_MAX = 64
/** Longest life of an invocation, measured from now (reference-behaviour §2.9). Configurable. */
export const INVOCATION_LIFETIME_S_DEFAULT = 300

// Values and keys
/** A put body above this is 413 (DESIGN §7.7). */
export const VALUE_BYTES_MAX = 1_000_000_000
/** Values up to this live in packs, larger ones in files of their own (DESIGN §4; bench, `constants`). */
export const PACKED_VALUE_BYTES_MAX: number = 256 * 1024
/** Longest key (DESIGN §7.21): PostgreSQL and InnoDB cannot index longer ones. */
export const KEY_BYTES_MAX = 2048
/** All stored headers of one value together: Node's own clients refuse an answer whose head has more than 16 KiB. */
export const METADATA_BYTES_MAX: number = 12 * 1024
/** Bytes covered by one hash of a large value; each is verified before it is sent. */
export const SEGMENT_BYTES: number = 1024 * 1024

// Lists and batches
export const LIST_LIMIT_MAX = 1000
export const LIST_CURSOR_CHARS_MAX = 4096
/** Versions of one page where the client names no limit. */
export const VERSION_LIST_LIMIT_DEFAULT = 100
export const BATCH_READ_KEYS_MAX = 100
/** Values of one batch put that travel in memory; what comes after them is staged in files, however small. */
export const BATCH_HELD_BYTES_MAX: number = 4 * 1024 * 1024
/** Stored headers of all values of one batch put. */
export const BATCH_METADATA_BYTES_MAX: number = 1024 * 1024
/** All headers of one part, its name among them. */
export const PART_HEAD_BYTES_MAX: number = 32 * 1024
/** Longest boundary of multipart/form-data (RFC 2046 §5.1.1). */
export const FORM_BOUNDARY_CHARS_MAX = 70

// Signed URLs
/** Longest life of a signed URL, and the one that it has unless a shorter one is asked for (reference-behaviour §6.6). */
export const SIGNED_URL_LIFETIME_S_MAX = 300
/** Tickets of one space, also of URLs that ended in the last 600 s: eleven new ones a second, for ever. */
export const SIGNED_URLS_PER_SPACE_MAX = 10_000

// JSON bodies
/** Longest body of a route that takes JSON (reference-behaviour §0.3). */
export const JSON_BODY_BYTES_MAX: number = 1024 * 1024
/** Deepest nesting of such a body. */
export const JSON_BODY_DEPTH_MAX = 32

// Queries for delegations (reference-behaviour §1.9)
export const QUERY_LIMIT_DEFAULT = 50
export const QUERY_LIMIT_MAX = 100
