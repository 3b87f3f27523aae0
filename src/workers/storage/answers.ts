/** What the actor says about commands that it accepted (reference-behaviour §1.5–§1.7, §3.1). */
import { type Answer, emptyAnswer, jsonAnswer } from '../../protocol/answer.ts'
import { compareBytes, parseUtf8, toHex } from '../../protocol/bytes.ts'
import { formatRawCid } from '../../protocol/cid.ts'
import { formatVersionId, type VersionId } from '../../protocol/version-id.ts'
import { formatRfc3339 } from '../../protocol/rfc3339.ts'
import { type MutateOutcome } from './decide/mutate.ts'
import { type GroupView } from './group-view.ts'
import {
  type MutateCommand,
  type RevokeCommand,
  type SignCommand,
  type StorageCommand,
} from './request.ts'

/**
 * `version`: the one that was written; undefined: versions are not told.
 *
 * Rule: KV-3, KV-5, BATCH-5, HIST-2.
 */
export function mutateAnswer(
  { report, operations }: Pick<MutateCommand, 'report' | 'operations'>,
  { etagDigest }: MutateOutcome,
  version?: VersionId,
): Answer {
  const told: Answer['headers'] = version
    ? [['x-tinycloud-version', formatVersionId(version)]]
    : NO_HEADERS
  if (report === 'keys') {
    const keys = operations.map(({ key }) => key).toSorted(compareBytes)
    return jsonAnswer({ written: keys.map(parseUtf8), count: keys.length }, told)
  }
  const etag: Answer['headers'] = etagDigest ? [['etag', `"blake3-${toHex(etagDigest)}"`]] : []
  return emptyAnswer(version ? [...etag, ...told] : etag)
}

const NO_HEADERS: Answer['headers'] = []

/** The CID is that of the spelling that was posted. Hosting is told as it is after the command. Rule: CHAIN-9, HOST-2. */
export function delegateAnswer(
  { digest, spaces }: Pick<StorageCommand, 'digest' | 'spaces'>,
  view: GroupView,
): Answer {
  return jsonAnswer({
    cid: formatRawCid(digest),
    activated: spaces.filter((space) => view.hosted(space)),
    skipped: spaces.filter((space) => !view.hosted(space)),
  })
}

/** Rule: REVOKE-5. */
export const revokeAnswer = ({ targetCid }: RevokeCommand): Answer =>
  jsonAnswer({ revoked: true, cid: targetCid })

/** `url` is a path; clients resolve it against the node's own address (SIGNED-1). */
export const signAnswer = ({ ticket, expiresAtS }: SignCommand): Answer =>
  jsonAnswer({
    url: `/signed/kv/${ticket}`,
    ticketId: ticket,
    expiresAt: formatRfc3339(expiresAtS),
  })
