/**
 * The limit that the node is measured against: bare fastify and one native Ed25519 verification per request, on the
 * token that the request carries. Nothing is parsed beyond that, nothing is authorised, nothing is stored.
 *
 * A request with a body is a put, one without is a read and gets the last body. Run alone: `node bench/limits/verify-server.ts`; it prints its URL.
 */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { fastify } from 'fastify'

/** A body above this is not part of any question that the limit answers. */
const BODY_BYTES_MAX = 64 * 1024 * 1024
/** What a read answers before the first write: the size that the questions ask for. */
const VALUE_BYTES_DEFAULT = 1024

interface Sodium {
  crypto_sign_verify_detached(signature: Buffer, message: Buffer, publicKey: Buffer): boolean
}

const sodium: Sodium = createRequire(import.meta.url)('sodium-native')

interface JwtHeader {
  readonly jwk: { readonly x: string }
}

/** Keys by the header part of the token, which is the same text in every token of one key. */
const keys = new Map<string, Buffer>()

function keyOf(headerPart: string): Buffer {
  const known = keys.get(headerPart)
  if (known) return known
  const header: JwtHeader = JSON.parse(Buffer.from(headerPart, 'base64url').toString())
  const key = Buffer.from(header.jwk.x, 'base64url')
  keys.set(headerPart, key)
  return key
}

function isSigned(token: string): boolean {
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  const message = Buffer.from(token.slice(0, end), 'latin1')
  const key = keyOf(token.slice(0, token.indexOf('.')))
  return sodium.crypto_sign_verify_detached(signature, message, key)
}

let value: Buffer = randomBytes(VALUE_BYTES_DEFAULT)

const server = fastify({ bodyLimit: BODY_BYTES_MAX, routerOptions: { maxParamLength: 4096 } })
server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

server.post('/invoke', (request, reply) => {
  const { authorization } = request.headers
  if (authorization === undefined || !isSigned(authorization)) return reply.code(401).send()
  if (!Buffer.isBuffer(request.body) || request.body.length === 0) return reply.send(value)
  value = request.body
  return reply.send()
})

process.stdout.write(`${await server.listen({ host: '127.0.0.1', port: 0 })}\n`)
process.once('SIGTERM', () => {
  void server.close()
  server.server.closeAllConnections()
})
