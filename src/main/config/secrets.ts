/**
 * The secret of the node: every host DID is derived from it, so it must never change, leak, or be somebody else's.
 *
 * It comes from `keys.secret`, else from the file `<datadir>/secret`, which the first start generates. The file holds
 * the same text that `keys.secret` takes, and a line end.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

import { formatBase64url, parseBase64url } from '../../protocol/base64url.ts'
import { equalBytes, utf8 } from '../../protocol/bytes.ts'
import { StartFault } from '../../workers/storage/request.ts'
import { syncDirectory } from './directories.ts'

const SECRET_BYTES_MIN = 32
const SECRET_BYTES_MAX = 4096
/** Of a generated secret. */
const SECRET_BYTES_NEW = 32
const SECRET_FILE_MODE = 0o600
const OTHERS_MAY_READ = 0o077

/** In the configuration file that every release of the existing node ships (reference-behaviour §5.2): known to all. */
const PUBLISHED_SECRET = utf8('Some long piece of entropy which is a secret and more than 32 bytes')

const REMEDY =
  'Remove it, and the node generates one in its data directory; or write 32 random bytes as base64url without padding:\n' +
  `node -p "require('crypto').randomBytes(32).toString('base64url')"`

export interface SecretFile {
  readonly secret: Uint8Array
  readonly isNew: boolean
  /** Users other than its owner may read it. */
  readonly isExposed: boolean
}

/**
 * Reads a secret as users write it: unpadded base64url of at least 32 bytes.
 * @param origin where it was written, for the message; the secret itself is never in one
 * @throws {StartFault}
 */
export function parseSecret(text: string, origin: string): Uint8Array {
  const refuse = (why: string): StartFault =>
    new StartFault({ what: `The secret in ${origin} cannot be used`, why, remedy: REMEDY })

  let secret: Uint8Array
  try {
    // An exact copy: the decoder may return a view into a pool that also holds other bytes.
    secret = Uint8Array.from(parseBase64url(text, { padding: 'none' }))
  } catch {
    throw refuse('It is not base64url without padding (letters, digits, - and _).')
  }
  if (secret.length < SECRET_BYTES_MIN)
    throw refuse(`It has ${secret.length} bytes; at least ${SECRET_BYTES_MIN} are needed.`)
  if (secret.length > SECRET_BYTES_MAX)
    throw refuse(`It has ${secret.length} bytes; at most ${SECRET_BYTES_MAX} are taken.`)
  if (equalBytes(secret, PUBLISHED_SECRET))
    throw refuse(
      'It is the example that was published with the existing node: anybody could act as this node.',
    )
  return secret
}

/**
 * Reads the secret file, and creates it if there is none. Of several processes that start at once one creates it, and
 * all read the same. It is durable, with its name, before this returns.
 * @param path absolute; its directory exists
 * @throws {StartFault}
 */
export function openSecretFile(path: string): SecretFile {
  try {
    const isNew = !existsSync(path) && createSecretFile(path)
    // Whoever created it may have lost power before its name was durable, so it is synced here in any case.
    syncDirectory(dirname(path))
    return { ...readSecretFile(path), isNew }
  } catch (error) {
    if (error instanceof StartFault) throw error
    throw new StartFault(
      {
        what: `The secret file ${path} cannot be read or created`,
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Let the user that runs the node own it and its directory, or set keys.secret.',
      },
      { cause: error },
    )
  }
}

function readSecretFile(path: string): Omit<SecretFile, 'isNew'> {
  const descriptor = openSync(path, 'r')
  try {
    const { mode, size: fileBytes } = fstatSync(descriptor)
    if (fileBytes > 2 * SECRET_BYTES_MAX)
      throw new RangeError(`it has ${fileBytes} bytes: it is no secret file`)
    const secret = parseSecret(readFileSync(descriptor, 'utf8').trim(), path)
    return { secret, isExposed: (mode & OTHERS_MAY_READ) !== 0 }
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Writes the file under a name of its own and links it to its final name, which fails if another process was faster.
 * So nobody ever sees a file with half a secret, and no secret is ever replaced.
 * @returns whether this call created it
 */
function createSecretFile(path: string): boolean {
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  const text = `${formatBase64url(randomBytes(SECRET_BYTES_NEW), { padding: 'none' })}\n`
  try {
    const descriptor = openSync(draft, 'wx', SECRET_FILE_MODE)
    try {
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    linkSync(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}
