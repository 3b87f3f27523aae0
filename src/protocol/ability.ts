/** Abilities: `namespace/name`, what a capability allows on its resource (reference-behaviour §2.7). */

const ABILITY = /^[A-Za-z0-9\-_.+*]+\/[A-Za-z0-9\-_.+*]+$/
const SERVICE_ABILITY = /^tinycloud\.([^/]+)\//

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['tinycloud.kv/delete', 'tinycloud.kv/del'],
  ['tinycloud.sql/select', 'tinycloud.sql/read'],
  ['tinycloud.duckdb/select', 'tinycloud.duckdb/read'],
])

const under = (namespace: string, names: readonly string[]): ReadonlySet<string> =>
  new Set(names.map((name) => `${namespace}/${name}`))

/** The whole list: there is no `kv/*` and no general wildcard, and nothing follows from two steps. */
const IMPLICATIONS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['tinycloud.sql/*', under('tinycloud.sql', ['read', 'write', 'schema', 'admin'])],
  ['tinycloud.sql/admin', under('tinycloud.sql', ['schema'])],
  ['tinycloud.duckdb/*', under('tinycloud.duckdb', ['read', 'write', 'admin', 'import', 'export'])],
])

export const isAbility = (text: string): boolean => ABILITY.test(text)

/** The name that an alias stands for; any other name itself. */
export const resolveAbility = (ability: string): string => ALIASES.get(ability) ?? ability

/** Whether who holds `granted` may do `requested` (ABIL-1). Unknown abilities are equal or nothing (ABIL-2). */
export function coversAbility(granted: string, requested: string): boolean {
  if (granted === requested) return true
  const held = resolveAbility(granted)
  const wanted = resolveAbility(requested)
  return held === wanted || (IMPLICATIONS.get(held)?.has(wanted) ?? false)
}

/** `kv` of `tinycloud.kv/get`; undefined for an ability of somebody else's namespace. */
export const serviceOf = (ability: string): string | undefined => SERVICE_ABILITY.exec(ability)?.[1]
