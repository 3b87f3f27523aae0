/**
 * Cross-origin headers: the clients are web apps on other origins. Headers are named one by one, because wildcards do not
 * apply to requests with credentials, and the origin is reflected for the same reason (HTTP-2, DESIGN §7.13,
 * sdk-contract §0.5).
 */
import { ENTRY_HEADERS } from '../../workers/compute/request.ts'

/** A flat list: name, value, name, value… */
export type FlatHeaders = readonly string[]

const METHODS = 'POST, PUT, GET, OPTIONS, DELETE'
/** Preflights may be remembered for a day. */
const PREFLIGHT_AGE_S = 86_400
/** Longest `access-control-request-headers` that is looked at. */
const REQUESTED_CHARS_MAX = 4096

const OWN_PREFIX = 'x-tinycloud-'
const STORED_PREFIX = 'x-tinycloud-meta-'

/** What compute looks at, and what browsers send beside it. */
const ALLOWED = ['authorization', ...ENTRY_HEADERS, 'cache-control', 'pragma']

const EXPOSED = [
  'etag',
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-disposition',
  'content-range',
  'accept-ranges',
  'cache-control',
  'last-modified',
  'retry-after',
  'x-tinycloud-truncated',
  'x-tinycloud-next-cursor',
  'x-tinycloud-version',
  'tinycloud-trace-id',
].join(', ')

const WITHOUT_ORIGIN: FlatHeaders = ['access-control-allow-origin', '*', 'vary', 'origin']

/**
 * What is public is public to every page. Caches keep these answers, so nothing in them depends on who asks: no origin is
 * reflected and no credentials are allowed (PUBLIC-6, reference-behaviour §6.5).
 */
export const PUBLIC_CORS: FlatHeaders = [
  'access-control-allow-origin',
  '*',
  'access-control-expose-headers',
  EXPOSED,
]

/** What an answer to OPTIONS on a public space adds. */
export const PUBLIC_PREFLIGHT: readonly (readonly [name: string, value: string])[] = [
  ['access-control-allow-methods', 'GET, HEAD, OPTIONS'],
  ['access-control-allow-headers', 'if-none-match, if-range, range, cache-control, pragma'],
  ['access-control-max-age', String(PREFLIGHT_AGE_S)],
]

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

/** Headers of every answer, errors included. `storedNames` are the other headers of the answer, in lower case. */
export function corsHeaders(
  origin: string | undefined,
  names: readonly (readonly [name: string, value: string])[],
): FlatHeaders {
  if (origin === undefined) return WITHOUT_ORIGIN
  let exposed = EXPOSED
  for (const [name] of names) if (name.startsWith(STORED_PREFIX)) exposed += `, ${name}`
  return [
    'access-control-allow-origin',
    origin,
    'access-control-allow-credentials',
    'true',
    'access-control-expose-headers',
    exposed,
    'vary',
    'origin',
  ]
}

/** What an answer to OPTIONS adds: the methods, and the requested headers that are allowed. */
export function preflightHeaders(
  requested: string | undefined,
): (readonly [name: string, value: string])[] {
  return [
    ['access-control-allow-methods', METHODS],
    ['access-control-allow-headers', [...ALLOWED, ...requestedOwnNames(requested)].join(', ')],
    ['access-control-max-age', String(PREFLIGHT_AGE_S)],
  ]
}

/** Names such as `x-tinycloud-meta-mood`, which cannot be listed beforehand. */
function requestedOwnNames(requested: string | undefined): string[] {
  if (requested === undefined || requested.length > REQUESTED_CHARS_MAX) return []
  return requested
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name.startsWith(OWN_PREFIX) && TOKEN.test(name))
}
