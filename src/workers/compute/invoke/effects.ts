/**
 * What an authorised invocation would do: its capabilities sorted into reads, writes, no-ops and services that this
 * node does not have. Pure; decided before anything is read.
 */
import { resolveAbility, serviceOf } from '../../../protocol/ability.ts'
import { type Capability, type SignedToken } from '../../../protocol/authority.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { BATCH_READ_KEYS_MAX, KEY_BYTES_MAX } from '../../../protocol/limits.ts'
import { type SpaceResource } from '../../../protocol/resource.ts'

/** One key of one space, as the resource of a capability names it. */
export interface KeyTarget {
  readonly capability: Capability
  readonly space: string
  /** The key as URI text: ASCII, never decoded. Rule: KV-1, from reference-behaviour §3. */
  readonly keyText: string
  readonly key: Uint8Array
}

export type KvRead = 'get' | 'metadata'

/** The one kind of outcome that an invocation has; mixtures are refused before anything is applied (DESIGN §7.6). */
export type Effect =
  /** Authorised, and nothing to do: no path, an unknown ability, `tinycloud.space/*`. */
  | { readonly kind: 'none' }
  | { readonly kind: 'read'; readonly read: KvRead; readonly targets: readonly KeyTarget[] }
  | { readonly kind: 'list'; readonly target: KeyTarget }
  | { readonly kind: 'capabilities'; readonly space: string }
  | {
      readonly kind: 'mutate'
      readonly puts: readonly KeyTarget[]
      readonly deletes: readonly KeyTarget[]
    }
  /** A service that this node does not have. */
  | { readonly kind: 'unsupported'; readonly service: string }

/** Services of the protocol that other nodes may have and this one does not. */
const UNSUPPORTED_SERVICES: ReadonlySet<string> = new Set(['sql', 'duckdb', 'hooks', 'encryption'])

function unsupportedService(capabilities: readonly Capability[]): string | undefined {
  for (const { ability } of capabilities) {
    const service = serviceOf(ability)
    if (service !== undefined && UNSUPPORTED_SERVICES.has(service)) return service
  }
  return undefined
}

function toTarget(capability: Capability, resource: SpaceResource, path: string): KeyTarget {
  const key = Buffer.from(path, 'latin1')
  return { capability, space: resource.space, keyText: path, key }
}

/**
 * The effect of a token's capabilities, in their sorted order.
 *
 * Rule: INV-11, INV-12, KV-2, from reference-behaviour §2.9 "Outcomes to response"; a capability without path has no
 * outcome.
 * @throws {ProtocolError} OUTCOMES_MIXED | OPTION_INVALID | KEY_TOO_LONG
 */
export function effectOf(token: Pick<SignedToken, 'capabilities'>): Effect {
  const service = unsupportedService(token.capabilities)
  if (service !== undefined) return { kind: 'unsupported', service }
  const byOperation = new Map<string, KeyTarget[]>()
  let capabilitiesSpace: string | undefined
  for (const capability of token.capabilities) {
    const { resource } = capability
    if (resource.kind !== 'space' || resource.path === undefined) continue
    const ability = resolveAbility(capability.ability)
    if (resource.service === 'kv' && KV_OPERATIONS.has(ability)) {
      const targets = byOperation.get(ability) ?? []
      targets.push(toTarget(capability, resource, resource.path))
      byOperation.set(ability, targets)
    } else if (ability === CAPABILITIES_READ && isCapabilitiesAll(resource)) {
      if (capabilitiesSpace !== undefined) throw new ProtocolError('OUTCOMES_MIXED')
      capabilitiesSpace = resource.space
    }
  }
  const effect = kvEffect(byOperation)
  if (capabilitiesSpace === undefined) return effect
  if (effect.kind !== 'none') throw new ProtocolError('OUTCOMES_MIXED')
  return { kind: 'capabilities', space: capabilitiesSpace }
}

const KV_OPERATIONS: ReadonlySet<string> = new Set([
  'tinycloud.kv/get',
  'tinycloud.kv/metadata',
  'tinycloud.kv/list',
  'tinycloud.kv/put',
  'tinycloud.kv/del',
])
const CAPABILITIES_READ = 'tinycloud.capabilities/read'

const isCapabilitiesAll = (resource: SpaceResource): boolean =>
  resource.service === 'capabilities' && resource.path === 'all'

function kvEffect(byOperation: ReadonlyMap<string, KeyTarget[]>): Effect {
  const puts = byOperation.get('tinycloud.kv/put') ?? []
  const deletes = byOperation.get('tinycloud.kv/del') ?? []
  const reads = byOperation.size - (puts.length > 0 ? 1 : 0) - (deletes.length > 0 ? 1 : 0)
  if (puts.length + deletes.length > 0) {
    if (reads > 0) throw new ProtocolError('OUTCOMES_MIXED')
    assertWritable([...puts, ...deletes])
    return { kind: 'mutate', puts, deletes }
  }
  if (reads === 0) return { kind: 'none' }
  if (reads > 1) throw new ProtocolError('OUTCOMES_MIXED')
  const lists = byOperation.get('tinycloud.kv/list')
  if (lists) {
    const [target] = lists
    if (!target || lists.length > 1) throw new ProtocolError('OUTCOMES_MIXED')
    return { kind: 'list', target }
  }
  const read: KvRead = byOperation.has('tinycloud.kv/get') ? 'get' : 'metadata'
  const targets = byOperation.get(`tinycloud.kv/${read}`) ?? []
  if (targets.length > BATCH_READ_KEYS_MAX)
    throw new ProtocolError(
      'OPTION_INVALID',
      `KV batch reads accept at most ${BATCH_READ_KEYS_MAX} keys`,
    )
  return { kind: 'read', read, targets }
}

/** Keys fit every engine (DESIGN §7.21), and each is written or deleted once. */
function assertWritable(targets: readonly KeyTarget[]): void {
  const seen = new Set<string>()
  for (const { space, keyText, key } of targets) {
    if (key.length > KEY_BYTES_MAX) throw new ProtocolError('KEY_TOO_LONG', String(KEY_BYTES_MAX))
    const name = `${space}/${keyText}`
    if (seen.has(name)) throw new ProtocolError('OUTCOMES_MIXED')
    seen.add(name)
  }
}
