/** POST /invoke, whose answers depend on the abilities that are invoked. */
import {
  BATCH_PUT_ANSWER,
  BATCH_READ_ANSWER,
  CAPABILITIES_ANSWER,
  CHAIN_ANSWER,
  KEY_LIST,
  VERSION_LIST,
} from '../../../protocol/messages/invoke.ts'
import { LIST_LIMIT_MAX } from '../../../protocol/limits.ts'
import { ANY, BUSY, DAMAGED, INVOCATION, TOKEN } from './refusals.ts'
import { type Parameter, type RouteAnswer, type RouteDescription } from './route-description.ts'
import {
  ETAG,
  header,
  requestHeader,
  VALUE,
  VALUE_CONDITIONS,
  valueAnswers,
} from './value-answers.ts'

const CACHING = header('cache-control', '`private, no-cache`.')

const OPTIONS: readonly Parameter[] = [
  ...VALUE_CONDITIONS,
  requestHeader('if-match', 'The strong ETag that the value must have (COND-1).'),
  {
    in: 'header',
    name: 'x-tinycloud-max-response-bytes',
    description: 'Longest value that the client takes (KV-7).',
    schema: { type: 'integer', minimum: 1 },
  },
  {
    in: 'header',
    name: 'x-tinycloud-limit',
    description: 'Keys of one page of a list (LIST-2), or versions (HIST-3).',
    schema: { type: 'integer', minimum: 1, maximum: LIST_LIMIT_MAX },
  },
  requestHeader(
    'x-tinycloud-version',
    'The version of the key that is wanted, in place of the one that counts (HIST-1).',
  ),
  {
    in: 'header',
    name: 'x-tinycloud-versions',
    description: 'The versions of the key are wanted, not its value (HIST-3).',
    schema: { type: 'string', const: 'list' },
  },
  requestHeader('x-tinycloud-cursor', '`x-tinycloud-next-cursor` of the page before.'),
]

const optional = (name: string, description: string): ReturnType<typeof header> =>
  header(name, description, false)

const DONE: RouteAnswer = {
  status: 200,
  description:
    'What the ability says: a value with its stored headers, a JSON document, or nothing but headers.',
  headers: [
    { ...ETAG, isAlways: false },
    { ...CACHING, isAlways: false },
    optional('x-tinycloud-version', 'The version that was written or given (HIST-2).'),
    optional('x-tinycloud-truncated', 'Whether more keys, or versions, follow.'),
    optional('x-tinycloud-next-cursor', 'Where they start.'),
  ],
  contents: [
    VALUE,
    {
      mediaType: 'application/json',
      schema: {
        anyOf: [
          KEY_LIST,
          BATCH_PUT_ANSWER,
          BATCH_READ_ANSWER,
          VERSION_LIST,
          CAPABILITIES_ANSWER,
          CHAIN_ANSWER,
          { title: 'kv/get', description: 'A value that was stored with this type.' },
        ],
      },
    },
  ],
}

export const INVOKE_ROUTE: RouteDescription = {
  operationId: 'invoke',
  method: 'POST',
  path: '/invoke',
  summary: 'Use rights: read, write, list',
  description: 'The token says what is done. Headers of the body are stored with a value (META-1).',
  takesToken: true,
  parameters: OPTIONS,
  body: {
    isRequired: false,
    contents: [
      VALUE,
      {
        mediaType: 'multipart/form-data',
        schema: { type: 'object', title: 'kv/put of several keys' },
      },
    ],
  },
  answers: [DONE, ...valueAnswers(CACHING).filter(({ status }) => status !== 200)],
  refusals: [
    ...ANY,
    ...TOKEN,
    ...INVOCATION,
    'DUPLICATE_INVOCATION',
    'OUTCOMES_MIXED',
    'DUCKDB_UNSUPPORTED',
    'SERVICE_UNSUPPORTED',
    'CHAIN_PARAMETER_CID',
    'KEY_NOT_FOUND',
    'VERSION_NOT_FOUND',
    'NO_SUCH_KEY',
    'KEY_TOO_LONG',
    'OPTION_INVALID',
    'PRECONDITION_FAILED',
    'RESPONSE_TOO_LARGE',
    'VALUE_TOO_LARGE',
    'METADATA_TOO_LARGE',
    'QUOTA_EXCEEDED',
    'QUOTA_REMAINDER',
    'HISTORY_LIMIT',
    'UPLOAD_TIMEOUT',
    ...BUSY,
    ...DAMAGED,
    'STORAGE_FULL',
  ],
}
