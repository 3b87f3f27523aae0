/** GET /version, GET /info (reference-behaviour §1.3). */
import { type MessageSchema } from '../json-schema.ts'
import { PROTOCOL_VERSION } from '../version.ts'

/** Names as clients of the protocol know them: spellings are mixed on purpose. */
export const NODE_INFO: MessageSchema = {
  type: 'object',
  properties: {
    protocol: { type: 'integer', const: PROTOCOL_VERSION },
    version: { type: 'string', description: 'Of the program.' },
    features: { type: 'array', items: { type: 'string' } },
    nodeId: { type: 'string', description: 'DID of the node.' },
    inTEE: { type: 'boolean' },
  },
  required: ['protocol', 'version', 'features', 'nodeId', 'inTEE'],
  additionalProperties: false,
}
