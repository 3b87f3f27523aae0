/**
 * How a chain is refused of which a link was taken back: with the names of the cited delegation and, where it is not the
 * revoked one itself, of its ancestor (reference-behaviour §2.11).
 */
import { type Failure } from './answer.ts'
import { type ChainLink } from './authority.ts'
import { formatRawCid } from './cid.ts'

export interface RevokedLink {
  /** The delegation that was cited. */
  readonly leaf: ChainLink
  /** Undefined: the leaf itself is revoked. */
  readonly ancestor: ChainLink | undefined
}

/** The cited delegation was to be used (`invoked`), or to be passed on (`parent`). */
export type RevokedRole = 'invoked' | 'parent'

const CODES = {
  invoked: { leaf: 'DELEGATION_REVOKED', ancestor: 'ANCESTOR_REVOKED' },
  parent: { leaf: 'PARENT_REVOKED', ancestor: 'PARENT_ANCESTOR_REVOKED' },
} as const

export function revokedFailure({ leaf, ancestor }: RevokedLink, role: RevokedRole): Failure {
  const cited = formatRawCid(leaf.digest)
  if (!ancestor) return { code: CODES[role].leaf, detail: cited }
  const detail = `ancestor=${formatRawCid(ancestor.digest)} ${role}=${cited}`
  return { code: CODES[role].ancestor, detail }
}
