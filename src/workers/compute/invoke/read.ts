/** kv/get and kv/metadata: of one key as an HTTP answer, of several as a JSON batch (reference-behaviour §2.9, §3.1). */
import { type Answer, jsonAnswer, NO_BODY } from '../../../protocol/answer.ts'
import { toHex } from '../../../protocol/bytes.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { SEGMENT_BYTES } from '../../../protocol/limits.ts'
import { type ReadFacts, type VersionFacts } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type Outcome } from '../plan.ts'
import { type Effect, type KeyTarget } from './effects.ts'
import { matchesEtag } from './options.ts'
import { type Invocation, replayClaim } from './plan-invoke.ts'

export const etagOf = (digest: Uint8Array): string => `"blake3-${toHex(digest)}"`

const CACHING = ['cache-control', 'private, no-cache'] as const

/** The live version of a key. */
const liveOf = (version: VersionFacts | undefined): VersionFacts | undefined =>
  version === undefined || version.isDeleted ? undefined : version

/**
 * Rule: KV-4, KV-7, COND-3.
 * @throws {ProtocolError} KEY_NOT_FOUND | RESPONSE_TOO_LARGE
 */
export async function answerRead(
  context: ComputeContext,
  invocation: Invocation,
  effect: Extract<Effect, { kind: 'read' }>,
  facts: ReadFacts,
): Promise<Outcome> {
  const claim = replayClaim(invocation)
  if (effect.targets.length > 1)
    return { kind: 'answer', answer: await answerBatch(context, invocation, effect, facts), claim }

  const version = liveOf(facts.keys[0])
  if (!version) throw new ProtocolError('KEY_NOT_FOUND')
  const etag = etagOf(version.digest)
  if (effect.read === 'metadata') {
    const headers = [...version.headers, ['etag', etag] as const]
    return { kind: 'answer', answer: { status: 200, headers, body: NO_BODY }, claim }
  }
  const headers = [...version.headers, ['etag', etag] as const, CACHING]
  const { ifNoneMatch } = invocation.options
  if (ifNoneMatch !== undefined && matchesEtag(ifNoneMatch, etag))
    return { kind: 'answer', answer: { status: 304, headers, body: NO_BODY }, claim }
  assertWithinLimit(invocation, version)
  const head: Answer = { status: 200, headers, body: NO_BODY }
  const { place } = version
  if (place?.kind === 'object') {
    const streamId = context.streams.openDownload(context.blocks.openObject(place))
    return { kind: 'download', answer: head, claim, streamId, valueBytes: version.valueBytes }
  }
  return { kind: 'answer', answer: { ...head, body: await readValue(context, version) }, claim }
}

function assertWithinLimit({ options }: Invocation, { valueBytes }: VersionFacts): void {
  const { responseBytesMax } = options
  if (responseBytesMax !== undefined && valueBytes > responseBytesMax)
    throw new ProtocolError(
      'RESPONSE_TOO_LARGE',
      `KV response is ${valueBytes} bytes, exceeding the requested limit of ${responseBytesMax} bytes`,
    )
}

/** A whole value in memory. Only for values of bounded size. */
async function readValue(
  context: ComputeContext,
  { place, digest, valueBytes }: VersionFacts,
): Promise<Uint8Array> {
  if (place?.kind === 'pack') return context.blocks.readPacked(place, digest)
  if (!place) throw new Error('a live version has no place')
  const object = context.blocks.openObject(place)
  try {
    return await object.readSegments(0, Math.ceil(valueBytes / SEGMENT_BYTES))
  } finally {
    await object.close()
  }
}

/** All values of one batch answer together; the whole answer is held in memory. */
const BATCH_RESPONSE_BYTES_MAX = 64 * 1024 * 1024

async function answerBatch(
  context: ComputeContext,
  invocation: Invocation,
  effect: Extract<Effect, { kind: 'read' }>,
  facts: ReadFacts,
): Promise<Answer> {
  const versions = facts.keys.map(liveOf)
  if (effect.read === 'get') {
    let totalBytes = 0
    for (const version of versions) {
      if (!version) continue
      assertWithinLimit(invocation, version)
      totalBytes += version.valueBytes
    }
    if (totalBytes > BATCH_RESPONSE_BYTES_MAX)
      throw new ProtocolError(
        'RESPONSE_TOO_LARGE',
        `KV batch response is ${totalBytes} bytes, exceeding the limit of ${BATCH_RESPONSE_BYTES_MAX} bytes`,
      )
  }
  const results: unknown[] = []
  for (const [index, target] of effect.targets.entries())
    results.push(await batchResult(context, effect.read, target, versions[index]))
  return jsonAnswer({ results })
}

async function batchResult(
  context: ComputeContext,
  read: 'get' | 'metadata',
  { keyText }: KeyTarget,
  version: VersionFacts | undefined,
): Promise<unknown> {
  if (!version)
    return {
      key: keyText,
      ok: false,
      error: { code: 'KV_NOT_FOUND', message: `Key not found: ${keyText}` },
    }
  const headers = Object.fromEntries([...version.headers, ['etag', etagOf(version.digest)]])
  if (read === 'metadata') return { key: keyText, ok: true, headers }
  const value = Buffer.from(await readValue(context, version))
  headers['content-length'] = String(value.length)
  return { key: keyText, ok: true, dataBase64: value.toString('base64'), headers }
}
