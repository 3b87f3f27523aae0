/** How routes that give a value answer: all of it, a part, or the news that the client has it. */
import {
  type Content,
  type AnswerHeader,
  type Parameter,
  type RouteAnswer,
} from './route-description.ts'

export const header = (
  name: string,
  description: string,
  isAlways: boolean = true,
): AnswerHeader => ({ name, description, isAlways })

export const requestHeader = (name: string, description: string): Parameter => ({
  in: 'header',
  name,
  description,
  schema: { type: 'string' },
})

export const ETAG: AnswerHeader = header('etag', '`"blake3-‹64 hex digits›"`, of the value.')

/** A value under its stored type, or without one. */
export const VALUE: Content = { mediaType: '*/*' }

/** Request headers of a conditional read. */
export const VALUE_CONDITIONS: readonly Parameter[] = [
  requestHeader('if-none-match', 'ETags that the client has.'),
  requestHeader('range', 'One range in bytes (RANGE-1).'),
  requestHeader('if-range', 'The strong ETag for which the range is wanted.'),
]

/** `caching`: a header of each of them. */
export const valueAnswers = (caching: AnswerHeader): readonly RouteAnswer[] => [
  {
    status: 200,
    description: 'The value, with its stored headers.',
    headers: [ETAG, caching],
    contents: [VALUE],
  },
  {
    status: 206,
    description: 'The part that was asked for.',
    headers: [ETAG, caching, header('content-range', '`bytes ‹first›-‹last›/‹size›`.')],
    contents: [VALUE],
    isOfGetOnly: true,
  },
  { status: 304, description: 'The client has the value.', headers: [ETAG, caching] },
  {
    status: 416,
    description: 'The range begins at or after the end.',
    headers: [ETAG, caching, header('content-range', '`bytes */‹size›`.')],
    isOfGetOnly: true,
  },
]
