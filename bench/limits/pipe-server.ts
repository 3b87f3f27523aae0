/**
 * The limit for large values: bare `node:http`, one `stream.pipeline` between the connection and a file, a native BLAKE3
 * over all bytes, and one fdatasync at the end of an upload. No signature, no rows, no verification by segment.
 *
 * `POST /invoke` with a body stores it, without one sends it back. Run alone: `node bench/limits/pipe-server.ts DIRECTORY`.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import path from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBlake3 } from '../../src/protocol/crypto/blake3.ts'

const [directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('usage: pipe-server.ts DIRECTORY')
const file = path.join(directory, 'pipe-server-value')

function createHashing(): Transform {
  const hasher = createBlake3()
  return new Transform({
    transform(part: Buffer, _encoding, done) {
      hasher.update(part)
      done(null, part)
    },
    flush(done) {
      hasher.digest()
      done()
    },
  })
}

async function takeUp(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await pipeline(request, createHashing(), createWriteStream(file))
  const handle = await open(file, 'r+')
  await handle.datasync()
  await handle.close()
  response.end()
}

const server = createServer((request, response) => {
  const isUpload = Number(request.headers['content-length'] ?? 0) > 0
  const work = isUpload
    ? takeUp(request, response)
    : pipeline(createReadStream(file), createHashing(), response)
  work.catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  process.stdout.write(`http://127.0.0.1:${address.port}\n`)
})
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
