/** An invocation that took effect: its versions do what its token says, no more and no less, and it cannot be repeated. */
import { resolveAbility } from '../../../protocol/ability.ts'
import { type SignedToken } from '../../../protocol/authority.ts'
import { toHex, toLatin1 } from '../../../protocol/bytes.ts'
import { type SoundCommand } from './check-command.ts'
import { type CheckContext } from './context.ts'

const PUT = 'tinycloud.kv/put'
const DELETE = 'tinycloud.kv/del'

export async function checkInvocation(
  context: CheckContext,
  { statement, token, events, versions, delegations }: SoundCommand,
): Promise<void> {
  const { findings, inspector, state } = context
  const subject = { kind: 'statement', rowId: statement.statementNo } as const
  if (delegations.length > 0)
    findings.report('statement', subject, 'it is an invocation and has a delegation')
  for (const { eventNo, spaceNo } of events) {
    const isUsed = versions.some(({ row }) => row.eventNo === eventNo)
    if (!isUsed) findings.report('event', { kind: 'event', rowId: eventNo }, 'it changes nothing')
    if (state.space(spaceNo)?.row.hostedAtS === null)
      findings.report('event', { kind: 'event', rowId: eventNo }, 'its space is not hosted')
  }
  const done = versions.map(({ row }) => {
    const space = state.space(row.spaceNo)?.row.spaceId ?? ''
    return nameOf(row.isDeleted ? DELETE : PUT, space, toLatin1(row.key))
  })
  if (done.toSorted().join() !== asked(token).toSorted().join())
    findings.report('version', subject, 'its versions are not what its token asks for')

  const expiresAtS = token.expiresAtS ?? 0
  const replay = await inspector.findReplay(expiresAtS, statement.statementId)
  findings.expect(replay !== 'missing', 'replay', subject, 'it could be repeated')
}

/** The puts and deletes that a token names, each as one text. */
const asked = ({ capabilities }: SignedToken): string[] =>
  capabilities.flatMap(({ resource, ability }) => {
    const operation = resolveAbility(ability)
    if (resource.kind !== 'space' || resource.service !== 'kv' || resource.path === undefined)
      return []
    return operation === PUT || operation === DELETE
      ? [nameOf(operation, resource.space, resource.path)]
      : []
  })

/** In hexadecimal, so that no separator can be part of it. */
const nameOf = (operation: string, space: string, path: string): string =>
  [operation, space, path].map((text) => toHex(Buffer.from(text))).join('/')
