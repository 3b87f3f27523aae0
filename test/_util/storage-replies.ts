/** Replies of the storage actor in a form that tests compare with. */
import { type StorageReply } from '../../src/workers/storage/request.ts'

/** `200 ‹etag or body›`, or the code of a refusal and its detail. */
export function toldBy(reply: StorageReply | undefined): string {
  if (!reply) return 'nothing'
  if (reply.kind === 'failure') return `${reply.failure.code} ${reply.failure.detail}`.trim()
  const { status, headers, body } = reply.answer
  const etag = headers.find(([name]) => name === 'etag')?.[1] ?? ''
  return `${status} ${etag}${Buffer.from(body).toString()}`.trim()
}

export const toldByAll = (replies: readonly StorageReply[]): string[] => replies.map(toldBy)
