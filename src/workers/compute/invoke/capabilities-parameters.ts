/** The parameters of capabilities/read, carried by a fact of the invocation. What cannot be read counts as absent (CAP-2). */
import { claim, isClaimsObject } from '../../../protocol/claims.ts'

export type CapabilitiesParameters =
  | { readonly type: 'chain'; readonly delegationCid: string }
  | {
      readonly type: 'list'
      readonly direction: 'created' | 'received' | 'all'
      /** Paths begin with this text. */
      readonly path: string | undefined
      readonly actions: ReadonlySet<string> | undefined
    }

const EVERYTHING: CapabilitiesParameters = {
  type: 'list',
  direction: 'all',
  path: undefined,
  actions: undefined,
}

const member = (value: unknown, name: string): unknown =>
  isClaimsObject(value) ? claim(value, name) : undefined

export function parseParameters(facts: readonly unknown[]): CapabilitiesParameters {
  const given = facts
    .map((fact) => member(fact, 'capabilitiesReadParams'))
    .find((value) => value !== undefined)
  const type = member(given, 'type')
  if (type === 'chain') {
    const delegationCid = member(given, 'delegation_cid')
    return typeof delegationCid === 'string' ? { type, delegationCid } : EVERYTHING
  }
  if (type !== 'list') return EVERYTHING
  const filters = member(given, 'filters')
  const direction = member(filters, 'direction')
  const path = member(filters, 'path')
  const actions = member(filters, 'actions')
  return {
    type,
    direction: direction === 'created' || direction === 'received' ? direction : 'all',
    path: typeof path === 'string' ? path : undefined,
    actions: Array.isArray(actions)
      ? new Set(actions.filter((action) => typeof action === 'string'))
      : undefined,
  }
}
