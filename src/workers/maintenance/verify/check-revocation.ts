/** A revocation as it was taken, and the table that every authorisation asks. */
import { equalBytes } from '../../../protocol/bytes.ts'
import { parseCapabilities } from '../../../protocol/capabilities.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { revocationTarget } from '../../../protocol/revocation.ts'
import { type SignedToken } from '../../../protocol/authority.ts'
import { spacesOf } from '../../../protocol/spaces-of.ts'
import { type SoundCommand } from './check-command.ts'
import { checkNamedEvents } from './check-named-events.ts'
import { type CheckContext } from './context.ts'

export async function checkRevocation(context: CheckContext, command: SoundCommand): Promise<void> {
  const { findings, inspector } = context
  const { statement, token, versions, delegations } = command
  const subject = { kind: 'statement', rowId: statement.statementNo } as const
  findings.count('revocation')
  if (versions.length + delegations.length > 0)
    findings.report('statement', subject, 'it is a revocation and has versions or a delegation')
  const digest = targetDigestOf(token)
  const [target] = digest ? await inspector.readDelegations([digest]) : []
  if (!target) {
    findings.report('revocation', subject, 'it takes back what is not stored')
    return
  }
  const row = await inspector.readRevocation(target.statementId)
  if (
    row?.statementNo !== statement.statementNo ||
    !equalBytes(row.targetDigest, target.digest) ||
    row.revoker !== token.issuer
  )
    findings.report('revocation', subject, 'its target does not count as taken back by it')
  checkNamedEvents(context, command, spacesOf(parseCapabilities(target.capabilities)))
}

/** Undefined: it names none. */
function targetDigestOf(token: SignedToken): Uint8Array | undefined {
  try {
    return revocationTarget(token).digest
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
