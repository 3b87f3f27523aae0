/** POST /delegation/query (reference-behaviour §1.9, sdk-contract §1.11). */
import { type JsonSchema, type MessageSchema } from '../json-schema.ts'
import { QUERY_LIMIT_DEFAULT, QUERY_LIMIT_MAX } from '../limits.ts'

export const QUERY_DIRECTIONS = ['granted', 'received', 'all'] as const

/** The states of a stored delegation. */
export const DELEGATION_STATES = [
  'active',
  'pending',
  'expired',
  'revoked',
  'ancestor_revoked',
] as const

export const QUERY_SCHEMA_VERSION = 2

/** Members that are null count as absent. */
export const QUERY_REQUEST: MessageSchema = {
  type: 'object',
  properties: {
    direction: {
      type: ['string', 'null'],
      enum: [...QUERY_DIRECTIONS, null],
      description: 'What the account granted, what it received, or both, which is the default.',
    },
    status: { type: ['string', 'null'], enum: [...DELEGATION_STATES, null] },
    space: {
      type: ['string', 'null'],
      minLength: 1,
      description: 'Only delegations that name this space: an id, or a name.',
    },
    limit: {
      type: ['integer', 'null'],
      minimum: 1,
      maximum: QUERY_LIMIT_MAX,
      description: `Items of one page; ${QUERY_LIMIT_DEFAULT} unless given.`,
    },
    cursor: { type: ['string', 'null'], description: '`nextCursor` of the page before.' },
  },
  required: [],
  additionalProperties: false,
}

const TIME: JsonSchema = { type: ['string', 'null'], format: 'date-time' }
const TEXTS: JsonSchema = { type: 'array', items: { type: 'string' } }

const RESOURCE: MessageSchema = {
  type: 'object',
  properties: {
    resource: { type: 'string', description: 'A URI.' },
    actions: { ...TEXTS, description: 'Abilities.' },
    caveats: { type: 'array', description: 'Conditions of these abilities.' },
  },
  required: ['resource', 'actions', 'caveats'],
  additionalProperties: false,
}

const ITEM: MessageSchema = {
  type: 'object',
  properties: {
    cid: { type: 'string' },
    direction: { type: 'string', enum: ['granted', 'received'] },
    delegatorDid: { type: 'string' },
    delegateDid: { type: 'string' },
    resources: { type: 'array', items: RESOURCE },
    parents: { ...TEXTS, description: 'CIDs of the proofs that it cites.' },
    issuedAt: TIME,
    notBefore: TIME,
    expiresAt: TIME,
    status: { type: 'string', enum: DELEGATION_STATES },
    revokedAt: { type: 'string', format: 'date-time' },
    revokedBy: { type: 'string' },
    revokedAncestorCid: { type: 'string' },
  },
  required: [
    'cid',
    'direction',
    'delegatorDid',
    'delegateDid',
    'resources',
    'parents',
    'issuedAt',
    'notBefore',
    'expiresAt',
    'status',
  ],
  additionalProperties: false,
}

export const QUERY_ANSWER: MessageSchema = {
  type: 'object',
  properties: {
    schemaVersion: { type: 'integer', const: QUERY_SCHEMA_VERSION },
    items: { type: 'array', items: ITEM, description: 'The latest first.' },
    nextCursor: { type: 'string', description: 'Missing on the last page.' },
  },
  required: ['schemaVersion', 'items'],
  additionalProperties: false,
}
