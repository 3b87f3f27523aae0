/**
 * List cursors: base64url of 16 bytes of HMAC-SHA256 and the last key given. The code binds the key to invoker, space,
 * prefix and limit, so that a cursor works only where it was made (LIST-3, reference-behaviour §3.3). Opaque to clients.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { formatBase64url, parseBase64url } from '../../../protocol/base64url.ts'
import { ProtocolError } from '../../../protocol/error.ts'

const CODE_BYTES = 16

function codeOf(cursorKey: KeyObject, scope: string, lastKey: Uint8Array): Buffer {
  return createHmac('sha256', cursorKey)
    .update(scope)
    .update('\0')
    .update(lastKey)
    .digest()
    .subarray(0, CODE_BYTES)
}

export function formatListCursor(cursorKey: KeyObject, scope: string, lastKey: Uint8Array): string {
  return formatBase64url(Buffer.concat([codeOf(cursorKey, scope, lastKey), lastKey]), {
    padding: 'none',
  })
}

/** The last key that the client has seen. @throws {ProtocolError} OPTION_INVALID */
export function parseListCursor(cursorKey: KeyObject, scope: string, cursor: string): Uint8Array {
  const bytes = decode(cursor)
  if (bytes && bytes.length >= CODE_BYTES) {
    const lastKey = bytes.subarray(CODE_BYTES)
    const isOurs = timingSafeEqual(bytes.subarray(0, CODE_BYTES), codeOf(cursorKey, scope, lastKey))
    if (isOurs) return lastKey
  }
  throw new ProtocolError('OPTION_INVALID', 'Invalid KV list cursor')
}

function decode(cursor: string): Uint8Array | undefined {
  try {
    return parseBase64url(cursor, { padding: 'none' })
  } catch {
    return undefined
  }
}
