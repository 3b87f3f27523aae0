/** The JSON body of POST /signed/kv: which value, and for how long (reference-behaviour §6.6, sdk-contract §1.7). */
import { equalBytes, parseHex } from '../../../protocol/bytes.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { KEY_BYTES_MAX, SIGNED_URL_LIFETIME_S_MAX } from '../../../protocol/limits.ts'
import { SIGN_REQUEST } from '../../../protocol/messages/sign-kv.ts'
import { parseResource, parseSpaceId, type SpaceResource } from '../../../protocol/resource.ts'
import {
  type MessageForm,
  parseMessage,
  readNumber,
  readText,
  readTextMember,
  unprocessable,
} from '../json-body.ts'
import { type Body } from '../request.ts'

export interface SignRequest {
  /** Of the value, in the kv service of its space. */
  readonly resource: SpaceResource
  readonly key: Uint8Array
  /** At most SIGNED_URL_LIFETIME_S_MAX; zero or less is over at once. */
  readonly lifetimeS: number
  /** The value that the URL is for; undefined: the present one. */
  readonly digest: Uint8Array | undefined
}

const FORM: MessageForm = {
  schema: SIGN_REQUEST,
  order: ['space', 'path', 'ttlSeconds', 'maxUses', 'contentHash', 'etag'],
  refusalOf: unprocessable,
}

const DIGEST = /^[0-9a-f]{64}$/i
const ETAG = /^"blake3-([0-9a-f]{64})"$/i

const invalid = (text: string): ProtocolError => new ProtocolError('OPTION_INVALID', text)

/**
 * Rule: SIGNED-3. The official client writes `ttl_seconds` and `content_hash`; both spellings are read.
 * @throws {ProtocolError} REQUEST_MALFORMED | BODY_UNPROCESSABLE | OPTION_INVALID | SPACE_ID_INVALID
 */
export function parseSignRequest(body: Body): SignRequest {
  const members = parseMessage(body, FORM)
  const spaceText = readTextMember(members, 'space')
  const path = readTextMember(members, 'path')
  const lifetimeS = readNumber(members, 'ttlSeconds') ?? readNumber(members, 'ttl_seconds')
  const maxUses = readNumber(members, 'maxUses')
  const contentHash = readText(members, 'contentHash') ?? readText(members, 'content_hash')
  const etag = readText(members, 'etag')
  if (maxUses !== undefined) throw invalid('maxUses is not supported for signed KV URLs yet')
  return {
    resource: parseTarget(parseSpaceId(spaceText).space, path),
    key: Buffer.from(path),
    lifetimeS: Math.min(lifetimeS ?? SIGNED_URL_LIFETIME_S_MAX, SIGNED_URL_LIFETIME_S_MAX),
    digest: parseDigest(contentHash, etag),
  }
}

/** A key as URI text, as capabilities name it: never decoded, without query or fragment. */
function parseTarget(space: string, path: string): SpaceResource {
  const resource = path.length <= KEY_BYTES_MAX ? resourceOf(`${space}/kv/${path}`) : undefined
  if (!resource || resource.path !== path) throw invalid('Invalid path')
  return resource
}

function resourceOf(text: string): SpaceResource | undefined {
  try {
    const resource = parseResource(text)
    const isKey =
      resource.kind === 'space' && resource.query === undefined && resource.fragment === undefined
    return isKey ? resource : undefined
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function parseDigest(hash: string | undefined, etag: string | undefined): Uint8Array | undefined {
  if (hash !== undefined && !DIGEST.test(hash))
    throw invalid('contentHash must be a blake3 hex digest')
  const ofHash = hash === undefined ? undefined : parseHex(hash)
  const ofEtag = etag === undefined ? undefined : digestOfEtag(etag)
  if (ofHash && ofEtag && !equalBytes(ofHash, ofEtag))
    throw invalid('contentHash and ETag must identify the same object')
  return ofHash ?? ofEtag
}

/** No value of this node has an ETag of another form, so a URL for one could never be used. */
function digestOfEtag(etag: string): Uint8Array {
  const hex = ETAG.exec(etag)?.[1]
  if (hex === undefined)
    throw invalid('etag must be a strong TinyCloud ETag: "blake3-<64 hex characters>"')
  return parseHex(hex)
}
