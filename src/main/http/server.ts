/**
 * The HTTP edge: who answers which route of the table, and the limits of connections and heads. Fastify routes; bodies are
 * left alone and answers are written by `Exchange`, so that nothing is parsed, shaped or refused behind our back (HTTP-1,
 * HTTP-6).
 */
import { type Server as HttpServer } from 'node:http'
import { type Socket } from 'node:net'

import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'

import { type ErrorCode } from '../../protocol/error.ts'
import { TOKEN_BYTES_MAX } from '../../protocol/limits.ts'
import { type OperationId } from './api/route-description.ts'
import { limitConnections, refuseConnection } from './connections.ts'
import { Exchange, type ExchangeSettings } from './exchange.ts'
import { type HealthProbe } from './health-probe.ts'
import { type OpenReads } from './open-reads.ts'
import { createOpenApi } from './openapi.ts'
import { dropBody } from './request-body.ts'
import { ROUTES } from './route-table.ts'
import { answerDelegate } from './routes/delegate.ts'
import { answerDelegationQuery } from './routes/delegation-query.ts'
import { answerDelegationStatus } from './routes/delegation-status.ts'
import { answerHealth } from './routes/health.ts'
import { answerInfo, type NodeInfo } from './routes/info.ts'
import { answerInvoke } from './routes/invoke.ts'
import { answerOpenApi } from './routes/openapi.ts'
import { answerPeerGenerate } from './routes/peer-generate.ts'
import { answerPreflight } from './routes/preflight.ts'
import { answerPublicKey } from './routes/public-key.ts'
import { answerPublicList } from './routes/public-list.ts'
import { answerPublicPreflight } from './routes/public-preflight.ts'
import { answerRevoke } from './routes/revoke.ts'
import { answerSignKv } from './routes/sign-kv.ts'
import { answerSignedKv } from './routes/signed-kv.ts'
import { type SignedRequests } from './signed-requests.ts'
import { UnfinishedHeads } from './unfinished-heads.ts'

/** A token of the greatest length, and all other headers. */
const HEAD_BYTES_MAX = TOKEN_BYTES_MAX + 64 * 1024
/** More header fields are refused (the existing node does the same), never silently cut. */
const HEADER_FIELDS_MAX = 100
/** A head must arrive within this time. */
const HEAD_TIMEOUT_MS = 30_000
/** How often the connections are looked at for it: a slow head is refused this much later at most. */
const HEAD_CHECK_INTERVAL_MS = 5000
/** A connection may wait this long for its next request. */
const KEEP_ALIVE_MS = 65_000
/** Longest path segment: as long as the head allows. */
const SEGMENT_CHARS_MAX = HEAD_BYTES_MAX

export interface EdgeParts {
  readonly settings: ExchangeSettings
  readonly signed: SignedRequests
  readonly openReads: OpenReads
  readonly probe: HealthProbe
  readonly info: NodeInfo
  readonly nodeSecret: Uint8Array
  /** A bug of ours; the client gets a 500 without detail. */
  readonly onFault: (error: unknown, exchange: Exchange) => void
}

/** The port that the server listens on, also when the system chose it. */
export function readPort(server: HttpServer): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port is open')
  return address.port
}

type Handler = (exchange: Exchange) => void | Promise<void>
type RawHandler = (request: FastifyRequest, reply: FastifyReply) => void
/** Makes a handler of ours one of the server's. `route` is the pattern of the path. */
type OpenRoute = (route: string, handler: Handler) => RawHandler

/** Builds the server. It does not listen yet. */
export function createServer(parts: EdgeParts): FastifyInstance {
  const { connections } = parts.settings
  const heads = new UnfinishedHeads(connections.unfinishedHeadBytesMax)
  const open: OpenRoute = (route, handler) => createHandler(parts, heads, route, handler)
  const app = fastify({
    logger: false,
    // HTTP-7.
    exposeHeadRoutes: true,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Bodies have limits of their own: a gigabyte may take a while.
    requestTimeout: 0,
    http: {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: HEAD_TIMEOUT_MS,
      connectionsCheckingInterval: HEAD_CHECK_INTERVAL_MS,
      requireHostHeader: false,
    },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (_error, request, reply) => {
      open('<unmatched>', (exchange) => refuse(exchange, 'REQUEST_MALFORMED'))(request, reply)
    },
    routerOptions: {
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      caseSensitive: true,
      maxParamLength: SEGMENT_CHARS_MAX,
    },
  })
  app.addHttpMethod('POST', { hasBody: false, overrideExisting: true })
  addRoutes(app, parts, open)
  limitConnections(app.server, connections)
  app.server.on('connection', (socket: Socket) => heads.add(socket))
  return app
}

function addRoutes(app: FastifyInstance, parts: EdgeParts, open: OpenRoute): void {
  const handlers = createHandlers(parts)
  for (const { method, path, operationId } of ROUTES)
    app.route({ method, url: path, handler: open(path, handlers[operationId]) })
  app.setNotFoundHandler(open('<unmatched>', (exchange) => refuse(exchange, 'ROUTE_NOT_FOUND')))
}

/** What answers each route of the table. */
function createHandlers(parts: EdgeParts): Readonly<Record<OperationId, Handler>> {
  const { settings, signed, openReads, probe, info, nodeSecret } = parts
  const openApi = Buffer.from(JSON.stringify(createOpenApi(ROUTES, info.version)))
  return {
    checkHealth: (exchange) => answerHealth(exchange, probe),
    checkHealthAlias: (exchange) => answerHealth(exchange, probe),
    readVersion: (exchange) => answerInfo(exchange, info),
    readInfo: (exchange) => answerInfo(exchange, info),
    readOpenApi: (exchange) => answerOpenApi(exchange, openApi),
    generatePeer: (exchange) => answerPeerGenerate(exchange, nodeSecret),
    delegate: (exchange) => answerDelegate(exchange, signed),
    invoke: (exchange) => answerInvoke(exchange, signed),
    revoke: (exchange) => answerRevoke(exchange, signed),
    delegationStatus: (exchange) => answerDelegationStatus(exchange, signed),
    delegationQuery: (exchange) => answerDelegationQuery(exchange, signed),
    signKv: (exchange) => answerSignKv(exchange, signed),
    readSignedKv: (exchange) => answerSignedKv(exchange, openReads),
    listPublicKeys: (exchange) => answerPublicList(exchange, openReads),
    readPublicKey: (exchange) => answerPublicKey(exchange, openReads),
    preflightPublicKeys: answerPublicPreflight,
    preflightPublicKey: answerPublicPreflight,
    preflight: (exchange) => answerPreflight(exchange, settings.cors),
  }
}

function createHandler(
  parts: EdgeParts,
  heads: UnfinishedHeads,
  route: string,
  handler: Handler,
): RawHandler {
  return (request, reply) => {
    reply.hijack()
    const exchange = new Exchange(
      parts.settings,
      { request: request.raw, response: reply.raw },
      route,
    )
    const hasTooManyFields = request.raw.rawHeaders.length > HEADER_FIELDS_MAX * 2
    heads.end(request.raw)
    void run(exchange, hasTooManyFields ? refuseHead : handler, parts.onFault)
  }
}

/** Answers, whatever happens, and leaves the connection ready for its next request. */
async function run(
  exchange: Exchange,
  handler: Handler,
  onFault: EdgeParts['onFault'],
): Promise<void> {
  try {
    await handler(exchange)
  } catch (error) {
    onFault(error, exchange)
    if (exchange.response.headersSent) exchange.reset()
    else exchange.sendFailure({ code: 'INTERNAL', detail: '' })
  }
  dropBody(exchange)
}

function refuse(exchange: Exchange, code: ErrorCode): void {
  exchange.sendFailure({ code, detail: '' })
}

const refuseHead: Handler = (exchange) => refuse(exchange, 'TOKEN_TOO_LARGE')
