/**
 * GET and HEAD /public/‹space›/kv/‹key›, GET /public/‹space›/kv · in: no token · out: a value, or a list of keys, of a space
 * that is named `public`. Writing there takes a token, as everywhere (reference-behaviour §6.5).
 */
import { ProtocolError } from '../../../protocol/error.ts'
import { parseSpaceId, PUBLIC_SPACE_NAME } from '../../../protocol/resource.ts'
import { type ComputeContext } from '../context.ts'
import { answerWholeList, wholeListRequest } from '../invoke/list.ts'
import { type Plan, readRequest } from '../plan.ts'
import { type OpenEntry, type OpenTarget } from '../request.ts'
import { answerValue, liveOf } from '../value/answer-value.ts'
import { wishOf } from './wish.ts'

/** Of the stored headers only these are shown to everybody. */
const SHOWN: ReadonlySet<string> = new Set(['content-type', 'content-encoding', 'content-language'])

const HEADERS = [
  ['cache-control', 'public, max-age=60'],
  ['accept-ranges', 'bytes'],
] as const

/** Rule: PUBLIC-2. A space that nobody hosts here has no keys. */
export function planPublicRead(
  context: ComputeContext,
  entry: OpenEntry,
  target: Extract<OpenTarget, { kind: 'publicKey' }>,
): Plan {
  const space = parsePublicSpace(target.space)
  return {
    read: readRequest({ keys: [{ space, key: Buffer.from(target.key) }] }),
    complete: ({ keys: [current] }) => {
      const version = liveOf(current)
      if (!version) throw new ProtocolError('KEY_ABSENT')
      const shown = version.headers.filter(([name]) => SHOWN.has(name))
      return answerValue(context, version, wishOf(entry), { headers: [...shown, ...HEADERS] })
    },
  }
}

/** Rule: PUBLIC-3. */
export function planPublicList(target: Extract<OpenTarget, { kind: 'publicList' }>): Plan {
  const list = { space: parsePublicSpace(target.space), prefix: target.prefix }
  return {
    read: readRequest(wholeListRequest(list)),
    complete: (facts) => answerWholeList(list, facts),
  }
}

/**
 * The id in its one spelling.
 *
 * Rule: PUBLIC-1.
 * @throws {ProtocolError} SPACE_ID_INVALID | SPACE_NOT_PUBLIC
 */
function parsePublicSpace(text: string): string {
  const { space, name } = parseSpaceId(text)
  if (name !== PUBLIC_SPACE_NAME) throw new ProtocolError('SPACE_NOT_PUBLIC')
  return space
}
