/**
 * Every refusal that a caller can meet: its code, HTTP status and wire text.
 *
 * Codes are stable API (docs/protocol.md lists them; a test compares both directions). Statuses and texts are what
 * clients of the protocol branch on (reference-behaviour §1.5–§1.7, §2.11, §3.2). `{}` in a text is replaced by the
 * detail. `catcher` answers have no text of their own: their body is the error page of the HTTP edge (§0.2).
 */

interface WireError {
  readonly status: number
  /** Wire text; `{}` stands for the detail. Empty for catcher answers. */
  readonly text: string
  readonly catcher?: true
}

const refusal = (status: number, text: string): WireError => ({ status, text })
const catcher = (status: number): WireError => ({ status, text: '', catcher: true })

export const WIRE_ERRORS = {
  // Tokens (§2.1–§2.3). What cannot be decoded has no text.
  TOKEN_MISSING: catcher(401),
  TOKEN_MALFORMED: catcher(401),
  TOKEN_TOO_LARGE: catcher(431),
  SIGNATURE_INVALID: refusal(401, 'Failed to verify signature'),
  SIWE_STATEMENT_INVALID: refusal(401, 'Invalid Siwe Statement'),

  // Delegations (§2.8).
  DELEGATION_TIME: refusal(401, 'Delegation expired or not yet valid'),
  UNAUTHORIZED_DELEGATOR: refusal(401, 'Unauthorized Delegator: {}'),
  UNAUTHORIZED_CAPABILITY: refusal(401, 'Unauthorized Capability: {}'),
  PARENT_NOT_FOUND: refusal(401, 'Cannot find parent delegation'),
  CHILD_EXPIRY: refusal(401, 'Child delegation expiry exceeds parent expiry'),
  CHILD_NOT_BEFORE: refusal(401, 'Child delegation not_before precedes parent not_before'),
  TERMINAL_PARENT: refusal(401, 'terminal-parent-cannot-redelegate'),
  PARENT_REVOKED: refusal(401, 'delegation-parent-revoked: {}'),
  PARENT_ANCESTOR_REVOKED: refusal(401, 'delegation-ancestor-revoked: {}'),
  CHAIN_LIMIT: refusal(401, 'delegation-chain-traversal-limit-exceeded'),
  CHILD_CAVEATS: refusal(401, 'child-caveats-not-subset-of-parent: {}'),

  // Invocations (§2.9).
  INVOCATION_TIME: refusal(401, 'Invocation expired or not yet valid'),
  INVOCATION_LIFETIME: refusal(401, 'Invocation lifetime exceeds server maximum'),
  UNAUTHORIZED_INVOKER: refusal(401, 'Unauthorized Invoker'),
  UNAUTHORIZED_ACTION: refusal(401, 'Unauthorized Action: {}'),
  DELEGATION_REVOKED: refusal(401, 'delegation-revoked: {}'),
  ANCESTOR_REVOKED: refusal(401, 'delegation-ancestor-revoked: {}'),
  INVOCATION_CAVEATS: refusal(401, 'invocation-caveats-not-subset-of-chain: {}'),
  INPUT_MISSING: refusal(401, 'Missing Input for requested action'),
  DUPLICATE_INVOCATION: refusal(409, 'duplicate invocation'),
  OUTCOMES_MIXED: refusal(
    501,
    'Multiple invocation outcomes require a homogeneous KV get or metadata batch',
  ),
  SERVICE_UNSUPPORTED: refusal(501, 'The {} service is not available on this node'),
  CHAIN_PARAMETER_CID: refusal(401, 'Invalid delegation CID: {}'),

  // Revocations (§2.12).
  REVOCATION_TIME: refusal(403, 'Revocation expired or not yet valid'),
  REVOCATION_SIGNATURE: refusal(403, 'Failed to verify signature'),
  UNAUTHORIZED_REVOKER: refusal(403, 'Unauthorized Revoker'),
  REVOCATION_TARGET_NOT_FOUND: refusal(403, 'Cannot find parent delegation'),
  REVOCATION_CHAIN_LIMIT: refusal(403, 'delegation-chain-traversal-limit-exceeded'),
  REVOCATION_TARGETS: refusal(403, 'A revocation must name exactly one delegation'),

  // Spaces and keys (§1.4, §1.7, §3).
  SPACE_ID_INVALID: refusal(400, 'Invalid space ID'),
  SPACE_NOT_FOUND: refusal(404, 'Space not found'),
  KEY_NOT_FOUND: catcher(404),
  NO_SUCH_KEY: refusal(404, 'No Such Key: {}'),
  KEY_TOO_LONG: refusal(400, 'KV key exceeds {} bytes'),
  PRECONDITION_FAILED: refusal(412, 'KV precondition failed'),
  PRECONDITION_CONFLICT: refusal(503, 'conditional KV transaction conflicted; retry the request'),
  RESPONSE_TOO_LARGE: refusal(413, '{}'),
  VALUE_TOO_LARGE: refusal(413, 'KV value exceeds {} bytes'),
  METADATA_TOO_LARGE: refusal(400, 'KV metadata headers exceed {} bytes'),
  QUOTA_EXCEEDED: refusal(402, 'Storage quota exceeded. {}'),
  QUOTA_REMAINDER: refusal(413, 'Write exceeds remaining storage. {}'),

  // KV option headers and batches (§3.2, §3.5).
  OPTION_INVALID: refusal(400, '{}'),

  // HTTP edge (§0.2).
  REQUEST_MALFORMED: catcher(400),
  ROUTE_NOT_FOUND: catcher(404),
  BODY_TOO_LARGE: catcher(413),

  // Our resources and our faults. Never a detail on the wire.
  NODE_BUSY: refusal(503, 'The node is busy; retry the request'),
  NODE_STOPPING: refusal(503, 'The node is shutting down; retry the request'),
  STORAGE_UNAVAILABLE: refusal(503, 'Storage is unavailable; retry the request'),
  STORAGE_FULL: refusal(507, 'The node has no storage space left'),
  UPLOAD_TIMEOUT: refusal(408, 'The upload did not arrive in time'),
  VALUE_CORRUPT: refusal(500, 'The stored value failed its integrity check'),
  VALUE_MISSING: refusal(500, 'The stored value failed its integrity check'),
  INTERNAL: refusal(500, 'Internal error'),
} as const satisfies Record<string, WireError>

export type ErrorCode = keyof typeof WIRE_ERRORS

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
