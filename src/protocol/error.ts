/**
 * Every refusal that a caller can meet: its code, HTTP status and wire text.
 *
 * Codes are stable API (docs/protocol.md lists them; a test compares both directions). Statuses and texts are what
 * clients of the protocol branch on (reference-behaviour §1.5–§1.7, §2.11, §3.2). `{}` in a text is replaced by the
 * detail. `catcher` answers have no text of their own: their body is the error page of the HTTP edge (§0.2).
 */

export interface WireError {
  readonly status: number
  /** Wire text; `{}` stands for the detail. Empty for catcher answers. */
  readonly text: string
  readonly catcher?: true
}

export const WIRE_ERRORS = {
  // Tokens (§2.1–§2.3). What cannot be decoded has no text.
  TOKEN_MISSING: { status: 401, text: '', catcher: true },
  TOKEN_MALFORMED: { status: 401, text: '', catcher: true },
  TOKEN_TOO_LARGE: { status: 431, text: '', catcher: true },
  SIGNATURE_INVALID: { status: 401, text: 'Failed to verify signature' },
  SIWE_STATEMENT_INVALID: { status: 401, text: 'Invalid Siwe Statement' },

  // Delegations (§2.8).
  DELEGATION_TIME: { status: 401, text: 'Delegation expired or not yet valid' },
  UNAUTHORIZED_DELEGATOR: { status: 401, text: 'Unauthorized Delegator: {}' },
  UNAUTHORIZED_CAPABILITY: { status: 401, text: 'Unauthorized Capability: {}' },
  PARENT_NOT_FOUND: { status: 401, text: 'Cannot find parent delegation' },
  CHILD_EXPIRY: { status: 401, text: 'Child delegation expiry exceeds parent expiry' },
  CHILD_NOT_BEFORE: { status: 401, text: 'Child delegation not_before precedes parent not_before' },
  TERMINAL_PARENT: { status: 401, text: 'terminal-parent-cannot-redelegate' },
  PARENT_REVOKED: { status: 401, text: 'delegation-parent-revoked: {}' },
  PARENT_ANCESTOR_REVOKED: { status: 401, text: 'delegation-ancestor-revoked: {}' },
  CHAIN_LIMIT: { status: 401, text: 'delegation-chain-traversal-limit-exceeded' },
  CHILD_CAVEATS: { status: 401, text: 'child-caveats-not-subset-of-parent: {}' },

  // Invocations (§2.9).
  INVOCATION_TIME: { status: 401, text: 'Invocation expired or not yet valid' },
  INVOCATION_LIFETIME: { status: 401, text: 'Invocation lifetime exceeds server maximum' },
  UNAUTHORIZED_INVOKER: { status: 401, text: 'Unauthorized Invoker' },
  UNAUTHORIZED_ACTION: { status: 401, text: 'Unauthorized Action: {}' },
  DELEGATION_REVOKED: { status: 401, text: 'delegation-revoked: {}' },
  ANCESTOR_REVOKED: { status: 401, text: 'delegation-ancestor-revoked: {}' },
  INVOCATION_CAVEATS: { status: 401, text: 'invocation-caveats-not-subset-of-chain: {}' },
  DUPLICATE_INVOCATION: { status: 409, text: 'duplicate invocation' },
  OUTCOMES_MIXED: {
    status: 501,
    text: 'Multiple invocation outcomes require a homogeneous KV get or metadata batch',
  },
  DUCKDB_UNSUPPORTED: { status: 501, text: 'DuckDB support is not enabled on this node' },
  SERVICE_UNSUPPORTED: { status: 501, text: 'The {} service is not available on this node' },
  CHAIN_PARAMETER_CID: { status: 401, text: 'Invalid delegation CID: {}' },

  // Revocations (§2.12).
  REVOCATION_TIME: { status: 403, text: 'Revocation expired or not yet valid' },
  REVOCATION_SIGNATURE: { status: 403, text: 'Failed to verify signature' },
  UNAUTHORIZED_REVOKER: { status: 403, text: 'Unauthorized Revoker' },
  REVOCATION_TARGET_NOT_FOUND: { status: 403, text: 'Cannot find parent delegation' },
  REVOCATION_TARGETS: { status: 403, text: 'A revocation must name exactly one delegation' },

  // Questions about delegations (§1.8, §1.9).
  STATUS_INVOCATION: { status: 401, text: 'Invalid status invocation' },
  STATUS_BINDING: {
    status: 403,
    text: 'Status invocation is not bound to the requested CID',
  },
  STATUS_CID: { status: 400, text: 'Invalid delegation CID' },
  STATUS_UNAVAILABLE: { status: 503, text: 'Status unavailable' },
  QUERY_INVALID: { status: 400, text: 'Invalid delegation query: {}' },
  QUERY_DENIED: { status: 403, text: 'Delegation query proof is not authorized' },
  QUERY_UNAVAILABLE: { status: 503, text: 'Delegation query unavailable' },

  // Spaces and keys (§1.4, §1.7, §3).
  SPACE_ID_INVALID: { status: 400, text: 'Invalid space ID' },
  SPACE_NOT_FOUND: { status: 404, text: 'Space not found' },
  KEY_NOT_FOUND: { status: 404, text: '', catcher: true },
  VERSION_NOT_FOUND: {
    status: 404,
    text: 'No such KV version is kept (storage.history: {})',
  },
  NO_SUCH_KEY: { status: 404, text: 'No Such Key: {}' },
  KEY_TOO_LONG: { status: 400, text: 'KV key exceeds {} bytes' },
  PRECONDITION_FAILED: { status: 412, text: 'KV precondition failed' },
  RESPONSE_TOO_LARGE: { status: 413, text: '{}' },
  VALUE_TOO_LARGE: { status: 413, text: 'KV value exceeds {} bytes' },
  METADATA_TOO_LARGE: { status: 400, text: 'KV metadata headers exceed {} bytes' },
  QUOTA_EXCEEDED: { status: 402, text: 'Storage quota exceeded. {}' },
  QUOTA_REMAINDER: { status: 413, text: 'Write exceeds remaining storage. {}' },
  HISTORY_LIMIT: {
    status: 402,
    text: 'Storage history limit exceeded (storage.history_limit). {}',
  },

  // Signed URLs (§6.6) and public spaces (§6.5).
  SIGNED_URL_SCOPE: { status: 403, text: 'signed URL scope is not authorized' },
  SIGNED_URLS_FULL: { status: 429, text: 'Too many signed URLs of this space; retry later' },
  SIGNED_URL_BRIEF: { status: 401, text: 'signed URL expired immediately' },
  SIGNED_URL_NOT_FOUND: { status: 401, text: 'signed URL ticket not found' },
  SIGNED_URL_EXPIRED: { status: 401, text: 'signed URL expired' },
  SIGNED_URL_REVOKED: { status: 401, text: 'signed URL ticket is invalid' },
  SIGNED_URL_CONTENT: { status: 412, text: 'signed URL content hash does not match' },
  SPACE_NOT_PUBLIC: { status: 403, text: 'Not a public space' },
  KEY_ABSENT: { status: 404, text: 'Key not found' },
  RATE_LIMITED: { status: 429, text: 'Rate limit exceeded' },

  // KV option headers and batches (§3.2, §3.5).
  OPTION_INVALID: { status: 400, text: '{}' },

  // HTTP edge (§0.2).
  REQUEST_MALFORMED: { status: 400, text: '', catcher: true },
  ROUTE_NOT_FOUND: { status: 404, text: '', catcher: true },
  BODY_TOO_LARGE: { status: 413, text: '', catcher: true },
  BODY_UNPROCESSABLE: { status: 422, text: '', catcher: true },

  // Our resources and our faults. Never a detail on the wire.
  NODE_BUSY: { status: 503, text: 'The node is busy; retry the request' },
  NODE_STOPPING: { status: 503, text: 'The node is shutting down; retry the request' },
  ETHEREUM_UNAVAILABLE: { status: 503, text: 'Ethereum is unavailable; retry the request' },
  STORAGE_UNAVAILABLE: { status: 503, text: 'Storage is unavailable; retry the request' },
  STORAGE_FULL: { status: 507, text: 'The node has no storage space left' },
  UPLOAD_TIMEOUT: { status: 408, text: 'The upload did not arrive in time' },
  VALUE_CORRUPT: { status: 500, text: 'The stored value failed its integrity check' },
  VALUE_MISSING: { status: 500, text: 'The stored value failed its integrity check' },
  INTERNAL: { status: 500, text: 'Internal error' },
} as const

export type ErrorCode = keyof typeof WIRE_ERRORS

/** Status and text of a code. */
export const wireError = (code: ErrorCode): WireError => WIRE_ERRORS[code]

/** The wire text of a code. `detail` fills the `{}` of texts that have one. */
export function wireText(code: ErrorCode, detail: string): string {
  const { text } = WIRE_ERRORS[code]
  return text.replace('{}', () => detail)
}

/** A refusal caused by the caller's bytes or rights. `detail` goes into the wire text, never a secret. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ErrorCode
  readonly detail: string

  constructor(code: ErrorCode, detail = '', options?: ErrorOptions) {
    super(detail === '' ? code : `${code}: ${detail}`, options)
    this.code = code
    this.detail = detail
  }
}
