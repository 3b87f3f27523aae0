/**
 * Caveats: the conditions of a capability, and when a child's lie within its parent's (reference-behaviour §2.10).
 *
 * `{}` is "no condition": a ReCap, or `[{}]` in a UCAN. Anything else is an object by index, `{"0":{…},"1":{…}}`, whose
 * entries bind: whoever uses the capability repeats them, or narrows those of a type that is known here.
 */
import { type Caveats } from './authority.ts'
import { type ClaimsObject, isClaimsObject } from './claims.ts'
import { ProtocolError } from './error.ts'
import { asObject } from './json.ts'

/** A child delegation may narrow a selector; an invocation repeats it. */
export type CaveatUse = 'delegation' | 'invocation'

export const NO_CAVEATS: Caveats = Object.freeze({})

const SELECTOR_TYPE = 'xyz.tinycloud.resource/selector'

/**
 * The caveats of one ability in a UCAN's `att`.
 * @throws {ProtocolError} TOKEN_MALFORMED: not an array, an empty one, an entry that is no object
 */
export function parseUcanCaveats(value: unknown): Caveats {
  const entries = parseEntries(value)
  const [first] = entries
  if (entries.length === 1 && first && Object.keys(first).length === 0) return NO_CAVEATS
  return Object.fromEntries(entries.map((entry, index) => [String(index), entry]))
}

/**
 * The `nb` of one ability in a ReCap: it carries no conditions, so its entries are empty (reference-behaviour §2.3).
 * @throws {ProtocolError} TOKEN_MALFORMED
 */
export function assertRecapCaveats(value: unknown): void {
  for (const entry of parseEntries(value)) {
    if (Object.keys(entry).length > 0) {
      throw new ProtocolError('TOKEN_MALFORMED', 'a ReCap carries no conditions')
    }
  }
}

function parseEntries(value: unknown): readonly ClaimsObject[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new ProtocolError('TOKEN_MALFORMED', 'caveats are a non-empty array')
  }
  return value.map(asObject)
}

/** Whether `child` states at least what `parent` demands (CAVEAT-1). */
export function containsCaveats(parent: Caveats, child: Caveats, use: CaveatUse): boolean {
  const demanded = Object.keys(parent)
  if (demanded.length === 0) return true
  if (Object.keys(child).length !== demanded.length) return false
  return demanded.every(
    (index) => Object.hasOwn(child, index) && containsEntry(parent[index], child[index], use),
  )
}

function containsEntry(parent: unknown, child: unknown, use: CaveatUse): boolean {
  if (equalJson(parent, child)) return true
  if (!isClaimsObject(parent) || !isClaimsObject(child)) return false
  if (use === 'delegation' && isSelector(parent) && isSelector(child)) {
    return containsSelector(parent, child)
  }
  return isSqlCaveat(parent) && isSqlCaveat(child) && containsSql(parent, child)
}

interface Selector extends ClaimsObject {
  readonly type: typeof SELECTOR_TYPE
  readonly kind: 'exact' | 'prefix'
  readonly value: string
}

function isSelector(caveat: ClaimsObject): caveat is Selector {
  return (
    hasExactly(caveat, ['type', 'kind', 'value']) &&
    caveat['type'] === SELECTOR_TYPE &&
    (caveat['kind'] === 'exact' || caveat['kind'] === 'prefix') &&
    typeof caveat['value'] === 'string'
  )
}

/** Rule: CAVEAT-2. A prefix ends at a segment, as a resource's path does: `foo` holds `foo/bar`, not `foobar`. */
function containsSelector(parent: Selector, child: Selector): boolean {
  if (parent.kind === 'exact' || !child.value.startsWith(parent.value)) return false
  const next = child.value[parent.value.length]
  return next === undefined || next === '/' || parent.value.endsWith('/')
}

interface SqlCaveat extends ClaimsObject {
  readonly mode: string
  readonly readOnly: boolean
  readonly statements: readonly SqlStatement[]
}

interface SqlStatement extends ClaimsObject {
  readonly name: string
  readonly sql: string
  readonly fixedParams?: readonly ClaimsObject[]
}

function isSqlCaveat(caveat: ClaimsObject): caveat is SqlCaveat {
  return (
    hasExactly(caveat, ['mode', 'readOnly', 'statements']) &&
    typeof caveat['mode'] === 'string' &&
    typeof caveat['readOnly'] === 'boolean' &&
    isArrayOf(caveat['statements'], isSqlStatement)
  )
}

function isSqlStatement(value: unknown): value is SqlStatement {
  return (
    isClaimsObject(value) &&
    hasOnly(value, ['name', 'sql', 'fixedParams']) &&
    typeof value['name'] === 'string' &&
    typeof value['sql'] === 'string' &&
    (value['fixedParams'] === undefined || isArrayOf(value['fixedParams'], isClaimsObject))
  )
}

/** Rule: CAVEAT-2. Fewer statements, more fixed parameters, and nothing that was read-only becomes writable. */
function containsSql(parent: SqlCaveat, child: SqlCaveat): boolean {
  if (parent.mode !== child.mode || (parent.readOnly && !child.readOnly)) return false
  return child.statements.every((statement) =>
    parent.statements.some((allowed) => containsStatement(allowed, statement)),
  )
}

function containsStatement(allowed: SqlStatement, statement: SqlStatement): boolean {
  if (allowed.name !== statement.name || allowed.sql !== statement.sql) return false
  const fixed = statement.fixedParams ?? []
  return (allowed.fixedParams ?? []).every((demanded) =>
    fixed.some((given) => equalJson(demanded, given)),
  )
}

function isArrayOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem)
}

const hasOnly = (object: ClaimsObject, names: readonly string[]): boolean =>
  Object.keys(object).every((name) => names.includes(name))

const hasExactly = (object: ClaimsObject, names: readonly string[]): boolean =>
  hasOnly(object, names) && names.every((name) => Object.hasOwn(object, name))

/** Equality of JSON values; the order of members does not count. Their depth was limited when they were parsed. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => equalJson(item, b[index]))
    )
  }
  if (!isClaimsObject(a) || !isClaimsObject(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && equalJson(a[name], b[name]))
  )
}
