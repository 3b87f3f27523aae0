/**
 * Versions of a key that do not count any more, for whoever may read the key now: one of them in place of its value, or
 * the list of all that are kept (`storage.history`).
 */
import { toLatin1 } from '../../../protocol/bytes.ts'
import { type KeyObject } from 'node:crypto'
import { type Answer } from '../../../protocol/answer.ts'
import { formatRawCid } from '../../../protocol/cid.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { VERSION_LIST_LIMIT_DEFAULT } from '../../../protocol/limits.ts'
import { formatPreciseRfc3339 } from '../../../protocol/rfc3339.ts'
import {
  formatVersionId,
  isSameVersion,
  parseVersionId,
  type VersionId,
} from '../../../protocol/version-id.ts'
import {
  type ReadFacts,
  type ReadRequest,
  type VersionFacts,
  type VersionItem,
} from '../../database/facts.ts'
import { describeKeepRule } from '../../keep-rule.ts'
import { type ComputeContext } from '../context.ts'
import { assertWithin, liveOf } from '../value/answer-value.ts'
import { etagOf } from '../value/etag.ts'
import { type KeyTarget } from './effects.ts'
import { type Invocation } from './invocation.ts'
import { formatListCursor, parseListCursor } from './list-cursor.ts'

type Keeping = Pick<ComputeContext, 'keepRule'>

/** What is read for the target beside its current version. @throws {ProtocolError} OPTION_INVALID for a cursor that is not ours */
export function versionRequest(
  context: Keeping & Pick<ComputeContext, 'cursorKey'>,
  invocation: Invocation,
  { space, key, keyText }: KeyTarget,
): Partial<ReadRequest> {
  const { version, isVersionList, listCursor } = invocation.options
  if (context.keepRule.kind === 'none') return {}
  if (version) return { keptVersion: { space, key, ...version } }
  if (!isVersionList) return {}
  const before =
    listCursor === undefined
      ? undefined
      : cursorOf(context.cursorKey, scopeOf(invocation, space, keyText), listCursor)
  return { versions: { space, key, before, limit: limitOf(invocation) } }
}

/**
 * The version that is asked for: the one that counts, or one that is kept.
 *
 * Rule: HIST-1.
 * @throws {ProtocolError} KEY_NOT_FOUND | VERSION_NOT_FOUND
 */
export function wantedVersion(
  { keepRule }: Keeping,
  { options: { version } }: Invocation,
  { keys: [current], keptVersion }: ReadFacts,
): VersionFacts {
  const isOther = version !== undefined && !(current && isSameVersion(current, version))
  const found = liveOf(isOther ? keptVersion : current)
  if (found) return found
  if (!isOther) throw new ProtocolError('KEY_NOT_FOUND')
  throw new ProtocolError('VERSION_NOT_FOUND', describeKeepRule(keepRule))
}

/** Names the version to clients of a node that keeps some. Rule: HIST-2. */
export const versionHeaders = ({ keepRule }: Keeping, version: VersionId): Answer['headers'] =>
  keepRule.kind === 'none' ? [] : [['x-tinycloud-version', formatVersionId(version)]]

/**
 * The versions of the key, the newest first: the one that counts, then those that are kept, each with the deletion that
 * ended it.
 *
 * Rule: HIST-3, HIST-4.
 * @throws {ProtocolError} OPTION_INVALID | KEY_NOT_FOUND | RESPONSE_TOO_LARGE
 */
export function answerVersionList(
  { keepRule, cursorKey }: Pick<ComputeContext, 'keepRule' | 'cursorKey'>,
  invocation: Invocation,
  { space, keyText }: KeyTarget,
  { versions: page }: ReadFacts,
): Answer {
  if (keepRule.kind === 'none')
    throw new ProtocolError('OPTION_INVALID', 'This node keeps no versions (storage.history: none)')
  if (!page) throw new ProtocolError('KEY_NOT_FOUND')
  const { items, isTruncated } = page
  const body = Buffer.from(JSON.stringify({ versions: items.map(describe) }))
  assertWithin(invocation.options.responseBytesMax, body.length)
  const headers: [string, string][] = [
    ['content-type', 'application/json'],
    ['cache-control', 'private, no-cache'],
    ['x-tinycloud-truncated', String(isTruncated)],
  ]
  const last = items.at(-1)
  if (isTruncated && last) {
    const scope = scopeOf(invocation, space, keyText)
    const cursor = formatListCursor(cursorKey, scope, Buffer.from(formatVersionId(last)))
    headers.push(['x-tinycloud-next-cursor', cursor])
  }
  return { status: 200, headers, body }
}

const limitOf = ({ options: { listLimit } }: Invocation): number =>
  listLimit ?? VERSION_LIST_LIMIT_DEFAULT

/** A cursor leads on only where it was made. */
const scopeOf = (invocation: Invocation, space: string, keyText: string): string =>
  JSON.stringify(['versions', invocation.token.issuer, space, keyText, limitOf(invocation)])

function cursorOf(cursorKey: KeyObject, scope: string, cursor: string): VersionId {
  const text = toLatin1(parseListCursor(cursorKey, scope, cursor))
  return parseVersionId(text, 'Invalid KV list cursor')
}

/** A deletion has no value. */
function describe(item: VersionItem): unknown {
  const { isDeleted, digest, valueBytes, writtenAtS } = item
  return {
    version: formatVersionId(item),
    deleted: isDeleted,
    etag: isDeleted ? null : etagOf(digest),
    cid: isDeleted ? null : formatRawCid(digest),
    size: isDeleted ? null : valueBytes,
    writtenAt: writtenAtS === null ? null : formatPreciseRfc3339(writtenAtS),
  }
}
