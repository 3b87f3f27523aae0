/**
 * The current value of a key as an HTTP answer: all of it or a part, as a whole answer or as a download, or the news
 * that the client has it already. Shared by kv/get, signed URLs and public spaces.
 */
import { type Answer, NO_BODY } from '../../../protocol/answer.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { PACKED_VALUE_BYTES_MAX, SEGMENT_BYTES } from '../../../protocol/limits.ts'
import { type VersionFacts } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type Outcome } from '../plan.ts'
import { type ReplayClaim } from '../request.ts'
import { blame, openBlamed } from './blame.ts'
import { type BytePart, type RangeHeaders, wantedPart } from './byte-range.ts'
import { cutPart, segmentsOf } from './part-segments.ts'
import { etagOf, matchesEtag } from './etag.ts'

export interface ValueWish extends RangeHeaders {
  readonly ifNoneMatch: string | undefined
  /** Longest body that the client takes. */
  readonly bodyBytesMax?: number | undefined
  /** HEAD: the value is not read, and `content-length` tells its length. */
  readonly isHead?: boolean
}

export interface ValueAnswer {
  /** The stored headers that are shown, and those about caching. The ETag is added. */
  readonly headers: Answer['headers']
  readonly claim?: ReplayClaim
}

type Blocks = Pick<ComputeContext, 'blocks' | 'streams'>

/** The live version of a key. */
export const liveOf = (version: VersionFacts | undefined): VersionFacts | undefined =>
  version === undefined || version.isDeleted ? undefined : version

/**
 * Rule: RANGE-3. The condition of a get comes before its range, and nothing of the value is read before both.
 * @throws {ProtocolError} RESPONSE_TOO_LARGE
 */
export async function answerValue(
  context: Blocks,
  version: VersionFacts,
  wish: ValueWish,
  { headers: given, claim }: ValueAnswer,
): Promise<Outcome> {
  const { valueBytes, digest } = version
  const etag = etagOf(digest)
  const headers = [...given, ['etag', etag] as const]
  if (wish.ifNoneMatch !== undefined && matchesEtag(wish.ifNoneMatch, etag))
    return { kind: 'answer', answer: { status: 304, headers, body: NO_BODY }, claim }
  if (wish.isHead === true) return { kind: 'answer', answer: headOf(headers, valueBytes), claim }

  const part = wantedPart(wish, { etag, valueBytes })
  if (part.kind === 'outside')
    return { kind: 'answer', answer: outside(headers, valueBytes), claim }
  if (part.kind === 'whole') {
    assertWithin(wish.bodyBytesMax, valueBytes)
    return sendValue(context, version, { status: 200, headers, body: NO_BODY }, claim)
  }
  const { first, last } = part
  assertWithin(wish.bodyBytesMax, last - first + 1)
  const range = ['content-range', `bytes ${first}-${last}/${valueBytes}`] as const
  const head: Answer = { status: 206, headers: [...headers, range], body: NO_BODY }
  return sendValue(context, version, head, claim, part)
}

const headOf = (headers: Answer['headers'], valueBytes: number): Answer => ({
  status: 200,
  headers: [...headers, ['content-length', String(valueBytes)]],
  body: NO_BODY,
})

const outside = (headers: Answer['headers'], valueBytes: number): Answer => ({
  status: 416,
  headers: [...headers, ['content-range', `bytes */${valueBytes}`]],
  body: NO_BODY,
})

/** @throws {ProtocolError} RESPONSE_TOO_LARGE */
export function assertWithin(bodyBytesMax: number | undefined, bodyBytes: number): void {
  if (bodyBytesMax !== undefined && bodyBytes > bodyBytesMax)
    throw new ProtocolError(
      'RESPONSE_TOO_LARGE',
      `KV response is ${bodyBytes} bytes, exceeding the requested limit of ${bodyBytesMax} bytes`,
    )
}

async function sendValue(
  context: Blocks,
  version: VersionFacts,
  head: Answer,
  claim: ReplayClaim | undefined,
  part?: BytePart,
): Promise<Outcome> {
  const { place, valueBytes } = version
  const bodyBytes = part ? part.last - part.first + 1 : valueBytes
  if (place?.kind === 'object' && bodyBytes > PACKED_VALUE_BYTES_MAX) {
    const streamId = context.streams.openDownload(
      openBlamed(context.blocks, place, version.versionNo),
      part,
    )
    return { kind: 'download', answer: head, claim, streamId, bodyBytes }
  }
  const body = part ? await readPart(context, version, part) : await readValue(context, version)
  return { kind: 'answer', answer: { ...head, body }, claim }
}

/** A part in memory. Only for parts of bounded size: of a large value the segments that hold it are read whole. */
async function readPart(
  context: Blocks,
  version: VersionFacts,
  part: BytePart,
): Promise<Uint8Array> {
  const { place } = version
  if (place?.kind !== 'object') return cutPart(await readValue(context, version), 0, part)
  const { first, count } = segmentsOf(part)
  const object = context.blocks.openObject(place)
  try {
    return cutPart(await object.readSegments(first, count), first * SEGMENT_BYTES, part)
  } finally {
    await object.close()
  }
}

/** A whole value in memory. Only for values of bounded size. */
export async function readValue(
  { blocks }: Pick<ComputeContext, 'blocks'>,
  { place, digest, valueBytes, versionNo }: VersionFacts,
): Promise<Uint8Array> {
  if (!place) throw new Error('a live version has no place')
  if (place.kind === 'pack') {
    try {
      return await blocks.readPacked(place, digest)
    } catch (error) {
      throw blame(error, { kind: 'kv_version', rowId: versionNo })
    }
  }
  const object = openBlamed(blocks, place, versionNo)
  try {
    return await object.readSegments(0, Math.ceil(valueBytes / SEGMENT_BYTES))
  } finally {
    await object.close()
  }
}
