/**
 * POST /delegate · in: UCAN or CACAO · out: its CID with the spaces activated and skipped, or the command that stores it.
 * Steps: decode → one snapshot → stored already? → signature → time → parents → allowlist → command
 * (reference-behaviour §2.8).
 */
import { grantingAccounts } from '../../protocol/account.ts'
import { jsonAnswer } from '../../protocol/answer.ts'
import { type SignedToken } from '../../protocol/authority.ts'
import { formatCarSection } from '../../protocol/car.ts'
import { formatCapabilities } from '../../protocol/capabilities.ts'
import { type DelegationProof, hostedSpaces, proveDelegation } from '../../protocol/chain.ts'
import { formatRawCid, RAW_CODEC } from '../../protocol/cid.ts'
import { hostDid } from '../../protocol/host-key.ts'
import { NO_ANSWERS, OpenInquiry } from '../../protocol/inquiry.ts'
import { assertTimeWindow, parseToken, statementId } from '../../protocol/token.ts'
import { type ReadFacts, type StoredDelegation } from '../database/facts.ts'
import { type DelegateCommand } from '../storage/request.ts'
import { type ComputeContext } from './context.ts'
import { assertNotRevoked, toRelied } from './invoke/authorise.ts'
import { type Outcome, type Plan, readRequest } from './plan.ts'
import { type TokenEntry } from './request.ts'
import { spacesOf } from '../../protocol/spaces-of.ts'
import { isContractChainOf, verifySignature } from './verify-signature.ts'

export function planDelegate(context: ComputeContext, entry: TokenEntry): Plan {
  const token = parseToken(entry.authorization, isContractChainOf(context))
  const id = statementId(token)
  const spaces = spacesOf(token.capabilities)
  return {
    read: readRequest({ delegations: [token.digest, ...token.proofs], statements: [id], spaces }),
    complete: (facts) => {
      const [stored, ...parents] = facts.delegations
      if (stored) return answerStored(token, spaces, facts)
      verifySignature(context, token, entry)
      const { requestId } = entry
      // The same signed statement in other bytes: its CID becomes another name of what is stored.
      if (facts.statements[0])
        return {
          kind: 'command',
          command: { kind: 'alias', requestId, statementId: id, digest: token.digest, spaces },
        }
      assertTimeWindow(token, context.nowS(), context.clockSkewS, 'DELEGATION_TIME')
      const command = prove(context, token, parents)
      const isHosted = (space: string): boolean => facts.spaces[spaces.indexOf(space)] !== undefined
      const hosts = command.hosts.filter(
        (space) => isHosted(space) || isHostingAllowed(context, entry, space),
      )
      return { kind: 'command', command: { ...command, hosts, requestId, statementId: id, spaces } }
    },
  }
}

/** What is stored was verified when it came. Which spaces are hosted is told afresh. Rule: CHAIN-9, HOST-2. */
function answerStored(token: SignedToken, spaces: readonly string[], facts: ReadFacts): Outcome {
  const isHosted = (_: string, index: number): boolean => facts.spaces[index] !== undefined
  const answer = jsonAnswer({
    cid: formatRawCid(token.digest),
    activated: spaces.filter(isHosted),
    skipped: spaces.filter((space, index) => !isHosted(space, index)),
  })
  return { kind: 'answer', answer, claim: undefined }
}

/**
 * A token hosts one space at most: its audience is the host DID of one. Rule: HOST-4.
 * @throws {OpenInquiry}
 */
function isHostingAllowed(context: ComputeContext, entry: TokenEntry, space: string): boolean {
  if (!context.askable.hosting) return true
  const { isHostingAllowed: isAllowed } = entry.answers ?? NO_ANSWERS
  if (isAllowed === undefined) throw new OpenInquiry({ kind: 'hosting', space })
  return isAllowed
}

function prove(
  context: ComputeContext,
  token: SignedToken,
  parents: readonly (StoredDelegation | undefined)[],
): Omit<DelegateCommand, 'requestId' | 'statementId' | 'spaces'> {
  assertParentsInForce(token, parents)
  const proof = proveDelegation(
    token,
    parents.map((parent) => parent?.facts),
  )
  return {
    kind: 'delegate',
    digest: token.digest,
    encoding: token.encoding,
    delegator: token.issuer,
    delegatee: token.audience,
    notBeforeS: token.notBeforeS,
    expiresAtS: token.expiresAtS,
    issuedAtS: token.issuedAtS,
    effectiveNotBeforeS: proof.effectiveNotBeforeS,
    effectiveExpiresAtS: proof.effectiveExpiresAtS,
    isTerminal: proof.isTerminal,
    capabilities: formatCapabilities(token.capabilities),
    parents: proof.parents,
    relies: proof.relies.map(toRelied),
    accounts: grantingAccounts(token.issuer, reliedOf(proof, parents)),
    hosts: hostedSpaces(token).filter((space) => hostDid(context.secret, space) === token.audience),
    tokenSection: formatCarSection(RAW_CODEC, token.digest, token.bytes),
  }
}

/** The parents from which the rights come. */
function reliedOf(
  { relies }: DelegationProof,
  parents: readonly (StoredDelegation | undefined)[],
): StoredDelegation[] {
  const nos = new Set(relies.map(({ no }) => no))
  return parents.filter((parent) => parent !== undefined).filter(({ facts }) => nos.has(facts.no))
}

/**
 * Rule: CHAIN-7.
 * @throws {ProtocolError} PARENT_REVOKED | PARENT_ANCESTOR_REVOKED, told only to the parents' delegatee
 */
function assertParentsInForce(
  token: SignedToken,
  parents: readonly (StoredDelegation | undefined)[],
): void {
  for (const parent of parents) {
    if (parent?.facts.delegatee === token.issuer) assertNotRevoked(parent, 'parent')
  }
}
