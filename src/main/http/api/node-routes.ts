/** Routes about the node itself. They take no token. */
import { type JsonSchema } from '../../../protocol/json-schema.ts'
import { NODE_INFO } from '../../../protocol/messages/node-info.ts'
import { ANY, PATH } from './refusals.ts'
import { type OperationId, type Parameter, type RouteDescription } from './route-description.ts'
import { header } from './value-answers.ts'

const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json'

const WRITE: Parameter = {
  in: 'query',
  name: 'write',
  description: '1 or true: also commit an empty group.',
  schema: { type: 'string', enum: ['1', 'true'] },
}

const health = (operationId: OperationId, path: string): RouteDescription => ({
  operationId,
  method: 'GET',
  path,
  summary: 'Whether the node can do its work',
  takesToken: false,
  parameters: [WRITE],
  answers: [{ status: 200, description: 'It can.' }],
  refusals: [...ANY, 'STORAGE_UNAVAILABLE'],
})

const document = (
  operationId: OperationId,
  path: string,
  summary: string,
  schema: JsonSchema,
): RouteDescription => ({
  operationId,
  method: 'GET',
  path,
  summary,
  takesToken: false,
  parameters: [],
  answers: [
    { status: 200, description: 'The document.', contents: [{ mediaType: JSON_TYPE, schema }] },
  ],
  refusals: ANY,
})

export const NODE_ROUTES: readonly RouteDescription[] = [
  health('checkHealth', '/healthz'),
  health('checkHealthAlias', '/health'),
  document('readVersion', '/version', 'What the node is and serves', NODE_INFO),
  document('readInfo', '/info', 'The same as /version', NODE_INFO),
  document('readOpenApi', '/openapi.json', 'This description', { type: 'object' }),
  {
    operationId: 'generatePeer',
    method: 'GET',
    path: '/peer/generate/:space',
    summary: 'The DID under which this node hosts a space (HOST-3)',
    takesToken: false,
    parameters: [
      {
        in: 'path',
        name: 'space',
        description: 'A space id, decoded once.',
        schema: { type: 'string' },
      },
    ],
    answers: [
      {
        status: 200,
        description: 'A DID.',
        contents: [{ mediaType: TEXT, schema: { type: 'string', pattern: '^did:key:z' } }],
      },
    ],
    refusals: [...ANY, ...PATH, 'SPACE_ID_INVALID'],
  },
  {
    operationId: 'preflight',
    method: 'OPTIONS',
    path: '*',
    summary: 'What web apps may send',
    description: 'Any path. Without `cors` the permissions are missing.',
    takesToken: false,
    parameters: [],
    answers: [
      {
        status: 200,
        description: 'Permissions.',
        headers: [
          header('access-control-allow-methods', 'Methods.', false),
          header('access-control-allow-headers', 'Headers.', false),
          header('access-control-max-age', 'Seconds.', false),
        ],
      },
    ],
    refusals: ANY,
  },
]
