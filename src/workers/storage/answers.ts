/** What the actor says about commands that it accepted (reference-behaviour §1.5–§1.7, §3.1). */
import { type Answer, emptyAnswer, jsonAnswer } from '../../protocol/answer.ts'
import { toHex } from '../../protocol/bytes.ts'
import { formatRawCid } from '../../protocol/cid.ts'
import { type MutateOutcome } from './decide/mutate.ts'
import { type GroupView } from './group-view.ts'
import { type RevokeCommand, type StorageCommand } from './request.ts'

export const mutateAnswer = ({ etagDigest }: MutateOutcome): Answer =>
  emptyAnswer(etagDigest ? [['etag', `"blake3-${toHex(etagDigest)}"`]] : [])

/** The CID is that of the spelling that was posted. Hosting is told as it is after the command. */
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

export const revokeAnswer = ({ targetCid }: RevokeCommand): Answer =>
  jsonAnswer({ revoked: true, cid: targetCid })
