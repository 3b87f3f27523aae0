/** POST /delegation/status (reference-behaviour §1.8, sdk-contract §7.5). */
import { type MessageSchema } from '../json-schema.ts'

export const STATUS_REQUEST: MessageSchema = {
  type: 'object',
  description: 'Other members are ignored.',
  properties: {
    cid: {
      type: 'string',
      description: 'The delegation, spelled as in the invocation that asks.',
    },
  },
  required: ['cid'],
}

/** Exactly these members: clients refuse any other number. */
export const STATUS_ANSWER: MessageSchema = {
  type: 'object',
  properties: {
    cid: { type: 'string', description: 'As asked.' },
    status: {
      type: 'string',
      enum: ['active', 'unavailable', 'expired', 'revoked', 'not_found'],
      description: 'A delegation that is not in force yet is unavailable.',
    },
    exists: { type: 'boolean' },
    active: { type: 'boolean' },
    revoked: { type: 'boolean', description: 'Itself, or an ancestor.' },
    expired: { type: 'boolean' },
  },
  required: ['cid', 'status', 'exists', 'active', 'revoked', 'expired'],
  additionalProperties: false,
}
