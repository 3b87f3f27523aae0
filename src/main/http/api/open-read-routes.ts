/** Signed URLs, and public spaces. */
import { KEY_LIST } from '../../../protocol/messages/invoke.ts'
import { SIGN_ANSWER, SIGN_REQUEST } from '../../../protocol/messages/sign-kv.ts'
import { ANY, BUSY, DAMAGED, INVOCATION, JSON_BODY, PATH, TOKEN } from './refusals.ts'
import {
  type OperationId,
  type Parameter,
  type RouteAnswer,
  type RouteDescription,
} from './route-description.ts'
import { header, VALUE_CONDITIONS, valueAnswers } from './value-answers.ts'

const pathPart = (name: string, description: string): Parameter => ({
  in: 'path',
  name,
  description,
  schema: { type: 'string' },
})

const SPACE = pathPart('space', 'Id of a space that is named `public`, decoded once.')
const KEY = pathPart('key', 'The rest of the path: segments decoded once, empty ones dropped.')

const SIGNED_CACHING = header('cache-control', '`private, no-store`.')
const PUBLIC_CACHING = header('cache-control', '`public, max-age=60`.')

const PERMISSIONS: RouteAnswer = {
  status: 204,
  description: 'Any page may read.',
  headers: [
    header('access-control-allow-methods', 'Methods.'),
    header('access-control-allow-headers', 'Headers.'),
    header('access-control-max-age', 'Seconds.'),
  ],
}

const preflight = (
  operationId: OperationId,
  path: string,
  parameters: readonly Parameter[],
): RouteDescription => ({
  operationId,
  method: 'OPTIONS',
  path,
  summary: 'What any page may do there',
  takesToken: false,
  parameters,
  answers: [PERMISSIONS],
  refusals: [...ANY, ...PATH],
})

const SIGNED_ROUTES: readonly RouteDescription[] = [
  {
    operationId: 'signKv',
    method: 'POST',
    path: '/signed/kv',
    summary: 'Make a URL that gives one value to whoever has it',
    takesToken: true,
    parameters: [],
    body: {
      isRequired: true,
      contents: [{ mediaType: 'application/json', schema: SIGN_REQUEST }],
    },
    answers: [
      {
        status: 200,
        description: 'The URL.',
        contents: [{ mediaType: 'application/json', schema: SIGN_ANSWER }],
      },
    ],
    refusals: [
      ...ANY,
      ...TOKEN,
      ...JSON_BODY,
      ...INVOCATION,
      'SPACE_ID_INVALID',
      'OPTION_INVALID',
      'SIGNED_URL_SCOPE',
      'SIGNED_URL_BRIEF',
      'SIGNED_URLS_FULL',
      'KEY_ABSENT',
      ...BUSY,
      ...DAMAGED,
      'STORAGE_FULL',
    ],
  },
  {
    operationId: 'readSignedKv',
    method: 'GET',
    path: '/signed/kv/:ticket',
    summary: 'The value of a signed URL',
    takesToken: false,
    parameters: [pathPart('ticket', '`ticketId` of the URL.'), ...VALUE_CONDITIONS],
    answers: valueAnswers(SIGNED_CACHING),
    refusals: [
      ...ANY,
      ...PATH,
      'SIGNED_URL_NOT_FOUND',
      'SIGNED_URL_EXPIRED',
      'SIGNED_URL_REVOKED',
      'SIGNED_URL_CONTENT',
      'KEY_ABSENT',
      ...BUSY,
      ...DAMAGED,
    ],
  },
]

const PUBLIC_ROUTES: readonly RouteDescription[] = [
  {
    operationId: 'listPublicKeys',
    method: 'GET',
    path: '/public/:space/kv',
    summary: 'Keys of a public space',
    takesToken: false,
    parameters: [
      SPACE,
      {
        in: 'query',
        name: 'prefix',
        description: 'How the keys begin.',
        schema: { type: 'string' },
      },
    ],
    answers: [
      {
        status: 200,
        description: 'The list.',
        headers: [header('x-tinycloud-truncated', '`false`.')],
        contents: [{ mediaType: 'application/json', schema: KEY_LIST }],
      },
    ],
    refusals: [
      ...ANY,
      ...PATH,
      'OPTION_INVALID',
      'SPACE_ID_INVALID',
      'SPACE_NOT_PUBLIC',
      'RATE_LIMITED',
      ...BUSY,
      ...DAMAGED,
    ],
  },
  {
    operationId: 'readPublicKey',
    method: 'GET',
    path: '/public/:space/kv/*',
    summary: 'A value of a public space',
    takesToken: false,
    parameters: [SPACE, KEY, ...VALUE_CONDITIONS],
    answers: valueAnswers(PUBLIC_CACHING),
    refusals: [
      ...ANY,
      ...PATH,
      'SPACE_ID_INVALID',
      'SPACE_NOT_PUBLIC',
      'KEY_ABSENT',
      'RATE_LIMITED',
      ...BUSY,
      ...DAMAGED,
    ],
  },
]

export const OPEN_READ_ROUTES: readonly RouteDescription[] = [
  ...SIGNED_ROUTES,
  ...PUBLIC_ROUTES,
  preflight('preflightPublicKeys', '/public/:space/kv', [SPACE]),
  preflight('preflightPublicKey', '/public/:space/kv/*', [SPACE, KEY]),
]
