/** kv/get and kv/metadata: of one key as an HTTP answer, of several as a JSON batch (reference-behaviour §2.9, §3.1). */
import { type Answer, jsonAnswer, NO_BODY } from '../../../protocol/answer.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { type ReadFacts, type VersionFacts } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type Outcome } from '../plan.ts'
import { answerValue, assertWithin, liveOf, readValue } from '../value/answer-value.ts'
import { etagOf } from '../value/etag.ts'
import { type Effect, type KeyTarget } from './effects.ts'
import { type Invocation, replayClaim } from './invocation.ts'
import { answerVersionList, versionHeaders, wantedVersion } from './versions.ts'

const CACHING = ['cache-control', 'private, no-cache'] as const
/** Told only to clients that ask for a range: the others see what they always saw. */
const TAKES_RANGES = ['accept-ranges', 'bytes'] as const

/**
 * Rule: KV-4, KV-7, COND-3, HIST-1, HIST-3.
 * @throws {ProtocolError} KEY_NOT_FOUND | VERSION_NOT_FOUND | OPTION_INVALID | RESPONSE_TOO_LARGE
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

  const [target] = effect.targets
  if (invocation.options.isVersionList && target)
    return { kind: 'answer', answer: answerVersionList(context, invocation, target, facts), claim }
  const version = wantedVersion(context, invocation, facts)
  const told = versionHeaders(context, version)
  if (effect.read === 'metadata') {
    const headers = [...version.headers, ['etag', etagOf(version.digest)] as const, ...told]
    return { kind: 'answer', answer: { status: 200, headers, body: NO_BODY }, claim }
  }
  const { ifNoneMatch, range, ifRange, responseBytesMax } = invocation.options
  const headers = [...version.headers, CACHING, ...told]
  if (range !== undefined) headers.push(TAKES_RANGES)
  const wish = { ifNoneMatch, range, ifRange, bodyBytesMax: responseBytesMax }
  return answerValue(context, version, wish, { headers, claim })
}

/** All values of one batch answer together (KV-8); the whole answer is held in memory. */
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
      assertWithin(invocation.options.responseBytesMax, version.valueBytes)
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
  const headers = Object.fromEntries([
    ...version.headers,
    ['etag', etagOf(version.digest)],
    ...versionHeaders(context, version),
  ])
  if (read === 'metadata') return { key: keyText, ok: true, headers }
  const value = Buffer.from(await readValue(context, version))
  headers['content-length'] = String(value.length)
  return { key: keyText, ok: true, dataBase64: value.toString('base64'), headers }
}
