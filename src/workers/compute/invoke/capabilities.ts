/**
 * capabilities/read: the delegations of a space that are in force, or the chain of one (CAP-1, reference-behaviour §2.9).
 */
import { toLatin1 } from '../../../protocol/bytes.ts'
import { type Answer, jsonAnswer } from '../../../protocol/answer.ts'
import { type DelegationFacts } from '../../../protocol/authority.ts'
import { formatBase64url } from '../../../protocol/base64url.ts'
import { isInForce } from '../../../protocol/chain.ts'
import { formatRawCid, parseCid } from '../../../protocol/cid.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { CHAIN_DELEGATIONS_MAX } from '../../../protocol/limits.ts'
import { formatPreciseRfc3339 } from '../../../protocol/rfc3339.ts'
import { spacesOf } from '../../../protocol/spaces-of.ts'
import { type PackPlace } from '../../blocks/place.ts'
import { type ReadFacts, type StoredDelegation } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type Outcome, readOnce } from '../plan.ts'
import { blame } from '../value/blame.ts'
import { type CapabilitiesParameters, parseParameters } from './capabilities-parameters.ts'
import { type Invocation, replayClaim } from './invocation.ts'

/** Rows of one snapshot while a space's delegations are collected. */
const DELEGATIONS_PER_READ = 256
/** Delegations of one answer, which is held in memory; a filter narrows a space that has more. */
const DELEGATIONS_LISTED_MAX = 10_000

export async function answerCapabilities(
  context: ComputeContext,
  invocation: Invocation,
  space: string,
  facts: ReadFacts,
): Promise<Outcome> {
  const parameters = parseParameters(invocation.token.facts)
  const body =
    parameters.type === 'chain'
      ? await chainOf(context, parameters.delegationCid, space)
      : await listOf(context, invocation, space, parameters, facts)
  return { kind: 'answer', answer: body, claim: replayClaim(invocation) }
}

async function listOf(
  context: ComputeContext,
  { token }: Invocation,
  space: string,
  parameters: Extract<CapabilitiesParameters, { type: 'list' }>,
  facts: ReadFacts,
): Promise<Answer> {
  const account = facts.delegations[0]?.facts.delegator ?? token.issuer
  const nowS = context.nowS()
  const entries: [string, unknown][] = []
  for (let afterNo = 0; ;) {
    const { spaceDelegations = [] } = await readOnce(context.database, {
      spaceDelegations: { space, afterNo, limit: DELEGATIONS_PER_READ },
    })
    for (const stored of spaceDelegations) {
      afterNo = stored.facts.no
      const isStanding = stored.revokedLink < 0 && isInForce(stored.facts, nowS)
      if (!isStanding || !isWanted(stored.facts, parameters, account, space)) continue
      if (entries.length >= DELEGATIONS_LISTED_MAX)
        throw new ProtocolError(
          'RESPONSE_TOO_LARGE',
          `More than ${DELEGATIONS_LISTED_MAX} delegations match; narrow the request with filters`,
        )
      entries.push([formatRawCid(stored.facts.digest), await entryOf(context, stored)])
    }
    if (spaceDelegations.length < DELEGATIONS_PER_READ) break
  }
  return jsonAnswer(Object.fromEntries(entries))
}

/** `created`: the invoker's account gave it; `received`: another account gave it to the invoker's. */
function isWanted(
  { delegator, delegatee, capabilities }: DelegationFacts,
  { direction, path, actions }: Extract<CapabilitiesParameters, { type: 'list' }>,
  account: string,
  space: string,
): boolean {
  if (direction === 'created' && delegator !== account) return false
  if (direction === 'received' && (delegatee !== account || delegator === account)) return false
  if (path === undefined && actions === undefined) return true
  return capabilities.some(
    ({ resource, ability }) =>
      resource.kind === 'space' &&
      resource.space === space &&
      (path === undefined || (resource.path ?? '').startsWith(path)) &&
      (actions === undefined || actions.has(ability)),
  )
}

async function readToken(
  { blocks }: ComputeContext,
  place: PackPlace,
  digest: Uint8Array,
): Promise<Uint8Array> {
  try {
    return await blocks.readPacked(place, digest)
  } catch (error) {
    throw blame(error, { kind: 'pack', rowId: `${place.packNo}:${place.offset}` })
  }
}

async function entryOf(
  context: ComputeContext,
  { facts, token, encoding }: StoredDelegation,
): Promise<unknown> {
  const bytes = await readToken(context, token, facts.digest)
  return {
    capabilities: facts.capabilities.map(({ resource, ability, caveats }) => ({
      resource: resource.text,
      ability,
      caveats,
    })),
    delegator: facts.delegator,
    delegate: facts.delegatee,
    parents: facts.parents.map(formatRawCid),
    ...(facts.expiresAtS !== undefined && { expiry: formatPreciseRfc3339(facts.expiresAtS) }),
    ...(facts.notBeforeS !== undefined && { not_before: formatPreciseRfc3339(facts.notBeforeS) }),
    ...(facts.issuedAtS !== undefined && { issued_at: formatPreciseRfc3339(facts.issuedAtS) }),
    raw: encoding === 'ucan' ? toLatin1(bytes) : formatBase64url(bytes, { padding: 'required' }),
  }
}

/** From the leaf to the root, along first parents. Only a delegation that names the space is shown. */
async function chainOf(context: ComputeContext, cidText: string, space: string): Promise<Answer> {
  const chain: unknown[] = []
  let digest: Uint8Array | undefined = parseChainCid(cidText)
  while (digest && chain.length < CHAIN_DELEGATIONS_MAX) {
    const { delegations } = await readOnce(context.database, { delegations: [digest] })
    const [stored]: readonly (StoredDelegation | undefined)[] = delegations
    if (!stored) break
    if (chain.length === 0 && !spacesOf(stored.facts.capabilities).includes(space)) break
    chain.push(await entryOf(context, stored))
    digest = stored.facts.parents[0]
  }
  return jsonAnswer(chain)
}

/** @throws {ProtocolError} CHAIN_PARAMETER_CID */
function parseChainCid(text: string): Uint8Array {
  try {
    return parseCid(text).digest
  } catch (error) {
    throw new ProtocolError('CHAIN_PARAMETER_CID', text, { cause: error })
  }
}
