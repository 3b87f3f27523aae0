/**
 * GET /peer/generate/<space> · in: a space id as one path segment, decoded once · out: 200 text, this node's host DID
 * for the space, without a line end · errors: 400 (reference-behaviour §1.4, sdk-contract §1.4)
 *
 * The DID is derived, not stored: asking costs nothing but the derivation.
 */
import { ProtocolError } from '../../../protocol/error.ts'
import { hostDid } from '../../../protocol/host-key.ts'
import { parseSpaceId } from '../../../protocol/resource.ts'
import { type Exchange } from '../exchange.ts'

export function answerPeerGenerate(exchange: Exchange, nodeSecret: Uint8Array): void {
  let did: string
  try {
    const { space } = parseSpaceId(readSpaceText(exchange.request.url ?? ''))
    did = hostDid(nodeSecret, space)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    exchange.sendFailure({ code: 'SPACE_ID_INVALID', detail: '' })
    return
  }
  exchange.sendText(did)
}

/**
 * The last segment of the path. It is taken from the URL as received, because names of spaces may themselves hold
 * escapes, which must be decoded exactly once.
 */
function readSpaceText(url: string): string {
  const [path = ''] = url.split('?')
  const segment = path.split('/').findLast((part) => part !== '') ?? ''
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    throw new ProtocolError('SPACE_ID_INVALID', '', { cause })
  }
}
