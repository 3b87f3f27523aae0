/** What POST /delegate and POST /revoke answer (reference-behaviour §1.5, §1.6). */
import { type JsonSchema, type MessageSchema } from '../json-schema.ts'

const SPACES: JsonSchema = { type: 'array', items: { type: 'string' } }

export const DELEGATE_ANSWER: MessageSchema = {
  type: 'object',
  properties: {
    cid: { type: 'string', description: 'Of the delegation as it was sent.' },
    activated: { ...SPACES, description: 'Spaces of the delegation that this node hosts.' },
    skipped: { ...SPACES, description: 'The others.' },
  },
  required: ['cid', 'activated', 'skipped'],
  additionalProperties: false,
}

export const REVOKE_ANSWER: MessageSchema = {
  type: 'object',
  properties: {
    revoked: { type: 'boolean', const: true },
    cid: { type: 'string', description: 'Of what was revoked, in base 32.' },
  },
  required: ['revoked', 'cid'],
  additionalProperties: false,
}
