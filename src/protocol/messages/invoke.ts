/** The JSON documents that POST /invoke answers (reference-behaviour §2.9, §3.3, §3.5). */
import { type JsonSchema, type MessageSchema } from '../json-schema.ts'

const TEXTS: JsonSchema = { type: 'array', items: { type: 'string' } }

/** Also of a public space. */
export const KEY_LIST: JsonSchema = {
  ...TEXTS,
  title: 'kv/list',
  description: 'Keys in the order of their bytes.',
}

export const BATCH_PUT_ANSWER: MessageSchema = {
  type: 'object',
  title: 'kv/put of several keys',
  properties: {
    written: { ...TEXTS, description: 'Keys in the order of their bytes.' },
    count: { type: 'integer', minimum: 1 },
  },
  required: ['written', 'count'],
  additionalProperties: false,
}

const HEADERS: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } }

const FOUND: JsonSchema = {
  type: 'object',
  properties: {
    key: { type: 'string' },
    ok: { type: 'boolean', const: true },
    dataBase64: { type: 'string', description: 'The value; only of kv/get.' },
    headers: { ...HEADERS, description: 'Stored headers, and the ETag.' },
  },
  required: ['key', 'ok', 'headers'],
  additionalProperties: false,
}

const ABSENT: JsonSchema = {
  type: 'object',
  properties: {
    key: { type: 'string' },
    ok: { type: 'boolean', const: false },
    error: {
      type: 'object',
      properties: {
        code: { type: 'string', const: 'KV_NOT_FOUND' },
        message: { type: 'string' },
      },
      required: ['code', 'message'],
      additionalProperties: false,
    },
  },
  required: ['key', 'ok', 'error'],
  additionalProperties: false,
}

const nullable = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] })

const VERSION: JsonSchema = {
  type: 'object',
  properties: {
    version: { type: 'string' },
    deleted: { type: 'boolean', description: 'It is a deletion, and has no value.' },
    etag: nullable({ type: 'string' }),
    cid: nullable({ type: 'string', description: 'Of the value.' }),
    size: nullable({ type: 'integer', minimum: 0 }),
    writtenAt: nullable({ type: 'string', format: 'date-time' }),
  },
  required: ['version', 'deleted', 'etag', 'cid', 'size', 'writtenAt'],
  additionalProperties: false,
}

/** Rule: HIST-4. */
export const VERSION_LIST: MessageSchema = {
  type: 'object',
  title: 'kv/get or kv/metadata with x-tinycloud-versions',
  properties: { versions: { type: 'array', items: VERSION, description: 'The newest first.' } },
  required: ['versions'],
  additionalProperties: false,
}

export const BATCH_READ_ANSWER: MessageSchema = {
  type: 'object',
  title: 'kv/get or kv/metadata of several keys',
  properties: {
    results: {
      type: 'array',
      items: { anyOf: [FOUND, ABSENT] },
      description: 'In the order of the sorted keys.',
    },
  },
  required: ['results'],
  additionalProperties: false,
}

const DELEGATION: MessageSchema = {
  type: 'object',
  properties: {
    capabilities: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          resource: { type: 'string' },
          ability: { type: 'string' },
          caveats: { type: 'object' },
        },
        required: ['resource', 'ability', 'caveats'],
        additionalProperties: false,
      },
    },
    delegator: { type: 'string' },
    delegate: { type: 'string' },
    parents: TEXTS,
    expiry: { type: 'string', format: 'date-time' },
    not_before: { type: 'string', format: 'date-time' },
    issued_at: { type: 'string', format: 'date-time' },
    raw: { type: 'string', description: 'The signed token.' },
  },
  required: ['capabilities', 'delegator', 'delegate', 'parents', 'raw'],
  additionalProperties: false,
}

export const CAPABILITIES_ANSWER: JsonSchema = {
  title: 'capabilities/read',
  type: 'object',
  additionalProperties: DELEGATION,
  description: 'Delegations by their CID.',
}

export const CHAIN_ANSWER: JsonSchema = {
  title: 'capabilities/read of one chain',
  type: 'array',
  items: DELEGATION,
  description: 'From the leaf to the root.',
}
