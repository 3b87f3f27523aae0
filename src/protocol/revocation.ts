/**
 * Who may take a delegation back (reference-behaviour §2.12, DESIGN §7.16, 17, 20).
 *
 * A revocation names exactly one delegation: a UCAN by its one capability `tinycloud.delegation/revoke` on
 * `urn:cid:‹cid›` or `‹space›/delegation/‹cid›`, a wallet's message by the URI `ucan:‹cid›`. A cited proof is never the
 * target.
 */
import { type Capability, type DelegationFacts, type SignedToken } from './authority.ts'
import { containsCaveats, NO_CAVEATS } from './caveats.ts'
import { BLAKE3_CODE, parseCid } from './cid.ts'
import { equalBytes } from './bytes.ts'
import { isInForce } from './chain.ts'
import { ProtocolError } from './error.ts'
import { type Resource } from './resource.ts'

const REVOKE_ABILITY = 'tinycloud.delegation/revoke'
const DELEGATION_SERVICE = 'delegation'
const CID_SCHEME = 'urn:cid:'
const WALLET_SCHEME = 'ucan:'

export interface RevocationTarget {
  /** As in the request; the answer repeats it. */
  readonly codec: number
  /** BLAKE3 digest; nothing is stored under one of another function. */
  readonly digest: Uint8Array
}

/**
 * The delegation that a token asks to revoke.
 *
 * Rule: REVOKE-1.
 * @throws {ProtocolError} REVOCATION_TARGETS: none or several; TOKEN_MALFORMED: not a CID
 */
export function revocationTarget(token: SignedToken): RevocationTarget {
  const text = token.encoding === 'cacao' ? walletTarget(token) : keyTarget(token)
  if (text === undefined) throw new ProtocolError('REVOCATION_TARGETS')
  return parseTarget(text)
}

function walletTarget({ audienceUrl }: SignedToken): string | undefined {
  return audienceUrl.startsWith(WALLET_SCHEME) ? audienceUrl.slice(WALLET_SCHEME.length) : undefined
}

function keyTarget({ capabilities }: SignedToken): string | undefined {
  const [capability] = capabilities
  if (capabilities.length !== 1 || capability?.ability !== REVOKE_ABILITY) return undefined
  return targetOf(capability.resource)
}

/** The CID in `urn:cid:‹cid›`, or in `‹space›/delegation/‹cid›`, which older clients send (sdk-contract §1.11). */
function targetOf(resource: Resource): string | undefined {
  if (resource.kind === 'space') {
    return resource.service === DELEGATION_SERVICE ? resource.path : undefined
  }
  return resource.text.startsWith(CID_SCHEME) ? resource.text.slice(CID_SCHEME.length) : undefined
}

function parseTarget(text: string): RevocationTarget {
  const { codec, hashCode, digest } = parseCid(text)
  if (hashCode !== BLAKE3_CODE) throw new ProtocolError('REVOCATION_TARGET_NOT_FOUND')
  return { codec, digest }
}

export interface RevocationProof {
  /** The control proof, where the right comes from one. */
  readonly relies: readonly DelegationFacts[]
}

/**
 * Checks that a token's issuer may revoke `target`: as its delegator or delegatee, as the owner of a space that it
 * names, or as the holder of one control proof.
 *
 * The issuer's own standing is enough even when a proof is cited: clients always cite their session.
 * Shape: `proofs` are the facts of `token.proofs`; undefined: not stored, or revoked.
 * Rule:  REVOKE-2.
 * @throws {ProtocolError} REVOCATION_TARGET_NOT_FOUND | UNAUTHORIZED_REVOKER
 */
export function proveRevocation(
  token: SignedToken,
  target: DelegationFacts | undefined,
  proofs: readonly (DelegationFacts | undefined)[],
  nowS: number,
): RevocationProof {
  if (target === undefined) throw new ProtocolError('REVOCATION_TARGET_NOT_FOUND')
  if (isParty(token.issuer, target)) return { relies: [] }
  const control = findControl({
    holder: token.issuer,
    ability: REVOKE_ABILITY,
    target,
    proofs,
    nowS,
  })
  if (control === undefined) throw new ProtocolError('UNAUTHORIZED_REVOKER')
  return { relies: [control] }
}

/** Whether a delegation concerns a principal by itself. */
export function isParty(principal: string, target: DelegationFacts): boolean {
  return (
    principal === target.delegator ||
    principal === target.delegatee ||
    ownersOf(target).has(principal)
  )
}

/**
 * The one cited proof by which somebody else controls `target`: addressed to the holder, in force, and carrying the
 * ability, without condition, on the target itself or on the delegations of the account that gave it and that owns a
 * space of the target.
 */
export function findControl(question: {
  readonly holder: string
  readonly ability: string
  readonly target: DelegationFacts
  readonly proofs: readonly (DelegationFacts | undefined)[]
  readonly nowS: number
}): DelegationFacts | undefined {
  const { holder, ability, target, proofs, nowS } = question
  const [proof] = proofs
  if (proofs.length !== 1 || proof?.delegatee !== holder || !isInForce(proof, nowS))
    return undefined
  const controls = ({ resource, ability: granted, caveats }: Capability): boolean =>
    granted === ability &&
    containsCaveats(caveats, NO_CAVEATS, 'invocation') &&
    isControlOf(resource, proof, target)
  return proof.capabilities.some(controls) ? proof : undefined
}

function isControlOf(resource: Resource, proof: DelegationFacts, target: DelegationFacts): boolean {
  if (resource.kind === 'space') {
    return (
      resource.service === DELEGATION_SERVICE &&
      resource.path === undefined &&
      resource.fragment === undefined &&
      resource.owner === proof.delegator &&
      ownersOf(target).has(resource.owner)
    )
  }
  return namesTarget(resource.text, target)
}

function namesTarget(uri: string, target: DelegationFacts): boolean {
  if (!uri.startsWith(CID_SCHEME)) return false
  try {
    return equalBytes(parseCid(uri.slice(CID_SCHEME.length)).digest, target.digest)
  } catch (error) {
    // A right on something that is no CID is no right on this target.
    if (error instanceof ProtocolError) return false
    throw error
  }
}

function ownersOf({ capabilities }: DelegationFacts): Set<string> {
  const owners = new Set<string>()
  for (const { resource } of capabilities) if (resource.kind === 'space') owners.add(resource.owner)
  return owners
}
