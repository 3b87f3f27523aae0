/**
 * The description of the node in OpenAPI 3.1, made from the route table and the schemas of `protocol/messages`
 * (HTTP-10). A refusal is described by the schema of its code: the one text, or the pattern of the texts, that it has.
 */
import {
  createContent,
  createHeaders,
  createResponses,
  createSchemas,
  type JsonObject,
} from './api/openapi-responses.ts'
import { PATH } from './api/refusals.ts'
import { type Parameter, type RouteDescription } from './api/route-description.ts'

const DESCRIPTION = `A self-hosted node of the TinyCloud Protocol. docs/protocol.md has the rules that are cited here.

A refusal has the text of its code, or an error page: JSON if the first choice of \`Accept\` is exactly \
\`application/json\`, else HTML. HEAD is answered as GET, without the body. What is no HTTP, and a head that is too long \
or too slow, gets a bare 400, 408, 417 or 431, and the connection is closed (HTTP-6).`

/** The document. `version` is that of the program. */
export function createOpenApi(routes: readonly RouteDescription[], version: string): JsonObject {
  const anyPath = routes.find(({ path }) => path === '*')
  const paths = new Map<string, Record<string, unknown>>()
  for (const route of routes) {
    if (route === anyPath) continue
    const path = formatPath(route.path)
    const item = paths.get(path) ?? (anyPath ? { options: operationAt(anyPath, route) } : {})
    item[route.method.toLowerCase()] = createOperation(route)
    if (route.method === 'GET') item['head'] = createHead(route)
    paths.set(path, item)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'TinyCloud node',
      version,
      description: DESCRIPTION,
      license: { name: 'MIT OR Apache-2.0', identifier: 'MIT OR Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(paths),
    components: {
      headers: createHeaders(),
      schemas: createSchemas(routes),
      securitySchemes: {
        token: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description:
            'A UCAN, or a CACAO in base64url: the whole value, without a scheme (TOKEN-1).',
        },
      },
    },
  }
}

/** `/a/:b/*` as `/a/{b}/{key}`. */
const formatPath = (path: string): string =>
  path.replace('*', '{key}').replaceAll(/:(\w+)/g, (_, name: string) => `{${name}}`)

/** OPTIONS of any path, as it is answered on the path of this route. */
function operationAt(
  anyPath: RouteDescription,
  { operationId, parameters }: RouteDescription,
): unknown {
  const ofPath = parameters.filter((parameter) => parameter.in === 'path')
  const refusals = ofPath.length > 0 ? [...anyPath.refusals, ...PATH] : anyPath.refusals
  return {
    ...createOperation({ ...anyPath, parameters: ofPath, refusals }),
    operationId: `${operationId}Preflight`,
  }
}

function createOperation(route: RouteDescription): JsonObject {
  const { operationId, summary, description, takesToken, parameters, body } = route
  return {
    operationId,
    summary,
    ...(description !== undefined && { description }),
    security: takesToken ? [{ token: [] }] : [],
    ...(parameters.length > 0 && { parameters: parameters.map(createParameter) }),
    ...(body && {
      requestBody: { required: body.isRequired, content: createContent(body.contents) },
    }),
    responses: createResponses(route, { isHead: false }),
  }
}

const createHead = (route: RouteDescription): JsonObject => ({
  ...createOperation(route),
  operationId: `${route.operationId}Head`,
  responses: createResponses(route, { isHead: true }),
})

const createParameter = ({ in: place, name, description, schema }: Parameter): JsonObject => ({
  name,
  in: place,
  required: place === 'path',
  description,
  schema,
})
