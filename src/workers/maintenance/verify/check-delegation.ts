/**
 * A stored delegation, proven once more: its row says what its token says, and its chain gives it what it passes on.
 * Everything that authorises an invocation is in that row, so nothing of it is taken on trust here.
 */
import {
  type ChainLink,
  type DelegationFacts,
  type SignedToken,
} from '../../../protocol/authority.ts'
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import { formatCapabilities } from '../../../protocol/capabilities.ts'
import { type DelegationProof, hostedSpaces, proveDelegation } from '../../../protocol/chain.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { spacesOf } from '../../../protocol/spaces-of.ts'
import { delegationFactsOf } from '../../database/delegation-facts.ts'
import { RowChecksum } from '../../database/row-checksum.ts'
import {
  checksumOfDelegation,
  type DelegationRow,
  readClosure,
  readDigests,
} from '../../database/tables/delegation.ts'
import { checkAccountLists } from './check-account-lists.ts'
import { type SoundCommand } from './check-command.ts'
import { checkNamedEvents } from './check-named-events.ts'
import { type CheckContext } from './context.ts'
import { type Subject } from './findings.ts'

const checksum = new RowChecksum()

export async function checkDelegation(context: CheckContext, command: SoundCommand): Promise<void> {
  const { findings, inspector } = context
  const { statement, token, versions, delegations } = command
  const [stored] = delegations
  const statementSubject = { kind: 'statement', rowId: statement.statementNo } as const
  findings.count('delegation')
  if (!stored || delegations.length > 1 || versions.length > 0) {
    findings.report('statement', statementSubject, 'it is a delegation without one row of its own')
    return
  }
  const { row, crc } = stored
  const subject = { kind: 'delegation', rowId: row.delegationNo } as const
  const isSound = checksumOfDelegation(checksum, row) === crc
  if (!findings.expect(isSound, 'row', subject, 'fails its checksum')) {
    context.state.isCountSuspect = true
    return
  }

  const difference = differenceToToken(row, token)
  if (difference !== undefined)
    findings.report('delegation', subject, `its ${difference} is not that of its token`)
  if (row.statementNo !== statement.statementNo || !equalBytes(row.digest, statement.digest))
    findings.report('delegation', subject, 'does not agree with its statement')
  await checkNames(context, row, subject)
  const parents = await inspector.readDelegations(token.proofs)
  const proof = checkChain(context, { row, token, parents, subject })
  if (proof) await checkAccountLists(context, row, reliedOf(proof, parents))
  await checkSpaces(context, command, row)
}

/** What an invocation would rely on and the token does not say; undefined: nothing. */
function differenceToToken(row: DelegationRow, token: SignedToken): string | undefined {
  if (row.delegator !== token.issuer) return 'delegator'
  if (row.delegatee !== token.audience) return 'delegatee'
  if (row.encoding !== token.encoding) return 'encoding'
  if (row.notBeforeS !== (token.notBeforeS ?? null)) return 'begin'
  if (row.expiresAtS !== (token.expiresAtS ?? null)) return 'expiry'
  if (row.issuedAtS !== (token.issuedAtS ?? null)) return 'time of issue'
  if (!equalBytes(row.capabilities, formatCapabilities(token.capabilities))) return 'rights'
  return undefined
}

/** It is found under its statement id and under its CID. */
async function checkNames(
  { findings, inspector }: CheckContext,
  { delegationNo, statementId, digest }: DelegationRow,
  subject: Subject,
): Promise<void> {
  const [byCid] = await inspector.readDelegations([digest])
  const byStatement = await inspector.findDelegation(statementId)
  if (byCid?.delegationNo !== delegationNo || byStatement !== delegationNo)
    findings.report('delegation', subject, 'is not found under its own names')
}

/** Proves the chain on the parents as they are stored, and compares what follows with the row. */
function checkChain(
  { findings }: CheckContext,
  {
    row,
    token,
    parents,
    subject,
  }: {
    readonly row: DelegationRow
    readonly token: SignedToken
    readonly parents: readonly (DelegationRow | undefined)[]
    readonly subject: Subject
  },
): DelegationProof | undefined {
  // What was stored later was not there to be relied on.
  const earlier = parents.map((parent) =>
    parent && parent.delegationNo < row.delegationNo ? delegationFactsOf(parent) : undefined,
  )
  let proof: DelegationProof
  try {
    proof = proveDelegation(token, earlier)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    findings.report(
      'delegation',
      subject,
      `its parents do not give what it passes on: ${error.code}`,
    )
    return undefined
  }
  if (
    row.effectiveNotBeforeS !== (proof.effectiveNotBeforeS ?? null) ||
    row.effectiveExpiresAtS !== (proof.effectiveExpiresAtS ?? null) ||
    row.isTerminal !== proof.isTerminal
  )
    findings.report('delegation', subject, 'is in force at other times than its chain')
  if (!isClosureOf(row, proof.relies))
    findings.report('delegation', subject, 'its closure is not that of its parents')
  // An owner may cite what came to be stored under that name only afterwards.
  const known = new Set(proof.parents.map(toHex))
  const own = readDigests(row.parents).map(toHex)
  const isComplete = proof.relies.length === 0 || own.length === known.size
  if (!isComplete || own.some((digest) => !known.has(digest)))
    findings.report('delegation', subject, 'its parents are not those that its token cites')
  return proof
}

/** The rows of the parents from which the rights come. */
function reliedOf(
  { relies }: DelegationProof,
  parents: readonly (DelegationRow | undefined)[],
): DelegationRow[] {
  const nos = new Set(relies.map(({ no }) => no))
  return parents
    .filter((parent) => parent !== undefined)
    .filter(({ delegationNo }) => nos.has(delegationNo))
}

/** Itself, and every link of every parent that it relies on, each once. */
function isClosureOf(row: DelegationRow, relies: readonly DelegationFacts[]): boolean {
  const links = readClosure(row.closure)
  const [own] = links
  if (!own || !equalBytes(own.statementId, row.statementId) || !equalBytes(own.digest, row.digest))
    return false
  const expected = new Set([own, ...relies.flatMap(({ closure }) => closure)].map(nameOf))
  const found = new Set(links.map(nameOf))
  const isEach = [...found].every((name) => expected.has(name))
  return isEach && found.size === links.length && found.size === expected.size
}

const nameOf = ({ statementId, digest }: ChainLink): string => toHex(statementId) + toHex(digest)

/** Each space that it names is tied to it, with the event that it is there; and the first of a space hosts it. */
async function checkSpaces(
  context: CheckContext,
  command: SoundCommand,
  { delegationNo }: DelegationRow,
): Promise<void> {
  const { findings, inspector, state } = context
  const { token, events } = command
  const subject = { kind: 'delegation', rowId: delegationNo } as const
  const named = spacesOf(token.capabilities)
  const rows = await inspector.readNamedSpaces(delegationNo, named)
  for (const [index, spaceId] of named.entries()) {
    const row = rows[index]
    const space = state.spaceById(spaceId)
    const event = space && events.find(({ spaceNo }) => spaceNo === space.row.spaceNo)
    if (row) state.delegationSpaces += 1
    if (!row || row.eventNo !== (event?.eventNo ?? null))
      findings.report('delegation', subject, 'is not tied to a space that it names')
    const isFirst = event?.previousNo === null
    if (isFirst && !hostedSpaces(token).includes(spaceId))
      findings.report('space', { kind: 'space', rowId: event.spaceNo }, 'nothing hosts it')
  }
  checkNamedEvents(context, command, named)
}
