/** The answers of a route in OpenAPI: statuses, headers, and what the bodies hold. */
import { type ErrorCode, WIRE_ERRORS, wireError } from '../../../protocol/error.ts'
import { type JsonSchema } from '../../../protocol/json-schema.ts'
import { ERROR_DOCUMENT } from '../../../protocol/messages/error-page.ts'
import {
  type AnswerHeader,
  type Content,
  type RouteAnswer,
  type RouteDescription,
} from './route-description.ts'

/** A part of the document: JSON and nothing else. */
export type JsonObject = Readonly<Record<string, unknown>>

const TEXT = 'text/plain; charset=utf-8'
const HTML = 'text/html; charset=utf-8'

const TRACE_ID: AnswerHeader = {
  name: 'tinycloud-trace-id',
  description: 'Names the request in the log of the node.',
  isAlways: true,
}

const TRACE_ID_REFERENCE: JsonObject = { $ref: '#/components/headers/TraceId' }

const RETRY_AFTER: AnswerHeader = {
  name: 'retry-after',
  description: 'Seconds after which to try again.',
  isAlways: true,
}
const RETRY_STATUSES: ReadonlySet<number> = new Set([429, 503])

/** By status. HEAD has no bodies, and misses some answers of GET. */
export function createResponses(
  { answers, refusals }: RouteDescription,
  { isHead }: { readonly isHead: boolean },
): JsonObject {
  const codes = new Map<number, ErrorCode[]>()
  for (const code of new Set(refusals)) {
    const { status } = WIRE_ERRORS[code]
    codes.set(status, [...(codes.get(status) ?? []), code])
  }
  const given = answers.filter((answer) => !isHead || answer.isOfGetOnly !== true)
  const statuses = new Set([...given.map(({ status }) => status), ...codes.keys()])
  const responses = [...statuses]
    .toSorted((one, other) => one - other)
    .map((status): [string, JsonObject] => {
      const answer = given.find((candidate) => candidate.status === status)
      return [String(status), createResponse(status, answer, codes.get(status) ?? [], isHead)]
    })
  return Object.fromEntries(responses)
}

function createResponse(
  status: number,
  answer: RouteAnswer | undefined,
  codes: readonly ErrorCode[],
  isHead: boolean,
): JsonObject {
  const headers = [...(answer?.headers ?? [])]
  if (RETRY_STATUSES.has(status)) headers.push(RETRY_AFTER)
  const contents = isHead ? [] : [...(answer?.contents ?? []), ...refusalContents(codes)]
  const words = [answer?.description, codes.join(', ')]
  return {
    description: words.filter((text) => text !== undefined && text !== '').join(' '),
    headers: {
      [TRACE_ID.name]: TRACE_ID_REFERENCE,
      ...Object.fromEntries(headers.map(createHeader)),
    },
    ...(contents.length > 0 && { content: createContent(contents) }),
  }
}

const createHeader = ({ name, description, isAlways }: AnswerHeader): [string, JsonObject] => [
  name,
  { description, required: isAlways, schema: { type: 'string' } },
]

const refer = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

function refusalContents(codes: readonly ErrorCode[]): Content[] {
  const contents: Content[] = []
  for (const code of codes)
    if (!isPage(code)) contents.push({ mediaType: TEXT, schema: refer(code) })
  if (codes.some(isPage))
    contents.push(
      { mediaType: 'application/json', schema: refer('ErrorDocument') },
      { mediaType: HTML, schema: { type: 'string' } },
    )
  return contents
}

/** By media type; several contents of one type are alternatives. */
export function createContent(contents: readonly Content[]): JsonObject {
  const schemas = new Map<string, JsonSchema[]>()
  for (const { mediaType, schema } of contents)
    schemas.set(mediaType, [...(schemas.get(mediaType) ?? []), schema ?? {}])
  return Object.fromEntries(
    [...schemas].map(([mediaType, alternatives]) => [
      mediaType,
      { schema: alternatives.length === 1 ? alternatives[0] : { anyOf: alternatives } },
    ]),
  )
}

/** The header of every answer. */
export const createHeaders = (): JsonObject => ({ TraceId: createHeader(TRACE_ID)[1] })

/** What the responses refer to: the error document, and a schema of the text of each code. */
export function createSchemas(routes: readonly RouteDescription[]): JsonObject {
  const codes = new Set(routes.flatMap(({ refusals }) => refusals))
  const schemas: [string, JsonSchema][] = [...codes]
    .filter((code) => !isPage(code))
    .toSorted()
    .map((code) => [code, textSchema(wireError(code).text)])
  return { ErrorDocument: ERROR_DOCUMENT, ...Object.fromEntries(schemas) }
}

const isPage = (code: ErrorCode): boolean => wireError(code).catcher === true

/** One text, or every text with any detail. */
function textSchema(text: string): JsonSchema {
  const [before = '', after] = text.split('{}')
  if (after === undefined) return { type: 'string', const: text }
  return { type: 'string', pattern: `^${escapePattern(before)}[^]*${escapePattern(after)}$` }
}

const escapePattern = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
