/** POST /signed/kv (reference-behaviour §6.6, sdk-contract §1.7). */
import { type JsonSchema, type MessageSchema } from '../json-schema.ts'
import { SIGNED_URL_LIFETIME_S_MAX } from '../limits.ts'

/** A whole number that JavaScript reads exactly. */
const WHOLE: JsonSchema = {
  type: ['integer', 'null'],
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
}

const LIFETIME: JsonSchema = {
  ...WHOLE,
  description: `Seconds until the URL ends, at most ${SIGNED_URL_LIFETIME_S_MAX}, which is the default.`,
}

const HASH: JsonSchema = {
  type: ['string', 'null'],
  description:
    'BLAKE3 of the value in 64 hex digits, for a URL of this value; without one it is of the present value.',
}

/** Members that are null count as absent, others than these are ignored. */
export const SIGN_REQUEST: MessageSchema = {
  type: 'object',
  properties: {
    space: { type: 'string', description: 'Id of the space.' },
    path: { type: 'string', description: 'The key, as URI text.' },
    ttlSeconds: LIFETIME,
    maxUses: { ...WHOLE, description: 'Refused with 400 unless null.' },
    contentHash: HASH,
    etag: { type: ['string', 'null'], description: 'ETag of the value, in place of its hash.' },
    ttl_seconds: { ...LIFETIME, description: 'Another spelling of `ttlSeconds`, which counts.' },
    content_hash: { ...HASH, description: 'Another spelling of `contentHash`, which counts.' },
  },
  required: ['space', 'path'],
}

export const SIGN_ANSWER: MessageSchema = {
  type: 'object',
  properties: {
    url: { type: 'string', pattern: '^/signed/kv/', description: 'A path on this node.' },
    ticketId: { type: 'string' },
    expiresAt: { type: 'string', format: 'date-time', description: 'Whole seconds of UTC.' },
  },
  required: ['url', 'ticketId', 'expiresAt'],
  additionalProperties: false,
}
