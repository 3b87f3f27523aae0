/** The document of a refusal that has no text of its own (HTTP-8, reference-behaviour §0.2). */
import { type MessageSchema } from '../json-schema.ts'

export const ERROR_DOCUMENT: MessageSchema = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: {
        code: { type: 'integer', description: 'The status.' },
        reason: { type: 'string' },
        description: { type: 'string' },
      },
      required: ['code', 'reason', 'description'],
      additionalProperties: false,
    },
  },
  required: ['error'],
  additionalProperties: false,
}
