/**
 * Names that users of the existing node may have written (reference-behaviour §5.2–§5.3) and that are no settings here.
 *
 * What limits or gates something must never be ignored, so until its part is built the node refuses to start with it.
 * What has no meaning here is named once in a warning.
 */

/** Says what becomes of a name. */
export type ForeignName =
  | { readonly kind: 'later'; readonly family: string; readonly part: string }
  | { readonly kind: 'meaningless' }

/** Key or family of keys (`hooks` stands for all of `hooks.*`) → the part that it belongs to. */
const LATER_KEYS: Readonly<Record<string, string>> = {
  'storage.blocks.bucket': 'S3 storage',
  'storage.blocks.endpoint': 'S3 storage',
  'storage.sql': 'the SQL service',
  hooks: 'the hooks service',
  limits: 'limits of the existing web framework',
  tls: 'TLS (a reverse proxy in front of the node does that)',
}

const MEANINGLESS_KEYS: readonly string[] = [
  'relay',
  'tee',
  'tc_bench',
  'share_email',
  'retention',
  'log.tracing',
  'storage.duckdb',
  'database.max_connections',
  // Settings of the web framework of the existing node, which share its file.
  'workers',
  'max_blocking',
  'ident',
  'ip_header',
  'proxy_proto_header',
  'keep_alive',
  'temp_dir',
  'secret_key',
  'shutdown',
  'cli_colors',
]

/** Variables that the existing node reads beside its keys. */
const LATER_VARIABLES: Readonly<Record<string, string>> = {
  TINYCLOUD_ADMIN_SECRET: 'the administration of limits',
  TINYCLOUD_QUOTA_URL: 'a limit of bytes per space',
}

const MEANINGLESS_VARIABLES: readonly string[] = ['TINYCLOUD_DID_RESOLUTION_TIMEOUT_MS']

/** Looks up a key of a file; undefined: nobody knows it. */
export function foreignKey(key: string): ForeignName | undefined {
  const isWithin = (family: string): boolean => key === family || key.startsWith(`${family}.`)
  return lookUp(isWithin)
}

/** Looks up a variable in upper case, in its `_` or its `__` form; undefined: nobody knows it. */
export function foreignVariable(variable: string): ForeignName | undefined {
  const part = ownMember(LATER_VARIABLES, variable)
  if (part !== undefined) return { kind: 'later', family: variable, part }
  if (MEANINGLESS_VARIABLES.includes(variable)) return { kind: 'meaningless' }
  const name = variable.replaceAll('__', '_')
  return lookUp((family) => {
    const familyName = `TINYCLOUD_${family.replaceAll('.', '_').toUpperCase()}`
    return name === familyName || name.startsWith(`${familyName}_`)
  })
}

function lookUp(isWithin: (family: string) => boolean): ForeignName | undefined {
  const later = Object.entries(LATER_KEYS).find(([family]) => isWithin(family))
  if (later !== undefined) return { kind: 'later', family: later[0], part: later[1] }
  return MEANINGLESS_KEYS.some(isWithin) ? { kind: 'meaningless' } : undefined
}

const ownMember = (table: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined
